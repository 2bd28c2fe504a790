#pragma once
// What the operating system, real or simulated, can answer instead of a result: an errno value with
// its name. Two pseudo-values that scenarios may also name stand beside them: TIMEOUT (a step's
// deadline passed) and EOF (the peer closed). This file makes no system call and never reads
// `errno` itself.

#include <cerrno>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

class Errno {
 public:
  constexpr Errno() = default;
  // `value`: an errno number of this platform, > 0.
  constexpr explicit Errno(int value) : value_(value) {}

  static constexpr Errno timeout() { return Errno(kTimeout); }
  static constexpr Errno eof() { return Errno(kEof); }

  // "ECONNREFUSED", "TIMEOUT", "EOF"; nothing for an unknown name. EWOULDBLOCK is EAGAIN, ENOTSUP
  // is EOPNOTSUPP, EDEADLOCK is EDEADLK.
  static std::optional<Errno> from_name(std::string_view name);
  // Every name that from_name takes, sorted: for suggestions and for the schema.
  static const std::vector<std::string>& names();

  constexpr int value() const { return value_; }
  // "ECONNREFUSED"; "errno 4711" for a number without a name.
  std::string name() const;
  // strerror's English text: "Connection refused".
  std::string text() const;

  friend constexpr bool operator==(Errno, Errno) = default;

 private:
  static constexpr int kTimeout = -1;
  static constexpr int kEof = -2;
  int value_ = 0;
};

template <typename T>
using Result = std::expected<T, Errno>;

inline std::unexpected<Errno> fail_with(int errno_value) {
  return std::unexpected(Errno(errno_value));
}
inline std::unexpected<Errno> fail_with(Errno error) {
  return std::unexpected(error);
}

}  // namespace netrig
