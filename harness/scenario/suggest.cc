#include "harness/scenario/suggest.h"

#include <fmt/format.h>

namespace netrig {

namespace {

constexpr size_t kSearchedMax = 10'000;  // names among which a near one is searched for
constexpr size_t kToldMax = 100;

}  // namespace

Diagnostic unknown_among(Location at, std::string_view what, std::string_view name,
                         const std::vector<std::string>& known, size_t told) {
  if (told < kToldMax && known.size() <= kSearchedMax) return unknown_name(at, what, name, known);
  return {at, fmt::format("unknown {} '{}'", what, name), {}};
}

}  // namespace netrig
