#pragma once
// The signals that scenarios name, as signal(7) calls them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

const std::vector<std::string>& signal_names();              // "SIGTERM", ...
std::optional<int> signal_from_name(std::string_view name);  // empty: not one of these

}  // namespace netrig
