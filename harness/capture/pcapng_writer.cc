#include "harness/capture/pcapng_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <unistd.h>

#include "harness/base/require.h"
#include "harness/base/text.h"
#include "harness/capture/byte_order.h"

namespace netrig {
namespace {

// Block types and option codes of draft-ietf-opsawg-pcapng, sections 4 and 3.5.
constexpr uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint16_t kOptionEnd = 0;
constexpr uint16_t kOptionComment = 1;
constexpr uint16_t kOptionUserApplication = 4;
constexpr uint16_t kOptionInterfaceName = 2;
constexpr uint16_t kOptionTimestampResolution = 9;

constexpr size_t kBufferBytes = size_t{256} << 10;
constexpr size_t kOptionBytesMax = 65535;

void pad_to_four(Bytes& out) {
  out.append((4 - out.size() % 4) % 4, '\0');
}

// Options that hold text are UTF-8 (section 3.5): what is not is replaced, what is too long is cut.
Bytes option_text(std::string_view text) {
  Bytes clean;
  for (auto bad = first_invalid_utf8(text); bad; bad = first_invalid_utf8(text)) {
    clean.append(text.substr(0, *bad)).append("?");
    text.remove_prefix(*bad + 1);
  }
  clean.append(text);
  size_t length = std::min(clean.size(), kOptionBytesMax);
  while (length < clean.size() && length > 0 && (octet_at(clean, length) & 0xc0) == 0x80) --length;
  clean.resize(length);
  return clean;
}

size_t padded(size_t size) {
  return (size + 3) / 4 * 4;
}

// In little-endian order, as append_u32.
void append_words(Bytes& out, std::initializer_list<uint32_t> words) {
  std::array<char, 32> octets{};
  size_t size = 0;
  for (const uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) octets[size++] = static_cast<char>(word >> shift);
  }
  out.append(octets.data(), size);
}

void append_option(Bytes& out, uint16_t code, ByteView value) {
  append_u16(out, code);
  append_u16(out, static_cast<uint16_t>(value.size()));
  out.append(value);
  pad_to_four(out);
}

void append_end_of_options(Bytes& out) {
  append_u16(out, kOptionEnd);
  append_u16(out, 0);
}

}  // namespace

PcapngWriter::PcapngWriter(Fd file, std::string_view application) : file_(std::move(file)) {
  if (!file_) status_ = fail_with(EBADF);
  Bytes body;
  append_u32(body, 0x1A2B3C4D);  // byte-order magic
  append_u16(body, 1);           // version 1.0
  append_u16(body, 0);
  append_u32(body, 0xffffffff);  // section length: not specified
  append_u32(body, 0xffffffff);
  append_option(body, kOptionUserApplication, option_text(application));
  append_end_of_options(body);
  block(kSectionHeader, body);
}

PcapngWriter::~PcapngWriter() {
  flush();
}

PcapngWriter::PcapngWriter(PcapngWriter&& other) noexcept
    : file_(std::move(other.file_)),
      buffer_(std::exchange(other.buffer_, {})),
      interfaces_(other.interfaces_),
      packets_(other.packets_),
      status_(std::move(other.status_)) {}

PcapngWriter& PcapngWriter::operator=(PcapngWriter&& other) noexcept {
  if (this != &other) {
    flush();
    file_ = std::move(other.file_);
    buffer_ = std::exchange(other.buffer_, {});
    interfaces_ = other.interfaces_;
    packets_ = other.packets_;
    status_ = std::move(other.status_);
  }
  return *this;
}

uint32_t PcapngWriter::add_interface(std::string_view name) {
  Bytes body;
  append_u16(body, kLinkTypeRaw);
  append_u16(body, 0);  // reserved
  append_u32(body, 0);  // snap length: no limit
  append_option(body, kOptionInterfaceName, option_text(name));
  append_option(body, kOptionTimestampResolution, "\x09");  // 10^-9 s
  append_end_of_options(body);
  block(kInterfaceDescription, body);
  return interfaces_++;
}

// Straight into the buffer: captures of simulated worlds write millions of packets.
void PcapngWriter::write(const CapturedPacket& packet) {
  NETRIG_REQUIRE(packet.interface < interfaces_);
  // Timestamps are unsigned since 1970: an earlier time cannot be said.
  const auto time = static_cast<uint64_t>(std::max<int64_t>(packet.time_ns, 0));
  const auto captured = static_cast<uint32_t>(packet.data.size());
  const Bytes comment = option_text(packet.comment);
  const size_t options = comment.empty() ? 0 : 8 + padded(comment.size());
  const auto length = static_cast<uint32_t>(32 + padded(packet.data.size()) + options);
  append_words(buffer_,
               {kEnhancedPacket, length, packet.interface, static_cast<uint32_t>(time >> 32),
                static_cast<uint32_t>(time), captured, std::max(captured, packet.original_length)});
  buffer_.append(packet.data);
  buffer_.append(padded(captured) - captured, '\0');
  if (!comment.empty()) {
    append_words(buffer_, {kOptionComment | static_cast<uint32_t>(comment.size()) << 16});
    buffer_.append(comment);
    buffer_.append(padded(comment.size()) - comment.size(), '\0');
    append_words(buffer_, {kOptionEnd});
  }
  append_words(buffer_, {length});
  if (buffer_.size() >= kBufferBytes) flush();
  ++packets_;
}

Result<void> PcapngWriter::close() {
  flush();
  if (file_ && ::close(file_.release()) != 0 && status_) status_ = fail_with(errno);
  return status_;
}

void PcapngWriter::block(uint32_t type, ByteView body) {
  const auto length = static_cast<uint32_t>(body.size() + 12);
  append_u32(buffer_, type);
  append_u32(buffer_, length);
  buffer_.append(body);
  append_u32(buffer_, length);
  if (buffer_.size() >= kBufferBytes) flush();
}

// After the first error nothing more is written: a capture with a hole in it would be a lie.
void PcapngWriter::flush() {
  ByteView rest = buffer_;
  while (file_ && status_ && !rest.empty()) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      status_ = fail_with(written == 0 ? EIO : errno);
    }
  }
  buffer_.clear();
}

}  // namespace netrig
