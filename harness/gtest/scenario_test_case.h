#pragma once
// One test made of a scenario: what it is called, and what it does when GoogleTest runs it. Reading
// the files is over by then.

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "harness/cli/plan.h"
#include "harness/gtest/register_scenarios.h"

namespace netrig {

// Nothing could be planned: why, in a sentence.
struct NoScenario {
  std::string reason;
};

struct ScenarioTestCase {
  std::string name;
  std::string path;  // of the file
  std::variant<PlannedRun, BrokenFile, NoScenario> what;
};

// At least one.
std::vector<ScenarioTestCase> plan_scenario_tests(const std::string& path,
                                                  const ScenarioTestOptions& options);

// Plays it and tells GoogleTest what came of it: failures at their lines of the file, or a skip.
// Answers the reason for a skip; empty without one.
std::string run_scenario_test(const ScenarioTestCase& test);

// A finished run told to GoogleTest, as above.
std::string tell_result(const RunResult& result, const SourceFile& source);

// "udp-loss/fake-7" -> "udp_loss/fake_7": '-', '*', '?', ':', '.' and white space mean something in
// --gtest_filter and to CTest.
std::string test_name(const std::string& text);

}  // namespace netrig
