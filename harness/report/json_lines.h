#pragma once
// Results for programs: one JSON object a run and line, with keys and values as in result.json,
// those that matter to a script first. A broken file is a line too, with the verdict "broken" and
// its mistakes.

#include <expected>
#include <memory>
#include <string>

#include "harness/report/reporter.h"
#include "harness/report/terminal.h"

namespace netrig {

// Each line goes to the sink as it comes (standard output).
std::unique_ptr<Reporter> make_json_lines_reporter(TextSink sink);

// The file is opened at once: what cannot be written is told before the first run.
std::expected<std::unique_ptr<Reporter>, std::string> open_json_lines_reporter(
    const std::string& path);

}  // namespace netrig
