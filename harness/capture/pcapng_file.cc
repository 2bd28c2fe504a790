#include "harness/capture/pcapng_file.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/capture/byte_order.h"

namespace netrig {
namespace {

constexpr uint32_t kSectionHeader = 0x0A0D0D0A;  // the same in both byte orders
constexpr uint32_t kByteOrderMagic = 0x1A2B3C4D;
enum BlockType : uint32_t {
  kInterfaceDescription = 1,
  kPacket = 2,  // obsolete, but in old files
  kSimplePacket = 3,
  kEnhancedPacket = 6,
};
constexpr uint16_t kOptionComment = 1;
constexpr uint16_t kOptionInterfaceName = 2;
constexpr uint16_t kOptionTimestampResolution = 9;
constexpr uint16_t kOptionTimestampOffset = 14;
constexpr size_t kBlockBytesMin = 12;

struct Interface {
  uint32_t index = 0;        // in the recording
  uint32_t snap_length = 0;  // 0: no limit
  uint8_t resolution = 6;    // section 4.2: 10^-n, or 2^-n with the top bit set
  int64_t offset_seconds = 0;
};

int64_t to_nanoseconds(uint64_t ticks, const Interface& interface) {
  __extension__ using Wide = __int128;  // 2^64 ticks times 10^9 need 94 bits
  const int exponent = interface.resolution & 0x7f;
  Wide time = static_cast<Wide>(ticks) * 1'000'000'000;
  if ((interface.resolution & 0x80) != 0) {
    time = exponent < 127 ? time >> exponent : 0;
  } else {
    for (int i = 0; i < exponent && time != 0; ++i) time /= 10;  // floor of floors is the floor
  }
  time += static_cast<Wide>(interface.offset_seconds) * 1'000'000'000;
  constexpr Wide kLow = std::numeric_limits<int64_t>::min();
  constexpr Wide kHigh = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(time, kLow, kHigh));
}

class PcapngReader {
 public:
  PcapngReader(ByteView file, RecordingBuilder& out) : rest_(file), out_(out) {}

  void read() {
    while (!rest_.empty() && read_block()) {
    }
  }

 private:
  bool read_block();
  bool start_section();
  void describe_interface(ByteView body);
  void enhanced_packet(ByteView body);
  void old_packet(ByteView body);
  void simple_packet(ByteView body);
  void packet(uint32_t interface, uint64_t ticks, ByteView lengths_and_data);
  template <typename Visit>  // void(uint16_t code, ByteView value)
  void options(ByteView octets, Visit visit);

  uint16_t u16(ByteView octets, size_t offset) const { return load_u16(octets, offset, order_); }
  uint32_t u32(ByteView octets, size_t offset) const { return load_u32(octets, offset, order_); }

  ByteView rest_;
  RecordingBuilder& out_;
  ByteOrder order_ = ByteOrder::kLittle;
  std::vector<Interface> interfaces_;  // of this section
};

// Takes one block off rest_. False if the rest of the file cannot be read.
bool PcapngReader::read_block() {
  if (rest_.size() < kBlockBytesMin) {
    out_.note("the last block is cut off");
    return false;
  }
  if (load_u32(rest_, 0, ByteOrder::kLittle) == kSectionHeader && !start_section()) return false;
  const uint32_t type = u32(rest_, 0);
  const uint32_t length = u32(rest_, 4);
  if (length < kBlockBytesMin) {
    out_.note(fmt::format("a block claims a length of {}: the last {} octets were not read", length,
                          rest_.size()));
    return false;
  }
  if (length > rest_.size()) {
    out_.note(fmt::format("the last block is cut off: {} of its {} octets are there", rest_.size(),
                          length));
    return false;
  }
  const ByteView body = rest_.substr(8, length - kBlockBytesMin);
  if (u32(rest_, length - 4) != length) {
    out_.count("a block's two lengths differ; the first was used");
  }
  switch (type) {
    case kInterfaceDescription:
      describe_interface(body);
      break;
    case kEnhancedPacket:
      enhanced_packet(body);
      break;
    case kSimplePacket:
      simple_packet(body);
      break;
    case kPacket:
      old_packet(body);
      break;
    default:
      break;
  }
  // Section 3.1 pads every block to four octets; some writers leave that out of the length.
  rest_.remove_prefix(std::min<size_t>((size_t{length} + 3) & ~size_t{3}, rest_.size()));
  return true;
}

bool PcapngReader::start_section() {
  for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    if (load_u32(rest_, 8, order) == kByteOrderMagic) {
      order_ = order;
      interfaces_.clear();
      return true;
    }
  }
  out_.note(
      fmt::format("a section has no byte order: the last {} octets were not read", rest_.size()));
  return false;
}

template <typename Visit>
void PcapngReader::options(ByteView octets, Visit visit) {
  while (octets.size() >= 4) {
    const uint16_t code = u16(octets, 0);
    const size_t length = u16(octets, 2);
    if (code == 0) return;
    octets.remove_prefix(4);
    if (length > octets.size()) {
      out_.count("an option reaches beyond its block and was not read");
      return;
    }
    visit(code, octets.substr(0, length));
    octets.remove_prefix(std::min((length + 3) & ~size_t{3}, octets.size()));
  }
}

void PcapngReader::describe_interface(ByteView body) {
  Interface interface;
  std::string name;
  uint16_t link_type = std::numeric_limits<uint16_t>::max();
  if (body.size() < 8) {
    // Its number must stay taken, or later packets would be given to the wrong interface.
    out_.count("an interface's description is too short");
  } else {
    link_type = u16(body, 0);
    interface.snap_length = u32(body, 4);
    options(body.substr(8), [&](uint16_t code, ByteView value) {
      if (code == kOptionInterfaceName) name = value.substr(0, value.find('\0'));
      if (code == kOptionTimestampResolution && !value.empty()) {
        interface.resolution = octet_at(value, 0);
      }
      if (code == kOptionTimestampOffset && value.size() >= 8) {
        interface.offset_seconds = static_cast<int64_t>(load_u64(value, 0, order_));
      }
    });
  }
  interface.index = out_.add_interface(std::move(name), link_type);
  interfaces_.push_back(interface);
}

void PcapngReader::enhanced_packet(ByteView body) {
  if (body.size() < 20) {
    out_.skip("a packet block is too short");
    return;
  }
  const uint64_t ticks = uint64_t{u32(body, 4)} << 32 | u32(body, 8);
  packet(u32(body, 0), ticks, body.substr(12));
}

// The obsolete block differs only in its first four octets: interface and drops, 16 bits each.
void PcapngReader::old_packet(ByteView body) {
  if (body.size() < 20) {
    out_.skip("a packet block is too short");
    return;
  }
  const uint64_t ticks = uint64_t{u32(body, 4)} << 32 | u32(body, 8);
  packet(u16(body, 0), ticks, body.substr(12));
}

void PcapngReader::packet(uint32_t interface, uint64_t ticks, ByteView lengths_and_data) {
  const uint32_t captured = u32(lengths_and_data, 0);
  const uint32_t original = u32(lengths_and_data, 4);
  const ByteView data = lengths_and_data.substr(8);
  if (interface >= interfaces_.size()) {
    out_.skip("a packet names an interface that is not described");
    return;
  }
  if (captured > data.size()) {
    out_.skip("a packet is longer than its block");
    return;
  }
  Frame frame{.interface = interfaces_[interface].index,
              .time_ns = to_nanoseconds(ticks, interfaces_[interface]),
              .data = data.substr(0, captured),
              .original_length = original,
              .comment = {}};
  const size_t padded = std::min((size_t{captured} + 3) & ~size_t{3}, data.size());
  options(data.substr(padded), [&](uint16_t code, ByteView value) {
    if (code != kOptionComment) return;
    if (!frame.comment.empty()) frame.comment += '\n';
    frame.comment += value;
  });
  out_.add(std::move(frame));
}

// Section 4.4: always the first interface, and no time. What was captured is not said but follows
// from the snap length.
void PcapngReader::simple_packet(ByteView body) {
  if (body.size() < 4) {
    out_.skip("a packet block is too short");
    return;
  }
  if (interfaces_.empty()) {
    out_.skip("a packet names an interface that is not described");
    return;
  }
  const uint32_t original = u32(body, 0);
  size_t captured = std::min<size_t>(original, body.size() - 4);
  if (interfaces_[0].snap_length > 0) {
    captured = std::min<size_t>(captured, interfaces_[0].snap_length);
  }
  out_.count("a simple packet block has no time: 1970-01-01 stands for it");
  out_.add({.interface = interfaces_[0].index,
            .time_ns = 0,
            .data = body.substr(4, captured),
            .original_length = original,
            .comment = {}});
}

}  // namespace

bool looks_like_pcapng(ByteView file) {
  return file.size() >= 4 && load_u32(file, 0, ByteOrder::kLittle) == kSectionHeader;
}

void read_pcapng(ByteView file, RecordingBuilder& out) {
  PcapngReader(file, out).read();
}

}  // namespace netrig
