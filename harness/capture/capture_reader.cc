#include "harness/capture/capture_reader.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <utility>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/base/quantity.h"
#include "harness/capture/gzip.h"
#include "harness/capture/pcap_file.h"
#include "harness/capture/pcapng_file.h"
#include "harness/capture/recording_builder.h"

namespace netrig {
namespace {

constexpr size_t kReadStep = size_t{1} << 20;

std::expected<Bytes, std::string> read_all(int descriptor) {
  Bytes file;
  while (true) {
    const size_t before = file.size();
    file.resize(before + kReadStep);
    const ssize_t got = ::read(descriptor, file.data() + before, kReadStep);
    const int error = errno;
    file.resize(before + static_cast<size_t>(got > 0 ? got : 0));
    if (got == 0) return file;
    if (got < 0 && error != EINTR) {
      return std::unexpected(fmt::format("cannot be read: {}", Errno(error).text()));
    }
    if (file.size() > kCaptureBytesMax) {
      return std::unexpected(fmt::format("larger than {}", format_size(kCaptureBytesMax)));
    }
  }
}

}  // namespace

std::expected<Recording, std::string> read_capture_file(const std::string& path) {
  const bool standard_input = path == "-";
  const Fd opened(standard_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!standard_input && !opened) {
    return std::unexpected(fmt::format("cannot be opened: {}", Errno(errno).text()));
  }
  const auto file = read_all(standard_input ? STDIN_FILENO : opened.get());
  if (!file) return std::unexpected(file.error());
  return parse_capture(*file);
}

std::expected<Recording, std::string> parse_capture(ByteView file) {
  if (file.empty()) return std::unexpected("not a capture: it is empty");
  RecordingBuilder builder;
  Bytes unpacked;
  if (looks_like_gzip(file)) {
    std::vector<std::string> notes;
    auto result = gunzip(file, kCaptureBytesMax, notes);
    if (!result) return std::unexpected(result.error());
    unpacked = std::move(*result);
    file = unpacked;
    for (std::string& note : notes) builder.note(std::move(note));
    if (file.size() < 4) return std::unexpected("not a capture: nothing in it can be decompressed");
  }
  if (looks_like_pcap(file)) {
    read_pcap(file, builder);
  } else if (looks_like_pcapng(file)) {
    read_pcapng(file, builder);
  } else {
    return std::unexpected(
        fmt::format("not a capture: starts with {}", format_hex(file.substr(0, 4))));
  }
  return std::move(builder).finish();
}

}  // namespace netrig
