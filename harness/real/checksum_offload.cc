#include "harness/real/checksum_offload.h"

#include <cstdint>

#include "harness/net/big_endian.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

struct Segment {
  size_t offset = 0;  // of the transport header
  size_t length = 0;
  size_t addresses = 0;  // offset of source and destination
  size_t address_octets = 0;
  uint8_t protocol = 0;
};

bool find_segment(ByteView packet, Segment& segment) {
  if (packet.size() < 20) return false;
  if (octet_at(packet, 0) >> 4 == 4) {
    const size_t header = size_t{4} * (octet_at(packet, 0) & 15u);
    const size_t total = load_be16(packet, 2);
    if (header < 20 || total < header || total > packet.size()) return false;
    if ((load_be16(packet, 6) & 0x3fff) != 0) return false;  // a fragment
    segment = {header, total - header, 12, 8, octet_at(packet, 9)};
    return true;
  }
  if (octet_at(packet, 0) >> 4 != 6 || packet.size() < 40) return false;
  const size_t length = load_be16(packet, 4);
  if (length + 40 > packet.size()) return false;
  segment = {40, length, 8, 32, octet_at(packet, 6)};
  return true;
}

// RFC 9293 3.1, RFC 8200 8.1: the sum over addresses, protocol and length of the segment.
uint16_t pseudo_sum(ByteView packet, const Segment& segment) {
  Bytes pseudo(packet.substr(segment.addresses, segment.address_octets));
  pseudo.append({0, static_cast<char>(segment.protocol), static_cast<char>(segment.length >> 8),
                 static_cast<char>(segment.length & 0xff)});
  return static_cast<uint16_t>(~internet_checksum(pseudo));
}

bool complete_transport(Bytes& packet, const Segment& segment) {
  const bool tcp = segment.protocol == kProtocolTcp;
  if (segment.length < (tcp ? 20u : 8u)) return false;
  const size_t field = segment.offset + (tcp ? 16 : 6);
  const uint16_t partial = pseudo_sum(packet, segment);
  if (load_be16(packet, field) != partial) return false;
  store_be16(packet, field, 0);
  uint16_t whole =
      internet_checksum(ByteView(packet).substr(segment.offset, segment.length), partial);
  if (!tcp && whole == 0) whole = 0xffff;  // RFC 768: zero means no checksum
  store_be16(packet, field, whole);
  return true;
}

// An ICMP error quotes the packet that it answers (RFC 792, RFC 4443 section 3) as it found it:
// with the partial checksum.
void complete_quoted(Bytes& packet, const Segment& segment) {
  constexpr size_t kIcmpHeader = 8;
  if (segment.length < kIcmpHeader) return;
  Bytes quoted = packet.substr(segment.offset + kIcmpHeader, segment.length - kIcmpHeader);
  Segment inner;
  if (!find_segment(quoted, inner)) return;
  if (inner.protocol != kProtocolTcp && inner.protocol != kProtocolUdp) return;
  if (!complete_transport(quoted, inner)) return;
  packet.replace(segment.offset + kIcmpHeader, quoted.size(), quoted);
  const uint16_t initial = segment.protocol == kProtocolIcmpV6 ? pseudo_sum(packet, segment) : 0;
  store_be16(packet, segment.offset + 2, 0);
  store_be16(packet, segment.offset + 2,
             internet_checksum(ByteView(packet).substr(segment.offset, segment.length), initial));
}

}  // namespace

void complete_checksum(Bytes& packet) {
  Segment segment;
  if (!find_segment(packet, segment)) return;
  switch (segment.protocol) {
    case kProtocolTcp:
    case kProtocolUdp:
      complete_transport(packet, segment);
      break;
    case kProtocolIcmp:
    case kProtocolIcmpV6:
      complete_quoted(packet, segment);
      break;
    default:
      break;
  }
}

}  // namespace netrig
