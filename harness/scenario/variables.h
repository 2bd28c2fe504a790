#pragma once
// Variables that are known when a file is loaded: those of `vars`, as --set changed them, and
// ${here}. They are put into the tree after parsing, so they never break the JSON; a string that is
// nothing but
// `${x}` becomes the value with its type. All other names stay for the run and are not judged here.

#include <map>
#include <string>
#include <vector>

#include "harness/scenario/node.h"

namespace netrig {

inline constexpr size_t kInterpolatedBytesMax = size_t{64} << 20;  // of a whole file

// Changes every string of the tree but those of `vars` and `$schema`; keys stay as they are.
// `folder` is the value of ${here}. A name in `set` that `vars` does not have, or a value of
// another type than the file's, is a mistake without a place. `vars` stays in the tree, for who
// judges its shape. False if the limit above was passed and the tree is not worth to go on with.
bool interpolate(Node& root, const std::map<std::string, std::string>& set,
                 const std::string& folder, std::vector<Diagnostic>& mistakes);

// Whether a run gives this name by itself: i tmp seed, and here when the file is loaded.
bool is_given_name(std::string_view name);

}  // namespace netrig
