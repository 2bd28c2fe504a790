#include "harness/report/conformance.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace netrig {
namespace {

RunResult result_of(Verdict verdict, std::vector<std::string> spec,
                    const std::string& level = "must") {
  RunResult result;
  result.scenario = "x.json";
  result.verdict = verdict;
  result.spec = std::move(spec);
  result.level = level;
  return result;
}

Finding finding_about(std::vector<std::string> spec) {
  return {{{3, 1, 1}, "it differs", {}}, "client", "client.1", std::move(spec)};
}

nlohmann::json written(const std::vector<RunResult>& results) {
  const std::string path = testing::TempDir() + "conformance.json";
  auto reporter = open_conformance_reporter(path);
  EXPECT_TRUE(reporter);
  const SourceFile source("x.json", "{}");
  for (const RunResult& result : results) (*reporter)->result(result, source);
  EXPECT_EQ((*reporter)->finished({}), "");
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

TEST(Conformance, ARequirementFailsIfAnyRunFailsIt) {
  const auto json =
      written({result_of(Verdict::kPass, {"A 1", "A 2"}), result_of(Verdict::kXfail, {"A 1"}),
               result_of(Verdict::kUnsupported, {"A 3"})});
  EXPECT_EQ(json["summary"]["must"]["fail"], 1);
  EXPECT_EQ(json["summary"]["must"]["pass"], 1);
  EXPECT_EQ(json["summary"]["must"]["unsupported"], 1);
  EXPECT_EQ(json["requirements"][0]["spec"], "A 1");
  EXPECT_EQ(json["requirements"][0]["verdict"], "fail");
  EXPECT_EQ(json["requirements"][0]["runs"].size(), 2u);
  EXPECT_EQ(json["requirements"][2]["verdict"], "unsupported");
}

TEST(Conformance, LevelsAreKeptApart) {
  const auto json = written(
      {result_of(Verdict::kPass, {"A 1"}), result_of(Verdict::kDeviates, {"A 1"}, "should")});
  EXPECT_EQ(json["summary"]["must"]["pass"], 1);
  EXPECT_EQ(json["summary"]["should"]["fail"], 1);
}

// The step that failed names its requirement; of the others nothing is known.
TEST(Conformance, AFailedStepBlamesOnlyItsOwnRequirement) {
  RunResult result = result_of(Verdict::kFail, {});
  result.part_spec = {"A 1", "A 2"};
  result.findings = {finding_about({"A 2"})};
  const auto json = written({result});
  EXPECT_EQ(json["requirements"][0]["verdict"], "unknown");
  EXPECT_EQ(json["requirements"][1]["verdict"], "fail");
  EXPECT_EQ(json["requirements"][1]["runs"][0]["message"], "it differs");
}

TEST(Conformance, WithoutRequirementsTheReportIsEmptyButThere) {
  const auto json = written({result_of(Verdict::kPass, {})});
  EXPECT_TRUE(json["requirements"].empty());
  EXPECT_EQ(json["netrig_conformance"], 1);
}

}  // namespace
}  // namespace netrig
