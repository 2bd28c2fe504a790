#include "harness/cli/console.h"

#include <cerrno>
#include <unistd.h>

#include "harness/base/errno.h"

namespace netrig {

namespace {

// 0, or the errno value.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

void Console::out(std::string_view text) {
  if (errno_ == 0) errno_ = write_all(STDOUT_FILENO, text);
}

// Nowhere is left to complain about standard error.
void Console::error(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

std::string Console::why() const {
  if (errno_ == 0 || errno_ == EPIPE) return "";
  return "cannot write standard output: " + Errno(errno_).text();
}

bool Console::out_is_terminal() {
  return ::isatty(STDOUT_FILENO) != 0;
}
bool Console::error_is_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

}  // namespace netrig
