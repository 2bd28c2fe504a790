// parse_wire_packet of wire_packet.h: every length is held against the octets that are there. What
// is not well-formed above IP is carried on as it is, as by a router; who receives it judges.
#include "harness/net/big_endian.h"
#include "harness/net/extension_header.h"
#include "harness/net/packet.h"
#include "harness/wire/wire_packet.h"

namespace netrig {

namespace {

constexpr size_t kIpV4HeaderMin = 20;
constexpr size_t kIpV6Header = 40;
constexpr size_t kTcpHeaderMin = 20;
constexpr size_t kUdpHeader = 8;
constexpr size_t kTcpChecksumAt = 16;
constexpr size_t kUdpChecksumAt = 6;
// So that a transport header's end fits WirePacket::header_size.
constexpr size_t kIpHeadersMax = 65'535 - 60;

// RFC 791 section 3.1. Answers where the packet ends, 0 if it is none.
size_t parse_v4(WirePacket& packet, ByteView octets) {
  if (octets.size() < kIpV4HeaderMin) return 0;
  const size_t header_size = static_cast<size_t>(octet_at(octets, 0) & 0x0F) * 4;
  // Not 0 for a length of its own in 32 bits: ports allow the kernel no offload beyond 64 KiB.
  const size_t end = load_be16(octets, 2);
  if (header_size < kIpV4HeaderMin || end < header_size || end > octets.size()) return 0;
  const uint16_t fragment = load_be16(octets, 6);
  packet.ecn = octet_at(octets, 1) & 3;
  packet.identification = load_be16(octets, 4);
  packet.more_fragments = (fragment & 0x2000) != 0;
  packet.fragment_offset = (fragment & 0x1FFFU) * 8;
  packet.protocol = octet_at(octets, 9);
  packet.source = IpAddress::v4(load_be32(octets, 12));
  packet.destination = IpAddress::v4(load_be32(octets, 16));
  packet.ip_header_size = packet.fragmentable_at = static_cast<uint16_t>(header_size);
  return end;
}

// RFC 8200 section 4.5.
void read_fragment_header(WirePacket& packet, ByteView octets, size_t at) {
  const uint16_t offset = load_be16(octets, at + 2);
  packet.fragment_offset = offset & 0xFFF8;
  packet.more_fragments = (offset & 1) != 0;
  packet.identification = load_be32(octets, at + 4);
  packet.fragmentable_at = static_cast<uint16_t>(at + 8);
}

// Walks the extension headers that are whole; what comes behind a later fragment's header is none.
void skip_extensions(WirePacket& packet, ByteView octets) {
  size_t at = kIpV6Header;
  while (packet.fragment_offset == 0 && at + 8 <= octets.size()) {
    const size_t size = extension_length(packet.protocol, octets.substr(at));
    if (size == 0 || at + size > octets.size() || at + size > kIpHeadersMax) break;
    if (packet.protocol == kProtocolFragment) {
      if (packet.more_fragments) break;  // a fragment in a fragment: for its receiver to open
      read_fragment_header(packet, octets, at);
    }
    packet.protocol = octet_at(octets, at);
    at += size;
  }
  packet.ip_header_size = static_cast<uint16_t>(at);
}

IpAddress address_v6(ByteView octets, size_t at) {
  std::array<uint8_t, 16> address;
  for (size_t i = 0; i < address.size(); ++i) address[i] = octet_at(octets, at + i);
  return IpAddress::v6(address);
}

// RFC 8200 section 3. Answers where the packet ends, 0 if it is none.
size_t parse_v6(WirePacket& packet, ByteView octets) {
  if (octets.size() < kIpV6Header) return 0;
  const size_t end = kIpV6Header + load_be16(octets, 4);
  if (end > octets.size()) return 0;
  packet.v6 = true;
  packet.ecn = octet_at(octets, 1) >> 4 & 3;
  packet.protocol = octet_at(octets, 6);
  packet.source = address_v6(octets, 8);
  packet.destination = address_v6(octets, 24);
  packet.fragmentable_at = kIpV6Header;
  skip_extensions(packet, octets.substr(0, end));
  return end;
}

// RFC 9293 section 3.1, RFC 768. 0 if the header is not whole, or of another protocol.
size_t transport_header_size(uint8_t protocol, ByteView carried) {
  if (protocol == kProtocolUdp) return carried.size() < kUdpHeader ? 0 : kUdpHeader;
  if (protocol != kProtocolTcp || carried.size() < kTcpHeaderMin) return 0;
  const size_t size = static_cast<size_t>(octet_at(carried, 12) >> 4) * 4;
  return size < kTcpHeaderMin || size > carried.size() ? 0 : size;
}

void parse_transport(WirePacket& packet, ByteView carried) {
  size_t size = 0;
  if (packet.fragment_offset == 0) size = transport_header_size(packet.protocol, carried);
  packet.header_size = static_cast<uint16_t>(packet.ip_header_size + size);
  packet.payload_size = static_cast<uint32_t>(carried.size() - size);
  packet.has_transport = size > 0;
  if (!packet.has_transport) return;
  packet.source_port = load_be16(carried, 0);
  packet.destination_port = load_be16(carried, 2);
  if (packet.protocol != kProtocolTcp) return;
  packet.sequence = load_be32(carried, 4);
  packet.acknowledgement = load_be32(carried, 8);
  packet.flags = octet_at(carried, 13);
}

// Virtio 1.2 section 5.1.6.2. A part of a datagram has no checksum of its own.
bool checksum_is_possible(const WirePacket& packet, const virtio_net_hdr& offload, size_t end) {
  if ((offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0) return true;
  return !packet.fragment && offload.csum_start >= packet.ip_header_size &&
         size_t{offload.csum_start} + offload.csum_offset + 2 <= end;
}

// Linux hands out nothing else: segments always come with a partial checksum.
bool segments_are_possible(const WirePacket& packet, const virtio_net_hdr& offload) {
  if (offload.gso_type == VIRTIO_NET_HDR_GSO_NONE) return true;
  const bool checksum = (offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 &&
                        offload.csum_start == packet.ip_header_size;
  if (!checksum || offload.gso_size == 0 || packet.fragment || !packet.has_transport ||
      packet.header_size > WireSlice::kHeaderMax) {
    return false;
  }
  if (offload.gso_type == kOffloadUdpSegments) {
    return packet.protocol == kProtocolUdp && offload.csum_offset == kUdpChecksumAt;
  }
  const uint8_t type = packet.v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
  return (offload.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == type && packet.protocol == kProtocolTcp &&
         offload.csum_offset == kTcpChecksumAt;
}

}  // namespace

std::optional<WirePacket> parse_wire_packet(const virtio_net_hdr& offload, ByteView octets) {
  std::optional<WirePacket> parsed;
  if (octets.empty()) return parsed;
  const int version = octet_at(octets, 0) >> 4;
  if (version != 4 && version != 6) return parsed;
  WirePacket& packet = parsed.emplace();
  const size_t end = version == 4 ? parse_v4(packet, octets) : parse_v6(packet, octets);
  if (end == 0) return std::nullopt;
  packet.fragment = packet.more_fragments || packet.fragment_offset > 0;
  parse_transport(packet, octets.substr(packet.ip_header_size, end - packet.ip_header_size));
  if (!checksum_is_possible(packet, offload, end) || !segments_are_possible(packet, offload)) {
    return std::nullopt;
  }
  const bool cut =
      offload.gso_type != VIRTIO_NET_HDR_GSO_NONE && packet.payload_size > offload.gso_size;
  packet.segment_size = cut ? offload.gso_size : packet.payload_size;
  return parsed;
}

}  // namespace netrig
