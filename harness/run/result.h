#pragma once
// How a run ended, as plain values: what reports print, what crosses from the sandbox to the
// parent, what result.json says. Converting to and from JSON lives beside it; judging and printing
// do not.

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/run/delivery.h"
#include "harness/scenario/source.h"

namespace netrig {

enum class Verdict : uint8_t {
  kPass,
  kFail,
  kUnsupported,  // this backend or machine cannot do what the scenario asks; `reason` says what
  kInvalid,      // the harness could not keep its promise; never to be read as pass or fail
  kError,        // it could not start, or netrig itself failed
  kSkipped,      // the scenario says `skip`
  kInterrupted,  // by a signal; what was known is written
  kFlaky,        // not right at first, and a pass when it was tried again (--retries)
  kNotRun,       // the time for the whole call was over; `reason` says so
  kXfail,        // failed, as `expected_failure` or the known failures say; `reason` is theirs
  kXpass,        // expected to fail, and passed: that is no longer true, and fails the call
  kDeviates,     // fails what is only a `should` or `may`: told, but it fails no call
};
std::string_view verdict_name(Verdict verdict);  // "pass", "fail", ...

// A difference between what the scenario says and what happened.
struct Finding {
  Diagnostic diagnostic;          // place in the scenario file, message, details
  std::string actor;              // instance, if one is to blame
  std::string step;               // Step::path, if one is to blame
  std::vector<std::string> spec;  // requirements that the step or expectation checks
};

// A run that was tried again (--retries): how it went before.
struct EarlierAttempt {
  Verdict verdict = Verdict::kFail;
  Location at;          // of its first finding; 0:0 without one
  std::string message;  // of that, or its reason
  std::string output;   // its folder
};

struct RunResult {
  std::string scenario;  // path as given on the command line
  std::string id;        // Scenario::id
  std::string name;
  std::string row;  // Scenario::row
  std::string level = "must";
  std::vector<std::string> spec;       // requirements that it checks as a whole
  std::vector<std::string> part_spec;  // requirements that single steps and expectations check
  std::vector<std::string> files;      // paths by Location::file; the scenario's is the first
  std::string backend;                 // "real"
  uint64_t seed = 0;
  Verdict verdict = Verdict::kError;
  std::string reason;  // one sentence for unsupported, invalid, error, skipped
  std::vector<Finding> findings;
  std::vector<DeliveryStatistics> delivery;  // latencies are reduced to min p50 p90 p99 max in JSON
  std::map<std::string, int64_t> counters;
  std::vector<std::string> notes;  // what the world adds, a sentence each: "the wire: TUN"
  std::map<std::string, std::string> processes;  // how each ended: "ended with exit status 0"
  std::string fingerprint;  // hex hash of what happened, without times; "" if the run did not start
  // On fake: hashes of the packets, in parts ("time", "link", "headers", "payload"), as hex.
  std::map<std::string, std::string> fingerprints;
  std::string output;    // folder of this run
  std::string capture;   // path of capture.pcapng; "" if there is none
  std::string again;     // the command that repeats it
  std::string ladder;    // the text ladder of what happened (ladder.txt)
  Duration duration{0};  // wall clock
  std::vector<EarlierAttempt> earlier;
};

std::string result_to_json(const RunResult& result);  // one line, without '\n'
std::expected<RunResult, std::string> result_from_json(std::string_view json);

}  // namespace netrig
