#include "harness/cli/output_folder.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>
#include <system_error>
#include <unistd.h>

#include "harness/base/errno.h"

namespace netrig {

namespace {

namespace fs = std::filesystem;

// DESIGN section 4 names them.
constexpr std::array<std::string_view, 4> kOwnFiles{"result.json", "journal.jsonl",
                                                    "capture.pcapng", "ladder.txt"};

std::string cannot_write(const std::string& path, int error) {
  return fmt::format("cannot write {}: {}", path, Errno(error).text());
}

}  // namespace

std::string prepare_output_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  // A path that ends in a file is no error for some versions of create_directories.
  if (!error && !fs::is_directory(path, error)) return cannot_write(path, ENOTDIR);
  if (error) return cannot_write(path, error.value());
  if (::access(path.c_str(), W_OK | X_OK) != 0) return cannot_write(path, errno);
  for (std::string_view name : kOwnFiles) {
    fs::path file = fs::path(path) / name;
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return cannot_write(file.string(), errno);
  }
  return "";
}

}  // namespace netrig
