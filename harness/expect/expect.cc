#include "harness/expect/expect.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "harness/expect/checks.h"

namespace netrig {

namespace {

struct Kind {
  const char* name;
  bool needs_run;  // cannot be told from a recording alone
  Findings (*check)(const Expectation& expectation, Evidence& evidence);
};

// In the order of Expectation::what.
constexpr Kind kKinds[] = {
    {"capture", false, check_capture}, {"order", false, check_order},
    {"time", false, check_time},       {"delivery", true, check_delivery},
    {"latency", true, check_latency},  {"connections", true, check_connections},
    {"stream", false, check_stream},   {"process", true, check_process},
};
static_assert(std::size(kKinds) == std::variant_size_v<decltype(Expectation::what)>);

Findings judge(Evidence& evidence) {
  Findings all;
  for (const Expectation& expectation : evidence.scenario().expectations) {
    const Kind& kind = kKinds[expectation.what.index()];
    Findings findings;
    if (kind.needs_run && evidence.run() == nullptr) {
      findings.push_back(finding_at(
          expectation.at, fmt::format("'{}' cannot be checked without a run", kind.name)));
    } else {
      findings = kind.check(expectation, evidence);
    }
    for (Finding& finding : findings) finding.spec = expectation.spec;
    // A kind goes through its keys by name; the reader of the findings reads the file.
    std::ranges::stable_sort(findings, {}, [](const Finding& finding) {
      return std::pair(finding.diagnostic.at.line, finding.diagnostic.at.column);
    });
    std::ranges::move(findings, std::back_inserter(all));
  }
  return all;
}

}  // namespace

std::vector<Finding> judge_run(const FinishedRun& run) {
  Evidence evidence(run);
  return judge(evidence);
}

std::vector<Finding> judge_recording(const Scenario& expectations, const Recording& recording) {
  Evidence evidence(expectations, recording);
  return judge(evidence);
}

}  // namespace netrig
