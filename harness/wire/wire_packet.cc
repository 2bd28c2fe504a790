#include "harness/wire/wire_packet.h"

#include <algorithm>

#include "harness/base/require.h"
#include "harness/net/big_endian.h"
#include "harness/net/packet.h"
#include "harness/wire/checksum_update.h"

namespace netrig {

namespace {

constexpr size_t kIpV4ChecksumAt = 10;
constexpr size_t kTcpChecksumAt = 16;
constexpr size_t kUdpChecksumAt = 6;
constexpr uint8_t kCongestion = 3;  // CE (RFC 3168 section 5)

// As store_be16 of big_endian.h, into a slice's header.
void store_be16(WireSlice& slice, size_t at, uint32_t value) {
  slice.header[at] = static_cast<char>(value >> 8 & 0xFF);
  slice.header[at + 1] = static_cast<char>(value & 0xFF);
}

// The octets of IP from its header on, padding behind them left out.
ByteView within_lengths(const WirePacket& packet, ByteView octets) {
  return octets.substr(0, size_t{packet.header_size} + packet.payload_size);
}

// Lengths, and IPv4's identification and checksum, of a slice that carries `carried` octets.
void renew_ip_header(WireSlice& slice, const WirePacket& packet, uint32_t first, size_t carried) {
  if (packet.v6) {
    const size_t extensions = packet.ip_header_size - size_t{40};
    return store_be16(slice, 4, static_cast<uint32_t>(extensions + carried));
  }
  store_be16(slice, 2, static_cast<uint32_t>(packet.ip_header_size + carried));
  store_be16(slice, 4, packet.identification + first);  // inet_gso_segment: also with DF
  store_be16(slice, kIpV4ChecksumAt, 0);
  store_be16(slice, kIpV4ChecksumAt,
             internet_checksum(slice.header_view().substr(0, packet.ip_header_size)));
}

// What differs from segment to segment. The urgent pointer stays with all (tcp_gso_segment).
void renew_tcp_header(WireSlice& slice, const WirePacket& packet, uint32_t first, bool last) {
  const size_t at = packet.ip_header_size;
  const uint32_t sequence = packet.sequence + first * packet.segment_size;
  store_be16(slice, at + 4, sequence >> 16);
  store_be16(slice, at + 6, sequence);
  uint8_t flags = packet.flags;
  if (!last) flags &= static_cast<uint8_t>(~(kTcpFin | kTcpPsh));
  if (first > 0) flags &= static_cast<uint8_t>(~kTcpCwr);  // RFC 3168 section 6.1.2: said once
  slice.header[at + 13] = static_cast<char>(flags);
}

// A partial checksum is the sum, not complemented, of the pseudo-header alone: of it only the
// length changes, which is what RFC 1624's equation does with complements left out.
void renew_partial_checksum(WireSlice& slice, const WirePacket& packet, size_t at, size_t carried) {
  const auto whole =
      static_cast<uint16_t>(packet.header_size - packet.ip_header_size + packet.payload_size);
  const uint32_t sum = load_be16(slice.header_view(), at) + static_cast<uint16_t>(~whole) +
                       static_cast<uint32_t>(carried);
  store_be16(slice, at, static_cast<uint16_t>(~internet_checksum({}, sum)));
}

// virtio_net_hdr for as many segments of a packet that has more.
void renew_offload(WireSlice& slice, const WirePacket& packet, uint32_t first, uint32_t count) {
  slice.offload.hdr_len = packet.header_size;
  if (first > 0) slice.offload.gso_type &= static_cast<uint8_t>(~VIRTIO_NET_HDR_GSO_ECN);
  if (count > 1) return;
  slice.offload.hdr_len = 0;
  slice.offload.gso_size = 0;
  slice.offload.gso_type = VIRTIO_NET_HDR_GSO_NONE;
}

void complete_checksum(Bytes& out, size_t start, const WirePacket& packet,
                       const virtio_net_hdr& offload) {
  if ((offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0) return;
  const size_t covered = start + offload.csum_start;
  uint16_t checksum = internet_checksum(ByteView(out).substr(covered));
  // RFC 768: 0 would say that none was made.
  if (checksum == 0 && packet.protocol == kProtocolUdp) checksum = 0xFFFF;
  netrig::store_be16(out, covered + offload.csum_offset, checksum);
}

}  // namespace

uint32_t WirePacket::payload_of(uint32_t index) const {
  if (index >= segments()) return 0;
  return std::min(segment_size, payload_size - index * segment_size);
}

uint32_t WirePacket::sequence_length(uint32_t index) const {
  uint32_t length = payload_of(index);
  if (index == 0 && (flags & kTcpSyn) != 0) ++length;
  if (index + 1 == segments() && (flags & kTcpFin) != 0) ++length;
  return length;
}

WireSlice slice_segments(const WirePacket& packet, const virtio_net_hdr& offload, ByteView octets,
                         uint32_t first, uint32_t count) {
  const uint32_t segments = packet.segments();
  NETRIG_REQUIRE(first < segments && count > 0 && count <= segments - first);
  const ByteView whole = within_lengths(packet, octets);
  WireSlice slice;
  slice.offload = offload;
  slice.header_size = std::min(size_t{packet.header_size}, WireSlice::kHeaderMax);
  std::copy_n(whole.begin(), slice.header_size, slice.header.begin());
  slice.payload = whole.substr(slice.header_size);
  renew_offload(slice, packet, first, count);
  if (count == segments) return slice;

  const bool last = first + count == segments;
  const size_t begin = size_t{first} * packet.segment_size;
  const size_t size = last ? packet.payload_size - begin : size_t{count} * packet.segment_size;
  const size_t carried = packet.header_size - packet.ip_header_size + size;
  slice.payload = slice.payload.substr(begin, size);
  renew_ip_header(slice, packet, first, carried);
  if (packet.protocol == kProtocolTcp) {
    renew_tcp_header(slice, packet, first, last);
    renew_partial_checksum(slice, packet, packet.ip_header_size + kTcpChecksumAt, carried);
  } else {
    store_be16(slice, packet.ip_header_size + size_t{4}, static_cast<uint32_t>(carried));
    renew_partial_checksum(slice, packet, packet.ip_header_size + kUdpChecksumAt, carried);
  }
  return slice;
}

void append_segment(Bytes& out, const WirePacket& packet, const virtio_net_hdr& offload,
                    ByteView octets, uint32_t index) {
  const WireSlice slice = slice_segments(packet, offload, octets, index, 1);
  const size_t start = out.size();
  out.append(slice.header_view());
  out.append(slice.payload);
  complete_checksum(out, start, packet, slice.offload);
}

void flip_payload_bit(Bytes& segment, uint64_t bit) {
  const auto packet = parse_wire_packet({}, segment);
  if (!packet || bit / 8 >= packet->payload_size) return;
  const auto octet = static_cast<size_t>(bit / 8);
  const size_t at = packet->header_size + octet;
  const uint8_t before = octet_at(segment, at);
  const auto after = static_cast<uint8_t>(before ^ 0x80 >> bit % 8);
  segment[at] = static_cast<char>(after);
  if (packet->protocol == kProtocolUdp && packet->has_transport && !packet->fragment) {
    update_udp_checksum(segment, packet->ip_header_size, octet, before, after);
  }
}

void mark_congestion(Bytes& segment) {
  const auto packet = parse_wire_packet({}, segment);
  if (!packet || packet->ecn == 0 || packet->ecn == kCongestion) return;
  const uint16_t before = load_be16(segment, 0);
  const auto after = static_cast<uint16_t>(before | (packet->v6 ? kCongestion << 4 : kCongestion));
  netrig::store_be16(segment, 0, after);
  if (packet->v6) return;
  const uint16_t checksum = load_be16(segment, kIpV4ChecksumAt);
  netrig::store_be16(segment, kIpV4ChecksumAt, updated_checksum(checksum, before, after));
}

Bytes packet_too_big(ByteView segment, uint32_t mtu) {
  const auto about = parse_wire_packet({}, segment);
  if (!about) return {};
  Packet answer;
  answer.ip.source = about->destination;
  answer.ip.destination = about->source;
  answer.ip.dont_fragment = false;
  if (about->v6) {
    answer.icmp = IcmpHeader{.type = 2, .code = 0, .rest = mtu};
  } else {  // RFC 1191 section 4: 16 bits
    answer.icmp = IcmpHeader{.type = 3, .code = 4, .rest = std::min<uint32_t>(mtu, 65'535)};
  }
  // RFC 1812 section 4.3.2.3: 576 octets in all. RFC 4443 section 3.2: IPv6's least MTU.
  const size_t quoted_max = about->v6 ? 1280 - 48 : 576 - 28;
  Bytes out;
  append_packet(out, answer, within_lengths(*about, segment).substr(0, quoted_max));
  return out;
}

}  // namespace netrig
