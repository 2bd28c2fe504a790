#include "harness/scenario/payload_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/errno.h"
#include "harness/base/fd.h"

namespace netrig {

namespace {

std::unexpected<std::string> cannot_read(int error) {
  if (error == ENOENT) return std::unexpected(std::string("no such file"));
  return std::unexpected(fmt::format("it cannot be read: {}", Errno(error).text()));
}

std::expected<Fd, std::string> open_regular(const std::string& path, struct stat& status) {
  // A pipe without a writer must not hold us up (open(2): O_NONBLOCK).
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return cannot_read(errno);
  if (::fstat(file.get(), &status) != 0) return cannot_read(errno);
  if (S_ISDIR(status.st_mode)) return std::unexpected(std::string("it is a directory"));
  if (!S_ISREG(status.st_mode)) return std::unexpected(std::string("it is not a regular file"));
  return file;
}

std::expected<Bytes, std::string> read_from(const Fd& file, off_t start, size_t octets_max) {
  Bytes bytes;
  constexpr size_t kStep = size_t{64} << 10;
  while (bytes.size() < octets_max) {
    size_t done = bytes.size();
    bytes.resize(std::min(octets_max, done + std::max(kStep, done)));
    ssize_t got = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                          start + static_cast<off_t>(done));
    if (got < 0 && errno != EINTR) return cannot_read(errno);
    bytes.resize(done + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return bytes;
}

}  // namespace

std::expected<Bytes, std::string> read_payload_file(const std::string& folder,
                                                    const std::string& path,
                                                    const Range<int64_t>& range,
                                                    size_t octets_max) {
  if (path.find('\0') != std::string::npos)
    return std::unexpected(std::string("its name holds a NUL"));
  std::error_code error;
  const std::filesystem::path home =
      std::filesystem::canonical(folder.empty() ? "." : folder, error);
  if (error) return cannot_read(error.value());
  const std::filesystem::path real = std::filesystem::canonical(home / path, error);
  if (error) return cannot_read(error.value());
  auto [home_end, ignored] = std::mismatch(home.begin(), home.end(), real.begin(), real.end());
  if (home_end != home.end())
    return std::unexpected(std::string("it is outside of the scenario's folder"));
  struct stat status{};
  auto file = open_regular(real.string(), status);
  if (!file) return std::unexpected(file.error());
  if (range.low > status.st_size ||
      (range.high != std::numeric_limits<int64_t>::max() && range.high >= status.st_size)) {
    return std::unexpected(fmt::format("it has only {} octets", status.st_size));
  }
  const int64_t end = std::min<int64_t>(range.high, status.st_size - 1) + 1;
  const uint64_t wanted = static_cast<uint64_t>(std::max<int64_t>(end - range.low, 0));
  if (wanted > octets_max) {
    return std::unexpected(fmt::format("{} octets are too many, {} are left", wanted, octets_max));
  }
  return read_from(*file, range.low, wanted);
}

std::expected<Bytes, std::string> read_regular_file(const std::string& path, size_t octets_max) {
  struct stat status{};
  auto file = open_regular(path, status);
  if (!file) return std::unexpected(file.error());
  auto too_large = [&](const std::string& size) {
    return std::unexpected(
        fmt::format("it has {}, {} are the limit", size, format_size(octets_max)));
  };
  if (status.st_size > 0 && static_cast<uint64_t>(status.st_size) > octets_max) {
    return too_large(fmt::format("{} octets", status.st_size));
  }
  // Files of /proc have no size, and any file may grow while it is read.
  auto bytes = read_from(*file, 0, octets_max + 1);
  if (bytes && bytes->size() > octets_max) return too_large("more");
  return bytes;
}

}  // namespace netrig
