#include "harness/capture/gzip.h"

#include <algorithm>
#include <fmt/core.h>
#include <zlib.h>

#include "harness/base/quantity.h"

namespace netrig {
namespace {

constexpr size_t kStepBytes = size_t{256} << 10;
constexpr int kGzipWindowBits = 15 + 16;  // zlib.h, inflateInit2: gzip only

// Ends the zlib stream on every path.
struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipWindowBits) == Z_OK;
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

}  // namespace

bool looks_like_gzip(ByteView file) {
  return file.starts_with("\x1f\x8b");
}

std::expected<Bytes, std::string> gunzip(ByteView file, size_t limit,
                                         std::vector<std::string>& notes) {
  Inflater inflater;
  if (!inflater.ready) return std::unexpected("zlib does not start");
  z_stream& zlib = inflater.stream;
  Bytes out;
  Bytes step(kStepBytes, '\0');
  while (true) {
    if (zlib.avail_in == 0) {
      const size_t part = std::min<size_t>(file.size(), size_t{1} << 30);
      // zlib.h keeps next_in without const; inflate does not write there.
      zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
      zlib.avail_in = static_cast<uInt>(part);
      file.remove_prefix(part);
    }
    zlib.next_out = reinterpret_cast<Bytef*>(step.data());
    zlib.avail_out = static_cast<uInt>(step.size());
    const int status = inflate(&zlib, Z_NO_FLUSH);
    out.append(step, 0, step.size() - zlib.avail_out);
    if (out.size() > limit) {
      return std::unexpected(
          fmt::format("gzip: larger than {} after decompression", format_size(limit)));
    }
    if (status == Z_STREAM_END) {
      if (zlib.avail_in == 0 && file.empty()) return out;
      // RFC 1952 2.2: members follow one another. Anything else behind one is not data.
      if (*zlib.next_in != 0x1f) {
        notes.emplace_back("gzip: what follows the compressed data was not read");
        return out;
      }
      inflateReset(&zlib);
    } else if (status == Z_BUF_ERROR && zlib.avail_in == 0 && file.empty()) {
      notes.emplace_back("gzip: the compressed data is cut off");
      return out;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      notes.push_back(fmt::format("gzip: the compressed data is damaged after {}{}{}",
                                  format_size(out.size()), zlib.msg != nullptr ? ": " : "",
                                  zlib.msg != nullptr ? zlib.msg : ""));
      return out;
    }
  }
}

}  // namespace netrig
