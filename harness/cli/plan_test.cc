#include "harness/cli/plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace netrig {
namespace {

// "NAME.json" is a scenario NAME; "broken..." has a mistake; "skipped..." says so; "wire..." and
// "both..." name their backends.
ReadResult read_by_name(const std::string& path, const ReadOptions& /*options*/) {
  ReadResult file;
  file.source = std::make_shared<SourceFile>(path, "{}");
  std::string name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  if (name.starts_with("broken")) {
    file.mistakes.push_back({{1, 1, 1}, "a mistake", {}});
    return file;
  }
  Scenario scenario;
  scenario.source = file.source;
  scenario.id = name;
  scenario.name = "The scenario " + name;
  scenario.seed = 42;
  if (name.starts_with("skipped")) scenario.skip = Skip{{}, "not yet"};
  if (name.starts_with("wire")) scenario.backends = {"wire"};
  if (name.starts_with("both")) scenario.backends = {"real", "wire"};
  file.scenario = std::move(scenario);
  return file;
}

// A file with a matrix of three rows; "odd" in its name: the second is broken.
ReadResult read_matrix(const std::string& path, const ReadOptions& options) {
  ReadResult file = read_by_name(path, options);
  const auto given = options.set.find("n");
  for (const char* value : {"1", "2", "3"}) {
    if (given != options.set.end() && given->second != value) continue;
    file.rows.push_back({"n=" + std::string(value), {}, {{"n", value}}});
  }
  if (path.starts_with("odd") && given != options.set.end() && given->second == "2") {
    file.scenario.reset();
    file.mistakes.push_back({{1, 1, 1}, "a mistake", {}});
    return file;
  }
  file.scenario->row = file.rows.front().name;
  file.scenario->settings = file.rows.front().settings;
  return file;
}

std::optional<std::string> unsupported_by_list(const Scenario& scenario,
                                               const std::string& backend) {
  if (scenario.backends.empty() || scenario.backends.contains(backend)) return std::nullopt;
  return "not on " + backend;
}

RunPlan plan_of(const RunRequest& request, std::vector<std::string> files,
                std::vector<std::string> backends = {"fake", "real"}) {
  return RunPlan(request, std::move(files),
                 {read_by_name, std::move(backends), unsupported_by_list});
}

// Each run as its output folder; what is not to be run in brackets.
std::vector<std::string> all_of(RunPlan plan) {
  std::vector<std::string> items;
  while (auto item = plan.next()) {
    if (auto* broken = std::get_if<BrokenFile>(&*item)) {
      items.push_back("broken " + broken->source->path());
    } else {
      auto& run = std::get<PlannedRun>(*item);
      std::string text = run.options.output;
      if (run.settled) text += " [" + std::string(verdict_name(run.settled->verdict)) + "]";
      items.push_back(text);
    }
  }
  return items;
}

using Items = std::vector<std::string>;

TEST(Plan, RunsEveryFileOnEveryBackendWithItsOwnSeed) {
  EXPECT_EQ(
      all_of(plan_of({.out = "o"}, {"a.json", "broken.json", "b.json"})),
      (Items{"o/a/fake-42", "o/a/real-42", "broken broken.json", "o/b/fake-42", "o/b/real-42"}));
}

TEST(Plan, GoesThroughSeedsAndRepetitions) {
  RunRequest request{.backends = {"real"}, .repeat = 2, .out = "o"};
  request.seeds = {3, 4};
  EXPECT_EQ(all_of(plan_of(request, {"a.json"})),
            (Items{"o/a/real-3", "o/a/real-3.2", "o/a/real-4", "o/a/real-4.2"}));
}

TEST(Plan, GivesEveryItemToOneShard) {
  std::vector<std::string> parts;
  for (uint64_t index = 0; index < 3; ++index) {
    RunRequest request{.repeat = 2, .out = "o"};
    request.shard = {index, 3};
    RunPlan plan = plan_of(request, {"a.json", "broken.json", "skipped.json", "b.json"});
    const auto part = all_of(std::move(plan));
    EXPECT_GE(part.size(), 4u);
    EXPECT_LE(part.size(), 5u);
    parts.insert(parts.end(), part.begin(), part.end());
  }
  auto whole = all_of(
      plan_of({.repeat = 2, .out = "o"}, {"a.json", "broken.json", "skipped.json", "b.json"}));
  std::ranges::sort(parts);
  std::ranges::sort(whole);
  EXPECT_EQ(parts, whole);
}

TEST(Plan, ExpectsOnlyWhatIsInItsShard) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.shard = {1, 2};
  RunPlan plan = plan_of(request, {"a.json", "b.json", "c.json", "skipped.json", "d.json"});
  const size_t expected = plan.expected_items();
  size_t items = 0;
  while (plan.next()) ++items;
  EXPECT_EQ(items, expected);
  EXPECT_EQ(plan.expected_items(), expected);
  EXPECT_GT(plan.elsewhere(), 0u);
}

TEST(Plan, GoesRoundAndRoundUntilAFailure) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.until_fail = true;
  request.repeat = 3;
  EXPECT_EQ(all_of(plan_of(request, {"a.json", "skipped.json", "b.json"})),
            (Items{"o/a/real-42", "o/skipped/real-42 [skipped]", "o/b/real-42", "o/a/real-42.2",
                   "o/b/real-42.2", "o/a/real-42.3", "o/b/real-42.3"}));
}

TEST(Plan, SaysWhichRoundsNobodyWaitsFor) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.until_fail = true;
  request.repeat = 0;
  RunPlan plan = plan_of(request, {"a.json"});
  EXPECT_FALSE(std::get<PlannedRun>(*plan.next()).is_extra);
  EXPECT_TRUE(std::get<PlannedRun>(*plan.next()).is_extra);
}

// Without an end of the plan, the disk must not fill up.
TEST(Plan, UsesItsFoldersAgainWhenThereAreManyRounds) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.until_fail = true;
  request.repeat = 0;
  RunPlan plan = plan_of(request, {"a.json"});
  std::set<std::string> folders;
  for (size_t i = 0; i < 3 * kRoundsKept; ++i) {
    folders.insert(std::get<PlannedRun>(*plan.next()).options.output);
  }
  EXPECT_EQ(folders.size(), kRoundsKept);
}

TEST(Plan, EndsAfterOneRoundInWhichNothingCanRun) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.until_fail = true;
  request.repeat = 0;
  EXPECT_EQ(all_of(plan_of(request, {"skipped.json"})), (Items{"o/skipped/real-42 [skipped]"}));
}

TEST(Plan, ReachesTheLargestSeed) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.seeds = {UINT64_MAX - 1, UINT64_MAX};
  EXPECT_EQ(all_of(plan_of(request, {"a.json"})),
            (Items{"o/a/real-18446744073709551614", "o/a/real-18446744073709551615"}));
}

TEST(Plan, GivesScenariosOfOneIdDistinctFolders) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  EXPECT_EQ(all_of(plan_of(request, {"x/a.json", "y/a.json", "a-2.json", "z/a.json"})),
            (Items{"o/a/real-42", "o/a-2/real-42", "o/a-2-2/real-42", "o/a-3/real-42"}));
}

TEST(Plan, TellsWhatIsSkippedOrUnsupportedWithoutARun) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  RunPlan plan = plan_of(request, {"skipped.json", "wire.json"});
  auto first = std::get<PlannedRun>(*plan.next());
  ASSERT_TRUE(first.settled);
  EXPECT_EQ(first.settled->verdict, Verdict::kSkipped);
  EXPECT_EQ(first.settled->reason, "not yet");
  EXPECT_EQ(first.settled->name, "The scenario skipped");
  auto second = std::get<PlannedRun>(*plan.next());
  ASSERT_TRUE(second.settled);
  EXPECT_EQ(second.settled->verdict, Verdict::kUnsupported);
  EXPECT_EQ(second.settled->reason, "not on real");
}

// By default a backend that the file rules out is not worth a word, unless nothing is left then.
TEST(Plan, LeavesOutWhatTheFileDoesNotAllowButNeverTheWholeFile) {
  EXPECT_EQ(all_of(plan_of({.out = "o"}, {"both.json", "wire.json"})),
            (Items{"o/both/real-42", "o/wire/fake-42 [unsupported]"}));
}

TEST(Plan, CountsWhatTheSelectionLeavesOut) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.selection = *Selection::parse("not a", {});
  RunPlan plan = plan_of(request, {"a.json", "bb.json"});
  size_t items = 0;
  while (plan.next()) ++items;
  EXPECT_EQ(items, 0u);  // "scenario" and ".json"... every name holds an "a"
  EXPECT_EQ(plan.deselected(), 2u);
}

TEST(Plan, CorrectsItsExpectationAsItReads) {
  RunRequest request{.backends = {"real"}, .repeat = 3, .out = "o"};
  RunPlan plan = plan_of(request, {"a.json", "broken.json"});
  EXPECT_EQ(plan.expected_items(), 6u);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(plan.next());
  EXPECT_EQ(plan.expected_items(), 4u);
  EXPECT_FALSE(plan.next());
}

TEST(Plan, EveryRowOfAMatrixIsARunWithItsOwnFolderAndCommand) {
  RunRequest request{.backends = {"real"}, .repeat = 2, .out = "o"};
  RunPlan plan(request, {"a.json", "b.json"}, {read_matrix, {"real"}, unsupported_by_list});
  EXPECT_EQ(plan.expected_items(), 4u);
  auto first = std::get<PlannedRun>(*plan.next());
  EXPECT_EQ(plan.expected_items(), 8u);
  EXPECT_EQ(first.options.row, "n=1");
  EXPECT_EQ(first.options.again, "netrig run a.json --backend real --seed 42 --set n=1");
  EXPECT_EQ(all_of(std::move(plan)),
            (Items{"o/a@n=1/real-42.2", "o/a@n=2/real-42", "o/a@n=2/real-42.2", "o/a@n=3/real-42",
                   "o/a@n=3/real-42.2", "o/b@n=1/real-42", "o/b@n=1/real-42.2", "o/b@n=2/real-42",
                   "o/b@n=2/real-42.2", "o/b@n=3/real-42", "o/b@n=3/real-42.2"}));
}

TEST(Plan, ABrokenRowLeavesTheOthers) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  RunPlan plan(request, {"odd.json"}, {read_matrix, {"real"}, unsupported_by_list});
  EXPECT_EQ(all_of(std::move(plan)),
            (Items{"o/odd@n=1/real-42", "broken odd.json", "o/odd@n=3/real-42"}));
}

TEST(Plan, RowsAreSelectedByTheirNames) {
  RunRequest request{.backends = {"real"}, .out = "o"};
  request.selection = *Selection::parse("n=2 or n=3", {});
  RunPlan plan(request, {"a.json"}, {read_matrix, {"real"}, unsupported_by_list});
  EXPECT_EQ(all_of(std::move(plan)), (Items{"o/a@n=2/real-42", "o/a@n=3/real-42"}));
}

TEST(Plan, KnowsWhyRunsAreExpectedToFail) {
  const auto known = [](const Scenario&, const std::string& path, const std::string& backend) {
    return path + " on " + backend;
  };
  RunPlan plan({.backends = {"real"}, .out = "o"}, {"a.json"},
               {read_by_name, {"real"}, unsupported_by_list, known});
  EXPECT_EQ(std::get<PlannedRun>(*plan.next()).options.expected_failure, "a.json on real");
}

TEST(Plan, ReadsAFileOnlyWhenItsTurnComes) {
  size_t reads = 0;
  auto read = [&](const std::string& path, const ReadOptions& options) {
    ++reads;
    return read_by_name(path, options);
  };
  RunPlan plan({.backends = {"real"}, .out = "o"}, {"a.json", "b.json"},
               {read, {"real"}, unsupported_by_list});
  EXPECT_EQ(reads, 0u);
  auto first = std::get<PlannedRun>(*plan.next());
  EXPECT_EQ(reads, 1u);
  ASSERT_TRUE(plan.next());
  EXPECT_EQ(first.scenario.use_count(), 1);  // nobody else keeps the first file
}

}  // namespace
}  // namespace netrig
