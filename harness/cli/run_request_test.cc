#include "harness/cli/run_request.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

const std::vector<std::string> kKnown{"real"};

std::string error_of(const RunArguments& arguments) {
  auto request = parse_run_request(arguments, kKnown);
  return request ? "none" : request.error();
}

TEST(RunRequest, HasUsableDefaults) {
  auto request = parse_run_request({}, kKnown);
  ASSERT_TRUE(request) << request.error();
  EXPECT_TRUE(request->backends.empty());
  EXPECT_GE(request->jobs, 1u);
  EXPECT_EQ(request->repeat, 1u);
  EXPECT_EQ(request->timeout, Duration{0});
  EXPECT_EQ(request->out, "out");
  EXPECT_TRUE(request->capture);
}

TEST(RunRequest, TakesTheValuesOfItsOptions) {
  RunArguments arguments;
  arguments.backends = {"real,real"};
  arguments.seeds = "3:7";
  arguments.jobs = "4";
  arguments.repeat = "2";
  arguments.timeout = "1.5s";
  arguments.set = {"a=1", "b=x=y"};
  arguments.color = "never";
  arguments.verbose = 3;
  auto request = parse_run_request(arguments, kKnown);
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(request->backends, std::vector<std::string>{"real"});
  EXPECT_EQ(request->seeds, std::pair(uint64_t{3}, uint64_t{7}));
  EXPECT_EQ(request->jobs, 4u);
  EXPECT_EQ(request->repeat, 2u);
  EXPECT_EQ(request->timeout, 1500ms);
  EXPECT_EQ(request->set.at("b"), "x=y");
  EXPECT_EQ(request->color, ColorMode::kNever);
  EXPECT_EQ(request->verbosity, 2);
}

TEST(RunRequest, NamesTheBackendsThatThereAre) {
  EXPECT_EQ(error_of({.backends = {"reel"}}), "there is no backend 'reel'; this build has real");
  EXPECT_EQ(error_of({.backends = {"real,wire"}}), "this build has no backend 'wire', it has real");
  EXPECT_EQ(error_of({.backends = {""}}), "there is no backend ''; this build has real");
}

TEST(RunRequest, RefusesNumbersThatAreNone) {
  EXPECT_EQ(error_of({.seed = "x"}),
            "--seed takes a whole number from 0 to 18446744073709551615, got 'x'");
  EXPECT_EQ(error_of({.jobs = "0"}), "-j takes a whole number from 1 to 1024, got '0'");
  EXPECT_EQ(error_of({.jobs = "-1"}), "-j takes a whole number from 1 to 1024, got '-1'");
  EXPECT_EQ(error_of({.repeat = "2x"}),
            "--repeat takes a whole number from 1 to 1000000, got '2x'");
  EXPECT_EQ(error_of({.seed = "18446744073709551616"}),
            "--seed takes a whole number from 0 to 18446744073709551615, got "
            "'18446744073709551616'");
}

TEST(RunRequest, RefusesSeedsThatAreNoRange) {
  for (const char* text : {"7", "a:b", "1:", ":9", "1:2:3"}) {
    EXPECT_EQ(error_of({.seeds = text}),
              std::string("--seeds takes FIRST:LAST, for instance 1:100, got '") + text + "'");
  }
  EXPECT_EQ(error_of({.seeds = "9:1"}), "--seeds 9:1: the first is larger than the last");
  EXPECT_EQ(error_of({.seeds = "0:18446744073709551615"}),
            "--seeds 0:18446744073709551615: at most 1000000 in one call");
}

TEST(RunRequest, RefusesOtherBadValues) {
  EXPECT_TRUE(error_of({.timeout = "5"}).starts_with("--timeout: "));
  EXPECT_EQ(error_of({.timeout = "0s"}), "--timeout must be longer than 0s");
  EXPECT_EQ(error_of({.color = "red"}), "--color is auto, always or never, not 'red'");
  EXPECT_EQ(error_of({.set = {"=3"}}),
            "--set takes NAME=VALUE, for instance --set size=100, got '=3'");
  EXPECT_EQ(error_of({.set = {"a=1", "a=2"}}), "--set gives 'a' twice");
  EXPECT_EQ(error_of({.keywords = " "}),
            "-k takes an expression, for instance -k 'tcp and not loss'");
  EXPECT_EQ(error_of({.keywords = "tcp and"}), "-k: a word is missing at character 8 of 'tcp and'");
}

TEST(RunRequest, RefusesOptionsThatContradict) {
  EXPECT_EQ(error_of({.seed = "1", .seeds = "1:2"}), "--seed and --seeds exclude each other");
  EXPECT_EQ(error_of({.quiet = true, .verbose = 1}), "-q and -v exclude each other");
  EXPECT_EQ(error_of({.allow_remote = true}), "--allow-remote is of use only with --host-network");
  EXPECT_EQ(error_of({.junit = "a", .json = "a"}), "--junit and --json cannot write the same file");
}

TEST(RunRequest, TakesWhatCiAsksFor) {
  RunArguments arguments;
  arguments.shard = "2/3";
  arguments.retries = "4";
  arguments.total_timeout = "10min";
  arguments.time_scale = "2.5";
  arguments.markdown = "summary.md";
  auto request = parse_run_request(arguments, kKnown);
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(request->shard.index, 1u);
  EXPECT_EQ(request->shard.count, 3u);
  EXPECT_EQ(request->retries, 4u);
  EXPECT_EQ(request->total_timeout, 10min);
  EXPECT_EQ(request->time_scale.text(), "2.5");
  EXPECT_EQ(request->markdown, "summary.md");
  EXPECT_FALSE(request->fail_fast);
}

TEST(RunRequest, GoesOnUntilAFailureForEverOrSoManyRounds) {
  auto endless = parse_run_request({.until_fail = true}, kKnown);
  ASSERT_TRUE(endless);
  EXPECT_EQ(endless->repeat, 0u);
  EXPECT_TRUE(endless->fail_fast);
  auto some = parse_run_request({.repeat = "7", .until_fail = true}, kKnown);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->repeat, 7u);
}

TEST(RunRequest, RefusesShardsThatAreNone) {
  const std::string wrong = "--shard takes I/N, for instance 1/3, got ";
  EXPECT_EQ(error_of({.shard = "3"}), wrong + "'3'");
  EXPECT_EQ(error_of({.shard = "0/3"}), wrong + "'0/3': I is from 1 to N");
  EXPECT_EQ(error_of({.shard = "4/3"}), wrong + "'4/3': I is from 1 to N");
  EXPECT_EQ(error_of({.shard = "1/0"}), wrong + "'1/0': N is from 1 to 10000");
  EXPECT_EQ(error_of({.shard = "1/10001"}), wrong + "'1/10001': N is from 1 to 10000");
}

// Of any whole: each item in one part, and no part larger by more than one than another.
TEST(Shard, SharesOutAnyNumberOfItems) {
  for (uint64_t count = 1; count <= 9; ++count) {
    for (uint64_t items = 0; items <= 60; ++items) {
      std::vector<uint64_t> held(count, 0);
      for (uint64_t item = 0; item < items; ++item) {
        uint64_t holders = 0;
        for (uint64_t index = 0; index < count; ++index) {
          const bool holds = Shard{index, count}.holds(item);
          holders += holds ? 1 : 0;
          held[index] += holds ? 1 : 0;
        }
        ASSERT_EQ(holders, 1u);
      }
      for (uint64_t index = 0; index < count; ++index) {
        EXPECT_EQ(held[index], (Shard{index, count}.share(items))) << index << "/" << count;
        EXPECT_GE(held[index], items / count);
        EXPECT_LE(held[index], items / count + 1);
      }
    }
  }
}

TEST(Again, ScalesTimeOnlyWhereItIsAClocks) {
  RunRequest request{.capture = true};
  request.time_scale = *TimeScale::parse("3");
  EXPECT_EQ(again_command(request, "a.json", "real", 1),
            "netrig run a.json --backend real --seed 1 --time-scale 3");
  EXPECT_EQ(again_command(request, "a.json", "fake", 1),
            "netrig run a.json --backend fake --seed 1");
}

TEST(Again, RepeatsWhatChangesTheRun) {
  RunArguments arguments;
  arguments.set = {"text=it's"};
  arguments.timeout = "90s";
  arguments.host_network = arguments.allow_remote = arguments.no_capture = true;
  auto request = parse_run_request(arguments, kKnown);
  ASSERT_TRUE(request);
  EXPECT_EQ(again_command(*request, "my scenarios/a.json", "real", 7),
            "netrig run 'my scenarios/a.json' --backend real --seed 7 --set 'text=it'\\''s' "
            "--timeout 90s --host-network --allow-remote --no-capture");
  EXPECT_EQ(again_command({.capture = true}, "scenarios/udp-loss.json", "real", 7),
            "netrig run scenarios/udp-loss.json --backend real --seed 7");
  EXPECT_EQ(again_command({.capture = true}, "-a.json", "real", 7),
            "netrig run ./-a.json --backend real --seed 7");
}

}  // namespace
}  // namespace netrig
