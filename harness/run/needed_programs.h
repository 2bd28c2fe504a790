#pragma once
// The programs that a scenario `needs`: which of them is not on this machine, and the Debian
// package that has it. Nothing is started here.

#include <optional>
#include <string>
#include <string_view>

#include "harness/scenario/model.h"

namespace netrig {

// "redis-server is not installed (Debian package redis-server)", of the first that is missing;
// nothing if all are there. `path`: as in the environment; the folders of servers are added.
std::optional<std::string> missing_program(const Scenario& scenario, std::string_view path);

// The Debian 12 package that has the program, for well-known ones; "" for others.
std::string_view debian_package(std::string_view program);

}  // namespace netrig
