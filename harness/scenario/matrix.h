#pragma once
// The rows of a scenario's `matrix`: the product of its variables' values without the excluded
// combinations, or the rows as they are listed. Each row is a run of its own. --set on a variable
// of the matrix pins it: only rows with that value are left, or one with a value of its own.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/scenario/node.h"

namespace netrig {

inline constexpr size_t kMatrixRowsMax = 10'000;

struct MatrixRow {
  std::string name;            // "transport=unix,loss=5%"; empty without a matrix
  std::vector<Member> values;  // in the file's order
  // As --set takes them: reading the file with these gives this row alone.
  std::vector<std::pair<std::string, std::string>> settings;
};

// The rows in order, the last variable changing fastest. A file without a matrix has one without
// values; so has one whose matrix is a mistake. What has not the shape that the format table asks
// for is left out, others tell about it.
std::vector<MatrixRow> matrix_rows(const Node& root, const std::map<std::string, std::string>& set,
                                   std::vector<Diagnostic>& mistakes);

}  // namespace netrig
