// A worker's process: many runs one after the other, and what is heard of it when it ends early.

#include "harness/run/run_worker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "harness/run/runner_testing.h"

namespace netrig {
namespace {

RunResult play_on(RunWorker& worker, const RunOptions& options) {
  worker.ask(options);
  while (becomes_readable(worker.descriptor())) {
    if (const auto json = worker.read_result()) return result_from_json(*json).value();
    if (worker.ended()) break;
  }
  ADD_FAILURE() << "no result";
  return {};
}

TEST(RunWorker, PlaysRunAfterRunEachWithItsOwnSeedFolderAndCommand) {
  const Scenario scenario = greeting();
  RunFolder folder;
  auto worker = RunWorker::start(scenario, folder.options(), nothing_to_judge).value();
  for (uint64_t seed : {1, 2, 3}) {
    RunOptions options = folder.options(seed);
    options.again = "again " + std::to_string(seed);
    const RunResult result = play_on(*worker, options);
    EXPECT_EQ(result.verdict, Verdict::kPass) << result.reason;
    EXPECT_EQ(result.seed, seed);
    EXPECT_EQ(result.again, options.again);
    EXPECT_TRUE(std::filesystem::exists(options.output + "/journal.jsonl"));
  }
}

// A run works in its own folder; the next one's is not below that.
TEST(RunWorker, FindsRelativeFoldersOfLaterRunsToo) {
  const Scenario scenario = greeting();
  RunFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  auto worker = RunWorker::start(scenario, folder.options(), nothing_to_judge).value();
  std::filesystem::current_path(before);
  for (uint64_t seed : {1, 2}) {
    RunOptions options = folder.options(seed);
    options.output = std::to_string(seed);
    EXPECT_EQ(play_on(*worker, options).verdict, Verdict::kPass);
  }
}

TEST(RunWorker, AFolderThatIsMissingIsAnErrorOfOneRunOnly) {
  const Scenario scenario = greeting();
  RunFolder folder;
  auto worker = RunWorker::start(scenario, folder.options(), nothing_to_judge).value();
  RunOptions options = folder.options(2);
  options.output += "/nowhere";
  const RunResult result = play_on(*worker, options);
  EXPECT_EQ(result.verdict, Verdict::kError);
  EXPECT_NE(result.reason.find("nowhere"), std::string::npos) << result.reason;
  EXPECT_EQ(play_on(*worker, folder.options(3)).verdict, Verdict::kPass);
}

TEST(RunWorker, ServesItsOwnScenarioAloneAndNothingOnceItHasEnded) {
  const Scenario scenario = greeting();
  const Scenario other = greeting();
  RunFolder folder;
  const RunOptions options = folder.options();
  auto worker = RunWorker::start(scenario, options, nothing_to_judge).value();
  EXPECT_TRUE(worker->serves(scenario, options));
  EXPECT_FALSE(worker->serves(other, options));
  RunOptions elsewhere = options;
  elsewhere.scenario_path = "other.json";
  EXPECT_FALSE(worker->serves(scenario, elsewhere));

  worker->signal(SIGKILL);
  ASSERT_TRUE(becomes_readable(worker->descriptor()));
  EXPECT_FALSE(worker->read_result());
  EXPECT_TRUE(worker->ended());
  EXPECT_FALSE(worker->serves(scenario, options));
  const int status = worker->wait();
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(RunWorker, ItsDestructorEndsAnIdleProcess) {
  const Scenario scenario = greeting();
  RunFolder folder;
  RunWorker::start(scenario, folder.options(), nothing_to_judge).value().reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

}  // namespace
}  // namespace netrig
