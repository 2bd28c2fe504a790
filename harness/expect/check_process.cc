// How a process ended, and what it printed.

#include <algorithm>
#include <fmt/format.h>

#include "harness/expect/checks.h"
#include "harness/run/matching.h"

namespace netrig {

Findings check_process(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<ProcessExpectation>(expectation.what);
  const auto& all = evidence.processes();
  const auto found = std::ranges::find(all, expected.process, &ProcessOutcome::name);
  if (found == all.end() || !found->end) {
    return {finding_at(expectation.at, fmt::format("{} did not run to its end", expected.process))};
  }
  Findings findings;
  if (expected.exit && !fits(*expected.exit, *found->end)) {
    findings.push_back(
        finding_at(expected.exit->at, fmt::format("{} {}, and not with {}", expected.process,
                                                  found->end->words, describe(*expected.exit))));
  }
  const auto check = [&](const std::optional<Matcher>& matcher, const Bytes& printed,
                         const char* where) {
    if (!matcher) return;
    auto mismatch =
        match_message(*matcher, printed, evidence.variables(), evidence.seed(), nullptr);
    if (!mismatch) return;
    findings.push_back(finding_at(
        matcher->at, fmt::format("{} of {}: {}", where, expected.process, mismatch->message),
        std::move(mismatch->details)));
  };
  check(expected.out, found->output.out, "stdout");
  check(expected.errors, found->output.errors, "stderr");
  return findings;
}

}  // namespace netrig
