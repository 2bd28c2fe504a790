#pragma once
// One IP packet as a port gives it: octets from the IP header on, and what the kernel left for a
// network card to do (virtio_net_hdr of linux/virtio_net.h, in host order): a checksum to complete,
// a payload of up to 64 KiB to cut into wire segments. It is taken apart into virtual segments
// without copying payload, and only as far as their fates differ. Octets are untrusted: a program
// under test may send anything by a raw socket. Keeps no state, makes no system call.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/base/bytes.h"
#include "harness/net/endpoint.h"
#include "harness/wire/virtio_header.h"

namespace netrig {

// Of kernels newer than some headers.
inline constexpr uint8_t kOffloadUdpSegments = 5;  // VIRTIO_NET_HDR_GSO_UDP_L4

// What a header says, and where things lie. Sizes and offsets in octets, numbers in host order.
struct WirePacket {
  IpAddress source;
  IpAddress destination;
  bool v6 = false;
  uint8_t protocol = 0;  // the transport's, behind IPv6 extension headers
  uint8_t ecn = 0;       // the low two bits of the traffic class (RFC 3168)
  // A part of a larger packet (RFC 791 section 3.2, RFC 8200 section 4.5).
  bool fragment = false;
  bool more_fragments = false;
  uint32_t fragment_offset = 0;
  uint32_t identification = 0;
  // Of TCP and UDP; 0 in a later fragment, of another protocol, or if the header was cut.
  bool has_transport = false;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;             // TcpFlag bits
  uint16_t fragmentable_at = 0;  // where what fragment_offset counts begins (RFC 8200 4.5)
  uint16_t ip_header_size = 0;   // with extension headers
  uint16_t header_size = 0;      // IP and transport
  uint32_t payload_size = 0;
  uint32_t segment_size = 0;  // of payload in each segment but the last; payload_size if it is one

  // Wire segments: at least 1.
  uint32_t segments() const {
    return payload_size <= segment_size || segment_size == 0
               ? 1
               : (payload_size + segment_size - 1) / segment_size;
  }
  // Octets of payload of segment `index`.
  uint32_t payload_of(uint32_t index) const;
  // Sequence space of segment `index`: payload, and SYN and FIN where they stay (RFC 9293 3.4).
  uint32_t sequence_length(uint32_t index) const;
  Endpoint from() const { return {source, source_port}; }
  Endpoint to() const { return {destination, destination_port}; }
};

// Nothing if these are no octets of IPv4 or IPv6, lengths contradict each other, or the offload
// header asks for what cannot be done with them.
std::optional<WirePacket> parse_wire_packet(const virtio_net_hdr& offload, ByteView octets);

// A run of segments as one packet to be written: its header is its own, its payload lies in the
// packet that it was cut from.
struct WireSlice {
  static constexpr size_t kHeaderMax = 256;
  virtio_net_hdr offload{};
  std::array<char, kHeaderMax> header{};
  size_t header_size = 0;
  ByteView payload;

  ByteView header_view() const { return {header.data(), header_size}; }
};

// `count` segments from `first` on, as the kernel itself would cut them (skb_segment, RFC 9293):
// sequence numbers and IPv4 identifications go on, FIN and PSH stay with the last, CWR with the
// first. The checksum stays as it was, partial or complete. A packet that is one segment comes out
// as it is; one whose headers are larger than kHeaderMax is never more than one.
// `octets` as parsed; what is returned refers to them.
WireSlice slice_segments(const WirePacket& packet, const virtio_net_hdr& offload, ByteView octets,
                         uint32_t first, uint32_t count);

// One segment as it would be on a wire, with every checksum complete, behind what `out` holds.
void append_segment(Bytes& out, const WirePacket& packet, const virtio_net_hdr& offload,
                    ByteView octets, uint32_t index);

// Flips a bit of the payload, counted from its first, of `segment` (as append_segment made it, or a
// whole datagram): TCP's checksum then shows it; UDP's is made to fit, so that the damage arrives,
// as it does in the other worlds.
void flip_payload_bit(Bytes& segment, uint64_t bit);

// Sets CE (RFC 3168 section 5) in a segment that is ECN-capable, and the IPv4 header's checksum.
void mark_congestion(Bytes& segment);

// The answer to a packet that a link is too narrow for, in the name of its receiver (RFC 1191
// section 4, RFC 4443 section 3.2); `segment`: the packet, its checksums complete.
Bytes packet_too_big(ByteView segment, uint32_t mtu);

}  // namespace netrig
