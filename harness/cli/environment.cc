#include "harness/cli/environment.h"

#include <cstdlib>

namespace netrig {

ReadOptions with_environment(ReadOptions options) {
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return options;
}

}  // namespace netrig
