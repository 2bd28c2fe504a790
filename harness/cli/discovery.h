#pragma once
// From the paths of a command line to the scenario files they mean. Names only: nothing is opened
// but folders.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace netrig {

// A file counts as it is, also if it does not exist (reading it will say so); a folder is searched
// for
// *.json, in order of path, without the folders "schema", "out" and those that start with a dot,
// and without following links to folders. A file that is named twice counts once. No path means the
// folder "scenarios". Files of parts (*.parts.json) are no scenarios: only with kParts they are
// found in folders. The error is a sentence.
enum class Discover : uint8_t { kScenarios, kParts };
std::expected<std::vector<std::string>, std::string> discover(const std::vector<std::string>& paths,
                                                              Discover what = Discover::kScenarios);

}  // namespace netrig
