#pragma once
// Judges a located JSON tree against the format table: unknown, missing, clashing keys, wrong
// types, values out of range, malformed durations, sizes, ranges, rates, probabilities, hex,
// base64, names of errno values, options, flags and poll events. Everything that one value and its
// neighbours in the same object can tell. What needs the rest of the file (names of actors, hosts,
// sockets and variables), a parser of its own (addresses, regular expressions, filters) or the disk
// is judged when the model is built, so no mistake is told twice.
//
// Runs after `vars` were put in and before `ladder` is expanded. Text may still hold `${...}`:
// where the table allows names that only a run knows it is taken as it is, elsewhere it is a
// mistake (told with the nearest of `vars`).

#include <vector>

#include "harness/scenario/node.h"
#include "harness/scenario/source.h"

namespace netrig {

enum class FileKind : uint8_t {
  kScenario,
  kParts,         // for other files to use: only `parts` is required
  kExpectations,  // for `netrig verify`: neither a name nor actors are required, `expect` is
};

// Appends every mistake, in the file's order. If nothing was appended the tree has the table's
// shape, so that building the model needs no further checks of kinds, required keys and quantities.
void validate(const Node& root, std::vector<Diagnostic>& mistakes,
              FileKind kind = FileKind::kScenario);

// The value of `parts` in a file that another one uses. Whoever uses a part gives values to its
// variables, so text with a variable is taken wherever it stands in a part.
void validate_parts(const Node& parts, std::vector<Diagnostic>& mistakes);

}  // namespace netrig
