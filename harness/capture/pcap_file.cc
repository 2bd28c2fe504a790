#include "harness/capture/pcap_file.h"

#include <fmt/core.h>
#include <optional>
#include <utility>

#include "harness/base/require.h"
#include "harness/capture/byte_order.h"

namespace netrig {
namespace {

constexpr size_t kFileHeaderBytes = 24;

struct Flavour {
  ByteOrder order = ByteOrder::kLittle;
  int64_t tick_ns = 1000;
  size_t record_header_bytes = 16;
};

std::optional<Flavour> flavour_of(ByteView file) {
  if (file.size() < 4) return std::nullopt;
  for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    switch (load_u32(file, 0, order)) {
      case 0xa1b2c3d4:
        return Flavour{.order = order};
      case 0xa1b23c4d:
        return Flavour{.order = order, .tick_ns = 1};
      case 0xa1b2cd34:  // ifindex, protocol and packet type follow each record's header
        return Flavour{.order = order, .record_header_bytes = 24};
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

bool looks_like_pcap(ByteView file) {
  return flavour_of(file).has_value();
}

void read_pcap(ByteView file, RecordingBuilder& out) {
  const auto flavour = flavour_of(file);
  NETRIG_REQUIRE(flavour);
  if (file.size() < kFileHeaderBytes) {
    out.note("the file header is cut off");
    return;
  }
  const ByteOrder order = flavour->order;
  const uint16_t minor = load_u16(file, 6, order);
  // The upper 16 bits of the field tell of frame check sequences; IP's own length leaves those out.
  const auto link_type = static_cast<uint16_t>(load_u32(file, 20, order) & 0xffff);
  const uint32_t interface = out.add_interface("", link_type);
  ByteView rest = file.substr(kFileHeaderBytes);
  while (!rest.empty()) {
    if (rest.size() < flavour->record_header_bytes) {
      out.note("the last packet is cut off");
      return;
    }
    uint32_t captured = load_u32(rest, 8, order);
    uint32_t original = load_u32(rest, 12, order);
    // pcap-savefile(5), older versions: before 2.3 the two lengths were the other way round, in 2.3
    // either.
    if (minor < 3 || (minor == 3 && captured > original)) std::swap(captured, original);
    const int64_t time_ns = int64_t{load_u32(rest, 0, order)} * 1'000'000'000 +
                            int64_t{load_u32(rest, 4, order)} * flavour->tick_ns;
    rest.remove_prefix(flavour->record_header_bytes);
    if (captured > rest.size()) {
      out.note(fmt::format("the last packet is cut off: {} of its {} octets are there", rest.size(),
                           captured));
      return;
    }
    out.add({.interface = interface,
             .time_ns = time_ns,
             .data = rest.substr(0, captured),
             .original_length = original,
             .comment = {}});
    rest.remove_prefix(captured);
  }
}

}  // namespace netrig
