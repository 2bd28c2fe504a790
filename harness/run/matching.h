#pragma once
// Does a message fit what a matcher says of it? And if not, the best words for it: expected and
// actual in the same notation. The message is framed already, whole in memory; where it ends on a
// stream is the interpreter's business. Used for receives and for streams put together from a
// capture.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/run/render.h"
#include "harness/scenario/model.h"

namespace netrig {

// What named groups and `save` keep.
using Captures = std::map<std::string, Value>;

struct Mismatch {
  std::string message;               // "expected 18 octets, got only the first 12"
  std::vector<std::string> details;  // lines as in Diagnostic::details: the two values, aligned
};

// Checks the message against everything that the matcher says: framing (exact octets, length, ends
// with `until` and nowhere before, `line` without "\n" or "\r\n", parts one after the other) and
// conditions. Named groups of regular expressions and what parts save go to `captures` (may be
// null) if all of it matches. A variable without a value is a mismatch that says so.
std::optional<Mismatch> match_message(const Matcher& matcher, ByteView message,
                                      Variables& variables, uint64_t seed, Captures* captures);

// The words for two octet strings that differ: for a receive of exact octets that stopped at the
// first difference or at the end of the stream, `actual` is what came. `expected` and `actual` must
// differ.
Mismatch describe_difference(ByteView expected, ByteView actual);

}  // namespace netrig
