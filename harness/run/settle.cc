#include "harness/run/settle.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/run/verbs.h"

namespace netrig {

void settle_verdict(RunResult& result, const Scenario& scenario, const RunOptions& options) {
  const std::string& known = options.expected_failure;
  if (!known.empty() && result.verdict == Verdict::kFail) {
    result.verdict = Verdict::kXfail;
    result.reason = known;
  } else if (!known.empty() && result.verdict == Verdict::kPass) {
    result.verdict = Verdict::kXpass;
    result.reason = fmt::format("it passed, and was expected to fail: {}", known);
  } else if (result.verdict == Verdict::kFail && scenario.level != Level::kMust &&
             !options.strict) {
    result.verdict = Verdict::kDeviates;
  }
}

std::vector<std::string> requirements_of_parts(const Scenario& scenario) {
  std::vector<std::string> all;
  const auto add = [&](const std::vector<std::string>& spec) {
    for (const std::string& id : spec) {
      if (std::ranges::find(all, id) == all.end()) all.push_back(id);
    }
  };
  for (const Actor& actor : scenario.actors) {
    for_each_step(actor.steps, [&](const Step& step) { add(step.spec); });
    for_each_step(actor.each, [&](const Step& step) { add(step.spec); });
  }
  for (const Expectation& expectation : scenario.expectations) add(expectation.spec);
  return all;
}

}  // namespace netrig
