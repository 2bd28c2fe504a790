// Runs from start to result, on the world that needs nothing of the machine.

#include "harness/run/runner.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "harness/run/runner_testing.h"

namespace netrig {
namespace {

constexpr const char* kBusy =
    R"(, { "repeat": 1000000000, "steps": [ { "set_option": { "SO_RCVBUF": 5000 } } ] })";

RunResult result_of(RunningJob& job) {
  while (true) {
    if (auto result = job.take_result()) return *result;
    if (!becomes_readable(job.descriptor())) break;
    job.on_readable();
  }
  ADD_FAILURE() << "no result";
  return {};
}

RunResult play(Runner& runner, const Scenario& scenario, const RunOptions& options) {
  RunningJob job = runner.start(scenario, options);
  return result_of(job);
}

TEST(Runner, TheSameSeedGivesTheSameResultInOneProcessAndInTwo) {
  const Scenario scenario = greeting(R"("network": { "client <-> server": { "loss": "30%" } },)");
  RunFolder folder;
  Runner runner(nothing_to_judge);
  const RunResult first = play(runner, scenario, folder.options(1));
  const RunResult again = play(runner, scenario, folder.options(1));
  const RunResult other = play(runner, scenario, folder.options(2));
  EXPECT_EQ(first.verdict, Verdict::kPass) << first.reason;
  EXPECT_FALSE(first.fingerprints.empty());
  EXPECT_EQ(first.fingerprints, again.fingerprints);
  EXPECT_NE(first.fingerprints, other.fingerprints);
  Runner second(nothing_to_judge);
  EXPECT_EQ(play(second, scenario, folder.options(1)).fingerprints, first.fingerprints);
}

TEST(Runner, WhatTheJudgeFindsFailsTheRun) {
  const Scenario scenario = greeting();
  RunFolder folder;
  Runner runner([](const FinishedRun& run) -> std::vector<Finding> {
    return {{{{1, 1, 0}, "seed " + std::to_string(run.options.seed), {}}, "", ""}};
  });
  const RunResult result = play(runner, scenario, folder.options(7));
  EXPECT_EQ(result.verdict, Verdict::kFail);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].diagnostic.message, "seed 7");
}

TEST(Runner, WhatCannotRunHasEndedAtOnceWithTheReason) {
  Scenario scenario = greeting();
  scenario.backends = {"real"};
  RunFolder folder;
  Runner runner(nothing_to_judge);
  RunningJob job = runner.start(scenario, folder.options());
  EXPECT_EQ(job.descriptor(), -1);
  const auto result = job.take_result();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Verdict::kUnsupported);
  EXPECT_EQ(result->reason, "the scenario runs on real only");
}

TEST(Runner, RunsSideBySideDoNotWaitForEachOther) {
  const Scenario busy = greeting("", kBusy);
  const Scenario scenario = greeting();
  RunFolder folder;
  Runner runner(nothing_to_judge);
  RunningJob slow = runner.start(busy, folder.options(1));
  EXPECT_EQ(play(runner, scenario, folder.options(2)).verdict, Verdict::kPass);
  EXPECT_FALSE(slow.take_result());
}

TEST(Runner, AnInterruptedRunWritesWhatIsKnown) {
  const Scenario busy = greeting("", kBusy);
  RunFolder folder;
  Runner runner(nothing_to_judge);
  const RunOptions options = folder.options();
  RunningJob job = runner.start(busy, options);
  while (!std::filesystem::exists(options.output + "/capture.pcapng")) ::usleep(1000);
  job.interrupt();
  EXPECT_EQ(result_of(job).verdict, Verdict::kInterrupted);
  EXPECT_TRUE(std::filesystem::exists(options.output + "/result.json"));
}

TEST(Runner, AKilledRunIsInterruptedAndTheNextGetsAProcessOfItsOwn) {
  const Scenario busy = greeting("", kBusy);
  const Scenario scenario = greeting();
  RunFolder folder;
  Runner runner(nothing_to_judge);
  RunningJob job = runner.start(busy, folder.options(1));
  job.kill();
  EXPECT_EQ(result_of(job).verdict, Verdict::kInterrupted);
  EXPECT_EQ(play(runner, scenario, folder.options(2)).verdict, Verdict::kPass);
}

TEST(Runner, ARunThatStandsStillInVirtualTimeIsInvalidAfterItsTimeOnTheWallClock) {
  const Scenario busy = greeting("", kBusy);
  RunFolder folder;
  Runner runner(nothing_to_judge);
  RunOptions options = folder.options();
  options.timeout = 100ms;
  options.capture = false;
  const RunResult result = play(runner, busy, options);
  EXPECT_EQ(result.verdict, Verdict::kInvalid);
  EXPECT_NE(result.reason.find("on this machine's clock, at 0s of virtual time"), std::string::npos)
      << result.reason;
}

TEST(Runner, AJobThatIsLetGoLeavesNoProcess) {
  {
    const Scenario busy = greeting("", kBusy);
    RunFolder folder;
    Runner runner(nothing_to_judge);
    const RunningJob job = runner.start(busy, folder.options());
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(Runner, CheckingDeterminismComparesEveryEventOfTwoRuns) {
  const Scenario scenario = greeting();
  RunFolder folder;
  Runner runner(nothing_to_judge);
  RunOptions options = folder.options();
  options.check_determinism = true;
  const RunResult result = play(runner, scenario, options);
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_GT(result.counters.at("events_compared"), 10);
}

}  // namespace
}  // namespace netrig
