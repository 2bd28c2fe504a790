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

// A finding that no actor is to blame for.
inline Finding finding_at(Location at, std::string message, std::vector<std::string> details = {}) {
  return Finding{Diagnostic{at, std::move(message), std::move(details)}, "", ""};
}

}  // namespace netrig
