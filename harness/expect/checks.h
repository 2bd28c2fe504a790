#pragma once
// One function a kind of expectation, each in a file of its own. All answer nothing if the
// expectation holds. Each is called with an expectation of its own kind only (expect.cc has the
// table).

#include <vector>

#include "harness/expect/evidence.h"
#include "harness/run/result.h"
#include "harness/scenario/model.h"

namespace netrig {

using Findings = std::vector<Finding>;

Findings check_capture(const Expectation& expectation, Evidence& evidence);
Findings check_order(const Expectation& expectation, Evidence& evidence);
Findings check_time(const Expectation& expectation, Evidence& evidence);
Findings check_delivery(const Expectation& expectation, Evidence& evidence);
Findings check_latency(const Expectation& expectation, Evidence& evidence);
Findings check_connections(const Expectation& expectation, Evidence& evidence);
Findings check_stream(const Expectation& expectation, Evidence& evidence);
Findings check_process(const Expectation& expectation, Evidence& evidence);

// Said where a bound was multiplied by --time-scale; nothing where it was not.
inline std::vector<std::string> scaled_note(const Evidence& evidence) {
  if (evidence.time_scale().is_one()) return {};
  return {"upper bounds times " + evidence.time_scale().text() + " by --time-scale"};
}

// A finding that no actor is to blame for.
inline Finding finding_at(Location at, std::string message, std::vector<std::string> details = {}) {
  return Finding{Diagnostic{at, std::move(message), std::move(details)}, "", ""};
}

}  // namespace netrig
