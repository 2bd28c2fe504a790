#pragma once
// The text ladder of a run: who sent what to whom, top to bottom, as people draw it in bug reports.
// One column an actor instance (at most 8; busier runs list the rest in words), one row an event,
// times on the left, lost datagrams as `--x`, the failing step marked. Pure text from a journal.

#include <string>

#include "harness/run/journal.h"
#include "harness/run/result.h"

namespace netrig {

// At most `rows` rows; what was left out is said ("... 1960 events left out"), keeping the last
// rows.
std::string ladder_text(const Journal& journal, const std::vector<Finding>& findings,
                        size_t rows = 60);

}  // namespace netrig
