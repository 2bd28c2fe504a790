#include "harness/scenario/matrix.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "harness/base/text.h"
#include "harness/scenario/setting.h"
#include "harness/scenario/substitution.h"

namespace netrig {

namespace {

using Settings = std::map<std::string, std::string>;
using Combination = std::vector<Member>;  // a row's variables with their values

constexpr const char* kExclude = "exclude";

struct Axis {
  const Member* variable = nullptr;
  std::vector<Node> values;
};

// One row's name: a word that can also be a folder's name.
std::string name_of(const MatrixRow& row) {
  std::string name;
  for (const auto& [variable, value] : row.settings) {
    name += fmt::format("{}{}=", name.empty() ? "" : ",", variable);
    for (const char c : value.substr(0, 40)) {
      const bool plain = std::isalnum(static_cast<unsigned char>(c)) ||
                         std::string_view("._%+:-").find(c) != std::string_view::npos;
      name += plain ? c : '-';
    }
  }
  return name.substr(0, 150);
}

class Rows {
 public:
  Rows(const Settings& set, std::vector<Diagnostic>& mistakes) : set_(set), mistakes_(mistakes) {}

  void multiply(const Member& matrix);
  void list(const Member& matrix);
  std::vector<MatrixRow> take() { return std::move(rows_); }

 private:
  std::vector<Axis> axes_of(const Node& matrix);
  void pin(Axis& axis);
  void add(const Combination& combination);
  void judge_exclusions(const Member& matrix, const std::vector<Axis>& axes);
  void none_left(const Member& matrix, const Combination& instead);

  const Settings& set_;
  std::vector<Diagnostic>& mistakes_;
  std::vector<MatrixRow> rows_;
  std::set<std::string> names_;
};

// A variable that has one value more than once would give two runs of one name.
std::vector<Axis> Rows::axes_of(const Node& matrix) {
  std::vector<Axis> axes;
  for (const Member& member : matrix.members) {
    if (member.key == kExclude) continue;
    Axis axis{&member, {}};
    std::set<std::string> seen;
    for (const Node& value : member.value.elements) {
      if (!is_scalar(value)) continue;
      if (!seen.insert(setting_of(value)).second) {
        mistakes_.push_back({value.at, fmt::format("'{}' has this value already", member.key), {}});
        continue;
      }
      axis.values.push_back(value);
    }
    if (axis.values.empty()) continue;
    pin(axis);
    axes.push_back(std::move(axis));
  }
  return axes;
}

void Rows::pin(Axis& axis) {
  const auto set = set_.find(axis.variable->key);
  if (set == set_.end()) return;
  const auto listed = std::ranges::find(axis.values, set->second,
                                        [](const Node& value) { return setting_of(value); });
  std::optional<Node> value =
      listed != axis.values.end() ? *listed : set_value(axis.values.front(), set->second);
  if (!value) {
    mistakes_.push_back({Location{},
                         fmt::format("--set {}={}: the matrix has {} for it", set->first,
                                     set->second, kind_name(axis.values.front().kind)),
                         {}});
    value = axis.values.front();
  }
  axis.values = {*value};
}

void Rows::add(const Combination& combination) {
  MatrixRow row;
  row.values = combination;
  for (const Member& member : combination) {
    row.settings.emplace_back(member.key, setting_of(member.value));
  }
  row.name = name_of(row);
  // Names are cut and have no odd characters: two rows may come to have one.
  for (size_t number = 2; !names_.insert(row.name).second; ++number) {
    row.name = fmt::format("{}~{}", name_of(row), number);
  }
  rows_.push_back(std::move(row));
}

bool fits(const Node& exclusion, const Combination& combination) {
  return std::ranges::all_of(exclusion.members, [&](const Member& member) {
    const auto own = std::ranges::find(combination, member.key, &Member::key);
    return own != combination.end() && setting_of(own->value) == setting_of(member.value);
  });
}

// An exclusion that excludes nothing is a typing mistake.
void Rows::judge_exclusions(const Member& matrix, const std::vector<Axis>& axes) {
  const Member* exclude = matrix.value.find(kExclude);
  if (exclude == nullptr) return;
  for (const Node& exclusion : exclude->value.elements) {
    for (const Member& member : exclusion.members) {
      std::vector<std::string> names;
      for (const Axis& axis : axes) names.push_back(axis.variable->key);
      const auto axis =
          std::ranges::find(axes, member.key, [](const Axis& one) { return one.variable->key; });
      if (axis == axes.end()) {
        mistakes_.push_back(
            unknown_name(member.key_at, "variable of the matrix", member.key, names));
        continue;
      }
      std::vector<std::string> values;
      for (const Node& value : axis->variable->value.elements) {
        values.push_back(setting_of(value));
      }
      if (is_scalar(member.value) &&
          std::ranges::find(values, setting_of(member.value)) == values.end()) {
        mistakes_.push_back({member.value.at,
                             fmt::format("'{}' never has this value", member.key),
                             {"it has " + join_or(values)}});
      }
    }
  }
}

// One row is needed to judge the rest of the file by.
void Rows::none_left(const Member& matrix, const Combination& instead) {
  if (!rows_.empty()) return;
  mistakes_.push_back({matrix.key_at, "no row of the matrix is left", {}});
  add(instead);
}

Combination combination_of(const std::vector<Axis>& axes, size_t rows, size_t number) {
  Combination combination;
  size_t below = rows;
  for (const Axis& axis : axes) {
    below /= axis.values.size();
    combination.push_back({axis.variable->key, axis.variable->key_at,
                           axis.values[number / below % axis.values.size()]});
  }
  return combination;
}

// Their product, as far as it is not past the limit.
std::optional<size_t> count_rows(const std::vector<Axis>& axes) {
  size_t rows = 1;
  for (const Axis& axis : axes) {
    rows *= axis.values.size();
    if (rows > kMatrixRowsMax) return std::nullopt;
  }
  return rows;
}

void Rows::multiply(const Member& matrix) {
  const std::vector<Axis> axes = axes_of(matrix.value);
  if (axes.empty()) return;
  const std::optional<size_t> rows = count_rows(axes);
  if (!rows) {
    double all = 1;
    for (const Axis& axis : axes) all *= static_cast<double>(axis.values.size());
    mistakes_.push_back(
        {matrix.key_at,
         fmt::format("the matrix has {:.15g} rows, {} are the limit", all, kMatrixRowsMax),
         {"--set pins one of its variables; two scenarios may be clearer"}});
    Combination first;
    for (const Axis& axis : axes) {
      first.push_back({axis.variable->key, axis.variable->key_at, axis.values.front()});
    }
    return add(first);
  }
  judge_exclusions(matrix, axes);
  const Member* exclude = matrix.value.find(kExclude);
  for (size_t number = 0; number < *rows; ++number) {
    const Combination combination = combination_of(axes, *rows, number);
    const bool excluded = exclude != nullptr &&
                          std::ranges::any_of(exclude->value.elements, [&](const Node& exclusion) {
                            return !exclusion.members.empty() && fits(exclusion, combination);
                          });
    if (!excluded) add(combination);
  }
  none_left(matrix, combination_of(axes, *rows, 0));
}

Settings settings_of(const Combination& combination) {
  Settings settings;
  for (const Member& member : combination) settings.emplace(member.key, setting_of(member.value));
  return settings;
}

void Rows::list(const Member& matrix) {
  if (matrix.value.elements.size() > kMatrixRowsMax) {
    mistakes_.push_back({matrix.key_at,
                         fmt::format("the matrix has {} rows, {} are the limit",
                                     matrix.value.elements.size(), kMatrixRowsMax),
                         {}});
    return;
  }
  const Node* first = nullptr;
  std::set<Settings> seen;  // --set could not tell two of them apart
  for (const Node& row : matrix.value.elements) {
    if (row.members.empty()) continue;
    first = first == nullptr ? &row : first;
    Combination combination;
    for (const Member& member : row.members) {
      if (is_scalar(member.value)) combination.push_back(member);
    }
    const bool alike =
        std::ranges::is_permutation(row.members, first->members, {}, &Member::key, &Member::key);
    if (!alike) {
      mistakes_.push_back({row.at, "a row of the matrix with other variables than the first", {}});
    }
    if (!seen.insert(settings_of(combination)).second) {
      mistakes_.push_back({row.at, "the matrix has this row already", {}});
      continue;
    }
    const bool pinned = std::ranges::all_of(combination, [&](const Member& member) {
      const auto set = set_.find(member.key);
      return set == set_.end() || set->second == setting_of(member.value);
    });
    if (pinned) add(combination);
  }
  if (first != nullptr) none_left(matrix, first->members);
}

}  // namespace

std::vector<MatrixRow> matrix_rows(const Node& root, const Settings& set,
                                   std::vector<Diagnostic>& mistakes) {
  Rows rows(set, mistakes);
  if (const Member* matrix = root.find("matrix")) {
    if (matrix->value.kind == Node::Kind::kObject) rows.multiply(*matrix);
    if (matrix->value.kind == Node::Kind::kArray) rows.list(*matrix);
  }
  std::vector<MatrixRow> all = rows.take();
  if (all.empty()) all.emplace_back();
  return all;
}

}  // namespace netrig
