#pragma once
// What a call says of the requirements that its scenarios name (`spec`), for programs: one entry a
// requirement and level, with all the runs that it rests on. Written at the end, as one JSON
// object.
//
//   { "netrig_conformance": 1,
//     "summary": { "must": { "pass": 3, "fail": 1, "unsupported": 0, "unknown": 0 }, ... },
//     "requirements": [ { "spec": "RFC 1035 4.2.1", "level": "must", "verdict": "fail",
//                         "runs": [ { "scenario", "row", "backend", "seed", "verdict", "message" }
//                         ] } ] }
//
// A requirement's verdict: "fail" if any run fails it (expected failures too: what is known to be
// wrong is still wrong), else "pass" if any run passes it, else "unsupported" if none could run,
// else "unknown": no run came so far as to tell.

#include <expected>
#include <memory>
#include <string>

#include "harness/report/reporter.h"

namespace netrig {

// Of one requirement not more runs than these are written; all are counted.
inline constexpr size_t kConformanceRunsMax = 1000;

// The file is opened at once: what cannot be written is told before the first run.
std::expected<std::unique_ptr<Reporter>, std::string> open_conformance_reporter(
    const std::string& path);

// What one run says of a requirement: "pass", "fail", "unsupported", "unknown".
std::string conformance_verdict(const RunResult& result, const std::string& spec);

}  // namespace netrig
