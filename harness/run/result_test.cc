#include "harness/run/result.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace netrig {
namespace {

RunResult full_result() {
  RunResult result;
  result.scenario = "scenarios/udp-loss.json";
  result.id = "udp-loss";
  result.name = "1000 datagrams";
  result.backend = "real";
  result.seed = UINT64_MAX;
  result.verdict = Verdict::kFail;
  result.reason = "a \"reason\"\n";
  result.findings = {
      {{{31, 5, 8}, "expected 1, got 2", {"00 01", "  ^^"}}, "client-3", "client.2"}};
  DeliveryStatistics statistics;
  statistics.direction = "client -> server";
  statistics.sent = 10;
  statistics.delivered = 7;
  statistics.lost = 3;
  statistics.reordered = 4;
  statistics.duplicated = 5;
  statistics.corrupted = 6;
  statistics.lost_ordinals = {3, 4, 9};
  statistics.longest_loss_run = 2;
  statistics.latencies = {1ms, 2ms, 3ms, 4ms, 5ms, 6ms, 70ms};
  result.delivery = {statistics};
  result.counters = {{"packets", 12}, {"late_timers", -1}};
  result.fingerprint = "00ff";
  result.output = "out/udp-loss/real-7";
  result.capture = "out/udp-loss/real-7/capture.pcapng";
  result.again = "netrig run scenarios/udp-loss.json --seed 7";
  result.ladder = "client server\n";
  result.duration = 1520ms;
  return result;
}

TEST(RunResult, CrossesJsonUnchangedButForLatenciesBeyondTheirQuantiles) {
  const std::string json = result_to_json(full_result());
  const auto read = result_from_json(json);
  ASSERT_TRUE(read) << read.error();
  // The text is equal again only if no field was lost or confused with another.
  EXPECT_EQ(result_to_json(*read), json);
  EXPECT_EQ(read->seed, UINT64_MAX);
  EXPECT_EQ(read->verdict, Verdict::kFail);
  EXPECT_EQ(read->findings.at(0).diagnostic.at, (Location{31, 5, 8}));
  EXPECT_EQ(read->findings.at(0).diagnostic.details.at(1), "  ^^");
  EXPECT_EQ(read->delivery.at(0).lost_ordinals, (std::vector<uint64_t>{3, 4, 9}));
  EXPECT_EQ(latency_quantiles(read->delivery.at(0).latencies),
            latency_quantiles(full_result().delivery[0].latencies));
  EXPECT_EQ(read->counters, full_result().counters);
  EXPECT_EQ(read->duration, 1520ms);
}

TEST(RunResult, IsOneLineWithTheKeysThatToolsReadFirst) {
  const std::string json = result_to_json(full_result());
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_TRUE(json.starts_with(R"({"scenario":"scenarios/udp-loss.json",)")) << json;
  const auto parsed = nlohmann::json::parse(json);
  for (const char* key : {"scenario", "backend", "seed", "verdict", "findings", "delivery",
                          "counters", "fingerprint", "capture", "again"}) {
    EXPECT_TRUE(parsed.contains(key)) << key;
  }
  EXPECT_EQ(parsed["verdict"], "fail");
  EXPECT_EQ(parsed["delivery"][0]["latency_ns"]["p90"], 70'000'000);
}

TEST(RunResult, EveryVerdictHasANameThatReadsBack) {
  for (Verdict verdict : {Verdict::kPass, Verdict::kFail, Verdict::kUnsupported, Verdict::kInvalid,
                          Verdict::kError, Verdict::kSkipped, Verdict::kInterrupted}) {
    RunResult result;
    result.verdict = verdict;
    EXPECT_EQ(result_from_json(result_to_json(result)).value().verdict, verdict)
        << verdict_name(verdict);
  }
  EXPECT_EQ(verdict_name(Verdict::kPass), "pass");
  EXPECT_EQ(verdict_name(Verdict::kInterrupted), "interrupted");
}

TEST(RunResult, WhatIsNoResultIsAnErrorNotACrash) {
  // A child that was killed leaves half a line; a foreign file has other types.
  const std::string whole = result_to_json(full_result());
  EXPECT_FALSE(result_from_json(whole.substr(0, whole.size() / 2)));
  EXPECT_FALSE(result_from_json(""));
  EXPECT_FALSE(result_from_json("[]"));
  EXPECT_FALSE(result_from_json(R"({"scenario":1})"));
}

}  // namespace
}  // namespace netrig
