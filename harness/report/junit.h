#pragma once
// Results as JUnit XML for CI servers: one <testcase> a run and one a broken file. Written as the
// results arrive, so a long campaign takes no memory; the counts in the head are filled in at the
// end.

#include <expected>
#include <memory>
#include <string>

#include "harness/report/reporter.h"

namespace netrig {

// The file is opened at once: what cannot be written is told before the first run.
std::expected<std::unique_ptr<Reporter>, std::string> open_junit_reporter(const std::string& path);

}  // namespace netrig
