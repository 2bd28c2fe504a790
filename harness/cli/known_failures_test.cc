#include "harness/cli/known_failures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Scenario scenario_of(const std::string& id,
                     std::vector<std::pair<std::string, std::string>> settings = {}) {
  Scenario scenario;
  scenario.id = id;
  for (const auto& [name, value] : settings) {
    scenario.row += (scenario.row.empty() ? "" : ",") + name + "=" + value;
  }
  scenario.settings = std::move(settings);
  return scenario;
}

KnownFailures parsed(std::string_view text) {
  auto known = KnownFailures::parse(text, "known.txt");
  EXPECT_TRUE(known) << known.error();
  return known.value_or(KnownFailures());
}

TEST(KnownFailures, AreFoundByPathAndById) {
  KnownFailures known = parsed("# a comment\n\n./a/login.json: bug 1\ngreeting: bug 2\n");
  EXPECT_EQ(known.reason(scenario_of("login"), "a/login.json", "fake"), "bug 1 (known.txt:3)");
  EXPECT_EQ(known.reason(scenario_of("greeting"), "./b.json", "real"), "bug 2 (known.txt:4)");
  EXPECT_EQ(known.reason(scenario_of("other"), "other.json", "real"), "");
}

TEST(KnownFailures, HoldOnTheirBackendAndRowOnly) {
  KnownFailures known = parsed("x [real]: bug 1\nx [transport=unix]: bug 2\n");
  EXPECT_EQ(known.reason(scenario_of("x"), "x.json", "fake"), "");
  EXPECT_EQ(known.reason(scenario_of("x"), "x.json", "real"), "bug 1 (known.txt:1)");
  const Scenario unix_row = scenario_of("x", {{"transport", "unix"}, {"loss", "5%"}});
  EXPECT_EQ(known.reason(unix_row, "x.json", "fake"), "bug 2 (known.txt:2)");
}

TEST(KnownFailures, AReasonMayHaveColons) {
  EXPECT_EQ(parsed("x: see: y\n").reason(scenario_of("x"), "x.json", "fake"),
            "see: y (known.txt:1)");
}

TEST(KnownFailures, TellWhichLinesAreAboutNothing) {
  KnownFailures known = parsed("x [wire]: a\nx: b\n/no/such/file.json: c\nelsewhere: d\n");
  known.reason(scenario_of("x"), "x.json", "real");
  EXPECT_THAT(known.stale(), ElementsAre("known.txt:1: it is about no run of 'x'",
                                         "known.txt:3: there is no file '/no/such/file.json'"));
  EXPECT_THAT(parsed("").stale(), IsEmpty());
}

TEST(KnownFailures, MistakesAreToldWithTheirLines) {
  EXPECT_EQ(KnownFailures::parse("\nnothing here\nx [moon]: y\n: z\n", "k").error(),
            "k:2: a line is SCENARIO [BACKEND] [ROW]: REASON\n"
            "k:3: '[moon]' is no backend and no row of a matrix\n"
            "k:4: the scenario's path or id is missing");
}

}  // namespace
}  // namespace netrig
