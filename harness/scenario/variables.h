#pragma once
// Variables that are known when a file is loaded: those of `vars` and of the matrix's row, as --set
// changed them, environment variables that the file asks for, and ${here}. All other names stay for
// the run and are not judged here.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/matrix.h"
#include "harness/scenario/node.h"
#include "harness/scenario/substitution.h"

namespace netrig {

// What is known from outside of the file.
struct GivenVariables {
  std::map<std::string, std::string> set;  // --set
  std::string folder;                      // ${here}
  std::function<std::optional<std::string>(const std::string&)> environment;
  MatrixRow row;
};

// Changes every string of the tree but those of `vars`, `env`, `matrix` and `$schema`; keys stay as
// they are. A name in `set` that the file does not have, or a value of another type than the
// file's, is a mistake without a place. `vars` stays in the tree, for who judges its shape. Answers
// the environment variables that were taken from outside ("env.PORT"), as --set takes them. The
// budget has overflowed if the tree is not worth to go on with.
std::vector<std::pair<std::string, std::string>> interpolate(Node& root,
                                                             const GivenVariables& given,
                                                             TextBudget& budget,
                                                             std::vector<Diagnostic>& mistakes);

// Whether a run gives this name by itself: i tmp seed, and here when the file is loaded.
bool is_given_name(std::string_view name);

}  // namespace netrig
