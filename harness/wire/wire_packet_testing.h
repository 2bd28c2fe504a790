#pragma once
// Packets for the tests of this folder, as the kernel hands them out: whole ones, and ones with
// segmentation and checksum left to do. Built with harness/net's encode_packet, so what is expected
// of a cut is known from elsewhere.

#include <gtest/gtest.h>
#include <string>

#include "harness/net/big_endian.h"
#include "harness/net/packet.h"
#include "harness/wire/wire_packet.h"

namespace netrig {

struct Offered {
  virtio_net_hdr offload{};
  Bytes octets;

  std::optional<WirePacket> parse() const { return parse_wire_packet(offload, octets); }
  size_t ip_header_size() const { return octets[0] >> 4 == 4 ? (octets[0] & 15) * 4 : 40; }
};

// Octets that differ from each other over any distance that matters.
inline Bytes test_payload(size_t size) {
  Bytes payload(size, '\0');
  for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 31 ^ i >> 8);
  return payload;
}

inline Packet ip_packet(bool v6, Bytes payload) {
  Packet packet;
  packet.ip.source = v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2);
  packet.ip.destination = v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  packet.ip.traffic_class = 0xB9 & ~3;
  if (!v6) packet.ip.identification = 0xFFFE;  // goes on beyond 16 bits
  packet.payload_length = static_cast<uint32_t>(payload.size());
  packet.payload = std::move(payload);
  return packet;
}

inline Packet tcp_packet(bool v6, size_t size, uint8_t flags = kTcpAck) {
  Packet packet = ip_packet(v6, test_payload(size));
  packet.tcp = TcpHeader{.source_port = 40000,
                         .destination_port = 80,
                         .sequence = 0xFFFFFF00,  // goes on beyond 32 bits
                         .acknowledgement = 7,
                         .flags = flags,
                         .window = 501,
                         .options = *parse_hex("01 01 08 0a 00 00 00 05 00 00 00 06")};
  return packet;
}

inline Packet udp_packet(bool v6, size_t size) {
  Packet packet = ip_packet(v6, test_payload(size));
  packet.udp = UdpHeader{.source_port = 40000, .destination_port = 53};
  return packet;
}

// `packet` with the checksum as Linux leaves it for a network card (CHECKSUM_PARTIAL of
// include/linux/skbuff.h); with `segment_size`, the payload too.
inline Offered offered(const Packet& packet, uint16_t segment_size = 0) {
  Offered offer;
  offer.octets = encode_packet(packet);
  const bool v6 = packet.ip.source.is_v6();
  const uint16_t start = v6 ? 40 : 20;
  offer.offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  offer.offload.csum_start = start;
  offer.offload.csum_offset = packet.tcp ? 16 : 6;
  const auto carried = static_cast<uint32_t>(offer.octets.size() - start);
  const uint32_t sum = pseudo_header_sum(packet.ip.source, packet.ip.destination,
                                         packet.tcp ? kProtocolTcp : kProtocolUdp, carried);
  store_be16(offer.octets, size_t{start} + offer.offload.csum_offset,
             static_cast<uint16_t>(~internet_checksum({}, sum)));
  if (segment_size == 0) return offer;
  offer.offload.gso_size = segment_size;
  offer.offload.hdr_len = 1;  // not to be trusted
  offer.offload.gso_type = packet.udp ? kOffloadUdpSegments
                           : v6       ? VIRTIO_NET_HDR_GSO_TCPV6
                                      : VIRTIO_NET_HDR_GSO_TCPV4;
  return offer;
}

inline Bytes segment_of(const Offered& offer, uint32_t index) {
  Bytes out;
  append_segment(out, offer.parse().value(), offer.offload, offer.octets, index);
  return out;
}

// A slice as one who reads it from a port would have it.
inline Offered slice_of(const Offered& offer, uint32_t first, uint32_t count) {
  const WireSlice slice =
      slice_segments(offer.parse().value(), offer.offload, offer.octets, first, count);
  Offered out{.offload = slice.offload, .octets = Bytes(slice.header_view())};
  out.octets += slice.payload;
  return out;
}

// A datagram's fragment, `begin` octets into what IP carries.
inline Bytes fragment_of(const Packet& datagram, size_t begin, size_t size) {
  const Bytes whole = encode_packet(datagram);
  const ByteView carried = ByteView(whole).substr(datagram.ip.source.is_v6() ? 40 : 20);
  Packet fragment;
  fragment.ip = datagram.ip;
  fragment.ip.protocol = datagram.udp ? kProtocolUdp : kProtocolTcp;
  fragment.ip.dont_fragment = false;
  fragment.ip.fragment_offset = static_cast<uint16_t>(begin);
  fragment.ip.more_fragments = begin + size < carried.size();
  return [&] {
    Bytes out;
    append_packet(out, fragment, carried.substr(begin, size));
    return out;
  }();
}

class EitherFamily : public testing::TestWithParam<bool> {};

}  // namespace netrig
