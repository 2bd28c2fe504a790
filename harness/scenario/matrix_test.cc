#include "harness/scenario/matrix.h"

#include <gmock/gmock.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string file_with(const std::string& matrix) {
  return scenario_with("\"matrix\": " + matrix +
                       ", \"about\": \"a is ${a}\", \"actors\": {\"x\": {\"bind\": \"udp\"}}");
}

std::vector<std::string> names_of(const ReadResult& result) {
  std::vector<std::string> names;
  for (const MatrixRow& row : result.rows) names.push_back(row.name);
  return names;
}

TEST(Matrix, HasEveryCombinationTheLastVariableChangingFastest) {
  EXPECT_THAT(names_of(read_good(file_with(R"({"a": [1, 2], "b": ["x", "y"]})"))),
              ElementsAre("a=1,b=x", "a=1,b=y", "a=2,b=x", "a=2,b=y"));
}

TEST(Matrix, ReadingItGivesTheFirstRowAndSetGivesAnyOther) {
  const std::string file = file_with(R"({"a": ["p", "q"], "b": [true, false]})");
  const ReadResult first = read_good(file);
  EXPECT_EQ(first.scenario->about, "a is p");
  EXPECT_EQ(first.scenario->row, "a=p,b=true");
  const MatrixRow& last = first.rows.back();
  EXPECT_THAT(last.settings, ElementsAre(Pair("a", "q"), Pair("b", "false")));
  const ReadResult again = read_good(file, {.set = {last.settings.begin(), last.settings.end()}});
  EXPECT_EQ(again.scenario->row, last.name);
  EXPECT_EQ(again.scenario->about, "a is q");
  EXPECT_EQ(again.rows.size(), 1u);
}

TEST(Matrix, SetPinsOneVariableAndLeavesTheOthers) {
  const std::string file = file_with(R"({"a": [1, 2], "b": ["x", "y"]})");
  EXPECT_THAT(names_of(read_good(file, {.set = {{"b", "y"}}})), ElementsAre("a=1,b=y", "a=2,b=y"));
  EXPECT_THAT(names_of(read_good(file, {.set = {{"a", "7"}, {"b", "x"}}})), ElementsAre("a=7,b=x"));
  const ReadResult wrong = read_scenario_text(file, "test.json", {.set = {{"a", "seven"}}});
  EXPECT_THAT(mistakes_of(wrong), ElementsAre(HasSubstr("--set a=seven")));
}

TEST(Matrix, ExcludedCombinationsAreLeftOut) {
  EXPECT_THAT(
      names_of(read_good(file_with(
          R"({"a": [1, 2, 3], "b": ["x", "y"], "exclude": [{"a": 1}, {"a": 2, "b": "y"}]})"))),
      ElementsAre("a=2,b=x", "a=3,b=x", "a=3,b=y"));
}

TEST(Matrix, ListedRowsAreTheOnlyOnes) {
  const std::string file = file_with(R"([{"a": 1, "b": "x"}, {"b": "y", "a": 2}])");
  EXPECT_THAT(names_of(read_good(file)), ElementsAre("a=1,b=x", "b=y,a=2"));
  EXPECT_THAT(names_of(read_good(file, {.set = {{"a", "2"}}})), ElementsAre("b=y,a=2"));
  const ReadResult none = read_scenario_text(file, "test.json", {.set = {{"a", "3"}}});
  EXPECT_THAT(mistakes_of(none), ElementsAre(HasSubstr("no row of the matrix is left")));
}

// A name is a folder's name too, and no two rows may have one.
TEST(Matrix, NamesHaveNoCharactersThatFoldersMind) {
  EXPECT_THAT(names_of(read_good(file_with(R"({"a": ["/etc", "..", "x y", "x/y"]})"))),
              ElementsAre("a=-etc", "a=..", "a=x-y", "a=x-y~2"));
}

TEST(Matrix, RowsKnowTheTypesOfTheirValues) {
  const ReadResult result =
      read_good(scenario_with(
                    R"("matrix": {"n": [3, 5]}, "actors": {"x": {"bind": "udp", "steps": [
         {"repeat": "${n}", "steps": []}]}})"),
                {.set = {{"n", "5"}}});
  EXPECT_EQ(std::get<int64_t>(std::get<RepeatArguments>(step_of(result, "x", 0).arguments).times),
            5);
}

TEST(Matrix, AnExpectedFailureIsAboutItsRowsOnly) {
  const std::string file = scenario_with(
      R"("matrix": {"a": ["p", "q"]}, "expected_failure": {"reason": "r", "row": {"a": "q"}},
         "actors": {"x": {"bind": "udp"}})");
  EXPECT_FALSE(read_good(file).scenario->expected_failure);
  EXPECT_EQ(read_good(file, {.set = {{"a", "q"}}}).scenario->expected_failure->reason, "r");
}

TEST(Matrix, TheEnvironmentIsPartOfWhatMakesARunAgain) {
  const std::string file = scenario_with(
      R"("env": {"PORT": "6379", "HOST": "here"}, "about": "${env.PORT} ${env.HOST}",
         "actors": {"x": {"bind": "udp"}})");
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "PORT") return "80 ${x}";
    return std::nullopt;
  };
  const ReadResult result = read_good(file, {.environment = environment});
  EXPECT_EQ(result.scenario->about, "80 ${x} here");  // a value is text, whatever it has
  EXPECT_THAT(result.scenario->settings, ElementsAre(Pair("env.PORT", "80 ${x}")));
  EXPECT_EQ(read_good(file, {.set = {{"env.HOST", "there"}}}).scenario->about, "6379 there");
}

}  // namespace
}  // namespace netrig
