#include "harness/cli/plan.h"

#include <gtest/gtest.h>

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
