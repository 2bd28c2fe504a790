#include "harness/gtest/register_scenarios.h"

#include <gtest/gtest.h>
#include <memory>
#include <utility>

#include "harness/gtest/scenario_test_case.h"

namespace netrig {

namespace {

class ScenarioTest : public testing::Test {
 public:
  explicit ScenarioTest(std::shared_ptr<const ScenarioTestCase> test) : test_(std::move(test)) {}

 private:
  void TestBody() override {
    const std::string skipped = run_scenario_test(*test_);
    if (skipped.empty()) return;
    // GTEST_SKIP() would name this file.
    GTEST_MESSAGE_AT_(test_->path.c_str(), 1, skipped.c_str(), testing::TestPartResult::kSkip);
  }

  std::shared_ptr<const ScenarioTestCase> test_;
};

}  // namespace

size_t register_scenarios(const std::string& path, const ScenarioTestOptions& options) {
  std::vector<ScenarioTestCase> tests = plan_scenario_tests(path, options);
  for (ScenarioTestCase& one : tests) {
    auto test = std::make_shared<const ScenarioTestCase>(std::move(one));
    testing::RegisterTest(options.suite.c_str(), test->name.c_str(), nullptr, test->path.c_str(),
                          test->path.c_str(), 1,
                          [test]() -> testing::Test* { return new ScenarioTest(test); });
  }
  return tests.size();
}

}  // namespace netrig
