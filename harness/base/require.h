#pragma once
// Assertions that stay on in every build: what only a bug in netrig can break. What the world or
// the user can do wrong is never asserted, it is a value or a diagnostic.

namespace netrig {

[[noreturn]] void require_failed(const char* condition, const char* file, int line);

}  // namespace netrig

#define NETRIG_REQUIRE(condition)         \
  (static_cast<bool>(condition) ? void(0) \
                                : ::netrig::require_failed(#condition, __FILE__, __LINE__))
