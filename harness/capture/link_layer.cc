#include "harness/capture/link_layer.h"

#include <algorithm>

#include "harness/capture/byte_order.h"
#include "harness/capture/capture_reader.h"

namespace netrig {
namespace {

// https://www.tcpdump.org/linktypes.html
enum LinkType : uint16_t {
  kNull = 0,
  kEthernet = 1,
  kPpp = 9,
  kDltRaw = 12,     // DLT_RAW of most systems; some programs write it into files
  kDltRawBsd = 14,  // the same on OpenBSD
  kRaw = 101,
  kLoop = 108,
  kLinuxSll = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxSll2 = 276,
};

constexpr uint16_t kEtherIpv4 = 0x0800;
constexpr uint16_t kEtherIpv6 = 0x86dd;
constexpr uint16_t kEtherPppoeSession = 0x8864;
constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppIpv6 = 0x0057;

uint16_t network_u16(ByteView octets, size_t offset) {
  return load_u16(octets, offset, ByteOrder::kBig);
}

std::optional<size_t> inside(ByteView frame, size_t offset) {
  if (offset >= frame.size()) return std::nullopt;
  return offset;
}

bool has_ip_version(ByteView frame, size_t offset) {
  if (offset >= frame.size()) return false;
  const int version = octet_at(frame, offset) >> 4;
  return version == 4 || version == 6;
}

bool is_vlan(uint16_t ether_type) {  // 802.1Q, 802.1ad, and two used before it
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100 ||
         ether_type == 0x9200;
}

// RFC 1661 section 2; RFC 1662 section 3.1 for the two octets that may be left out.
std::optional<size_t> after_ppp(ByteView frame, size_t offset) {
  if (frame.substr(std::min(offset, frame.size())).starts_with("\xff\x03")) offset += 2;
  if (offset >= frame.size()) return std::nullopt;
  uint16_t protocol = octet_at(frame, offset++);
  if ((protocol & 1) == 0) {  // RFC 1661 6.5: an odd first octet is the whole, compressed field
    if (offset >= frame.size()) return std::nullopt;
    protocol = static_cast<uint16_t>(protocol << 8 | octet_at(frame, offset++));
  }
  if (protocol != kPppIpv4 && protocol != kPppIpv6) return std::nullopt;
  return inside(frame, offset);
}

// `offset` is behind the field that held `type`.
std::optional<size_t> after_ether_type(ByteView frame, size_t offset, uint16_t type) {
  while (is_vlan(type)) {
    if (offset + 4 > frame.size()) return std::nullopt;
    type = network_u16(frame, offset + 2);
    offset += 4;
  }
  if (type == kEtherPppoeSession) return after_ppp(frame, offset + 6);  // RFC 2516 section 4
  if (type <= 1500) {  // IEEE 802.3: a length; RFC 1042: LLC and SNAP lead to the type
    const ByteView rest = frame.substr(std::min(offset, frame.size()));
    if (rest.size() < 8 || !rest.starts_with(ByteView("\xaa\xaa\x03\x00\x00\x00", 6))) {
      return std::nullopt;
    }
    type = network_u16(rest, 6);
    offset += 8;
  }
  if (type != kEtherIpv4 && type != kEtherIpv6) return std::nullopt;
  return inside(frame, offset);
}

// The address family in the byte order of whoever captured. AF_INET6 is 10, 24, 28 or 30 by system.
std::optional<size_t> after_family(ByteView frame) {
  if (frame.size() < 4) return std::nullopt;
  for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    const uint32_t family = load_u32(frame, 0, order);
    if (family == 2 || family == 10 || family == 24 || family == 28 || family == 30) {
      return inside(frame, 4);
    }
  }
  return std::nullopt;
}

std::optional<size_t> ip_offset(uint16_t link_type, ByteView frame) {
  switch (link_type) {
    case kNull:
    case kLoop:
      return after_family(frame);
    case kEthernet:
      if (frame.size() < 14) return std::nullopt;
      return after_ether_type(frame, 14, network_u16(frame, 12));
    case kPpp:
      return after_ppp(frame, 0);
    case kLinuxSll:
      if (frame.size() < 16) return std::nullopt;
      return after_ether_type(frame, 16, network_u16(frame, 14));
    case kLinuxSll2:
      if (frame.size() < 20) return std::nullopt;
      return after_ether_type(frame, 20, network_u16(frame, 0));
    case kRaw:
    case kDltRaw:
    case kDltRawBsd:
    case kIpv4:
    case kIpv6:
      return has_ip_version(frame, 0) ? std::optional<size_t>(0) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// RFC 791 3.1 total length; RFC 8200 section 3 payload length. 0 stands in both where segmentation
// is left to the device (and for IPv6 jumbograms), and then the frame's end is the packet's.
std::optional<size_t> declared_length(ByteView packet) {
  const int version = octet_at(packet, 0) >> 4;
  if (version == 4 && packet.size() >= 4) {
    const size_t length = network_u16(packet, 2);
    if (length >= 20) return length;
  }
  if (version == 6 && packet.size() >= 6) {
    const size_t length = network_u16(packet, 4);
    if (length > 0) return length + 40;
  }
  return std::nullopt;
}

}  // namespace

ByteView strip_link_layer(uint16_t link_type, ByteView frame) {
  const auto found = find_ip(link_type, frame);
  if (!found) return {};
  return frame.substr(found->offset, found->length.value_or(ByteView::npos));
}

bool link_type_known(uint16_t link_type) {
  switch (link_type) {
    case kNull:
    case kEthernet:
    case kPpp:
    case kDltRaw:
    case kDltRawBsd:
    case kRaw:
    case kLoop:
    case kLinuxSll:
    case kIpv4:
    case kIpv6:
    case kLinuxSll2:
      return true;
    default:
      return false;
  }
}

std::optional<IpInFrame> find_ip(uint16_t link_type, ByteView frame) {
  const auto offset = ip_offset(link_type, frame);
  if (!offset) return std::nullopt;
  IpInFrame found{.offset = *offset, .length = std::nullopt};
  if (*offset > 0) found.length = declared_length(frame.substr(*offset));
  return found;
}

}  // namespace netrig
