#include "harness/scenario/variables.h"

#include <gmock/gmock.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ReadOptions with_set(std::map<std::string, std::string> set) {
  return {.set = std::move(set)};
}

std::string note_of(const ReadResult& result) {
  return result.scenario->about;
}

std::string file_with(const std::string& vars, const std::string& about) {
  return scenario_with("\"about\": \"" + about + "\",\n\"vars\": " + vars +
                       ",\n\"actors\": {\"a\": {\"bind\": \"udp\"}}");
}

TEST(Variables, ALoneVariableKeepsItsType) {
  // The number of a repeat and a boolean modifier are not text: only a typed value fits there.
  auto result = read_good(scenario_with(
      R"("vars": {"n": 1000, "quick": true, "long": "250ms"},
         "actors": {"a": {"bind": "udp", "steps": [
           {"repeat": "${n}", "every": "${long}",
            "steps": [{"read": 1, "nonblocking": "${quick}"}]}]}})"));
  const auto& repeat = std::get<RepeatArguments>(step_of(result, "a", 0).arguments);
  EXPECT_EQ(std::get<int64_t>(repeat.times), 1000);
  EXPECT_EQ(repeat.every, 250ms);
  EXPECT_TRUE(repeat.steps[0].nonblocking);
}

TEST(Variables, InsideTextTheyAreText) {
  EXPECT_EQ(
      note_of(read_good(file_with(R"({"n": -5, "b": false, "t": "x"})", "${n}/${b}/${t}/$${t}"))),
      "-5/false/x/${t}");
}

TEST(Variables, SetReplacesTheFilesValueAndKeepsItsType) {
  std::string file = file_with(R"({"n": 5, "t": "x", "b": true})", "${n} ${t} ${b}");
  EXPECT_EQ(note_of(read_good(file, with_set({{"n", "7"}, {"t", "007"}, {"b", "false"}}))),
            "7 007 false");
  EXPECT_EQ(note_of(read_good(file, with_set({{"t", "\"a\\tb\""}}))), "5 a\tb true");
}

TEST(Variables, SetOfAnotherTypeIsAMistakeOfUsage) {
  auto result =
      read_scenario_text(file_with(R"({"n": 5})", "n"), "t.json", with_set({{"n", "many"}}));
  EXPECT_THAT(mistakes_of(result), ElementsAre("0:0 --set n=many: the file's value is an integer"));
}

TEST(Variables, SetOfAnUnknownNameListsTheKnownOnes) {
  std::string file = file_with(R"({"loss": "1%", "n": 5})", "");
  auto near = read_scenario_text(file, "t.json", with_set({{"lost", "2%"}}));
  EXPECT_THAT(mistakes_of(near),
              ElementsAre("0:0 --set lost: there is no such variable (did you mean 'loss'?)"));
  auto far = read_scenario_text(file, "t.json", with_set({{"password", "2%"}}));
  EXPECT_THAT(mistakes_of(far),
              ElementsAre("0:0 --set password: there is no such variable (known: loss or n)"));
}

TEST(Variables, AValueMayUseThoseAboveItOnly) {
  EXPECT_EQ(note_of(read_good(file_with(R"({"a": "x", "b": "${a}y"})", "${b}"))), "xy");
  auto result = read_scenario_text(file_with(R"({"b": "${a}y", "a": "${a}"})", ""), "t.json");
  EXPECT_THAT(mistakes_of(result),
              ElementsAre(HasSubstr("3:15 'b' uses a variable that is not set above it"),
                          HasSubstr("3:29 'a' uses a variable that is not set above it")));
}

TEST(Variables, ANameThatNetrigGivesCannotBeTaken) {
  auto result = read_scenario_text(file_with(R"({"tmp": "/x"})", ""), "t.json");
  EXPECT_THAT(mistakes_of(result),
              ElementsAre("3:10 'tmp' is a variable that netrig gives (take another name)"));
}

TEST(Variables, HereIsTheScenariosFolder) {
  auto result = read_scenario_text(file_with("{}", "${here}"), "/some/${odd}/t.json");
  EXPECT_THAT(mistakes_of(result), ElementsAre());
  EXPECT_EQ(note_of(result), "/some/${odd}");
}

TEST(Variables, KeysAreNeverChanged) {
  auto result = read_scenario_text(
      scenario_with("\"vars\": {\"x\": \"server\"}, \"actors\": {\"${x}\": {\"bind\": \"udp\"}}"),
      "t.json");
  EXPECT_EQ(result.mistakes.size(), 1u);
}

TEST(Variables, AnUnclosedVariableIsToldOnceAtItsString) {
  auto result = read_scenario_text(client_steps("[{\"send\": \"a ${b\"}]"), "t.json");
  EXPECT_THAT(mistakes_of(result), ElementsAre(HasSubstr("3:11 '${' is never closed")));
}

TEST(Variables, ASmallFileCannotAskForEndlessText) {
  // Each variable is the one above it ten times over: 10^30 octets without a limit.
  std::string vars = "{\"v0\": \"0123456789\"";
  for (int i = 1; i < 30; ++i) {
    std::string above = fmt::format("${{v{}}}", i - 1);
    vars += fmt::format(", \"v{}\": \"", i);
    for (int k = 0; k < 10; ++k) vars += above;
    vars += '"';
  }
  auto result = read_scenario_text(file_with(vars + "}", "${v29}"), "t.json");
  ASSERT_FALSE(result.mistakes.empty());
  EXPECT_THAT(mistakes_of(result)[0], HasSubstr("variables would put more than 64MiB"));
}

TEST(Variables, ExpandedTextHasNone) {
  auto result = read_good(file_with(R"({"t": "5$"})", "${t}{i}"));
  EXPECT_EQ(note_of(result), "5${i}");
  EXPECT_THAT(result.expanded, HasSubstr("5$${i}"));
  EXPECT_THAT(result.expanded, testing::Not(HasSubstr("vars")));
}

}  // namespace
}  // namespace netrig
