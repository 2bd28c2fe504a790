#pragma once
// A packet of the simulated network: what it says, not its octets. Octets are made only for a
// capture (to_packet). Payload is shared, never copied on the way.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "fakes/tcp/segment.h"
#include "harness/base/shared_bytes.h"
#include "harness/base/shared_text.h"
#include "harness/base/time.h"
#include "harness/link/fate.h"
#include "harness/net/endpoint.h"
#include "harness/net/packet.h"

namespace netrig {

struct FakeUdp {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  SharedBytes payload;
  uint8_t traffic_class = 0;  // the low two bits are ECN (RFC 3168)
};

// An ICMP or ICMPv6 error about a packet that this world sent (RFC 792, RFC 4443).
struct FakeIcmpError {
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t rest = 0;  // the next-hop MTU where there is one
  // The packet it is about, as its sender sent it.
  bool tcp = false;
  Endpoint source;
  Endpoint destination;
  tcp::SeqNum seq;  // of TCP
  Bytes quoted;     // its first octets, only if the world captures
};

// A datagram or record between Unix sockets of two hosts: it has no IP header and no octets of its
// own in a capture but its payload. `deliver` is the sending socket's business.
struct FakeUnixDatagram {
  SharedBytes payload;
  std::shared_ptr<void> message;  // what the Unix sockets of fakes/host hand over
  // How a capture shows it (UnixFrames::datagram); set only if the world captures.
  std::string service;  // "unix:/run/log", "socketpair"
  uint64_t peer = 0;
  bool to_service = true;
};

// Which packet it was, as far as the network's observer asks (Network::arrived).
struct PacketTrace {
  uint64_t flow = 0;
  uint64_t ordinal = 0;
  Instant sent_at{};
  uint32_t copy = 0;
  bool corrupted = false;
};

struct FakePacket {
  uint32_t from = 0;  // hosts by number
  uint32_t to = 0;
  IpAddress source;
  IpAddress destination;
  uint8_t hop_limit = 64;
  uint16_t identification = 0;
  bool dont_fragment = true;
  // Network::flow. Datagrams always have one, also within a host, for they are told to the
  // observer; 0 for what has none: ICMP errors, TCP's answers to nobody's segments.
  uint64_t flow = 0;
  std::variant<std::monostate, tcp::Segment, FakeUdp, FakeIcmpError, FakeUnixDatagram> body;

  // Filled in by the network.
  Instant sent_at{};
  uint64_t ordinal = 0;  // in its flow
  uint32_t copy = 0;     // 1: the duplicate
  bool corrupted = false;
  // The bit that was flipped. In the payload of a datagram it is flipped already; a segment keeps
  // its payload (its checksum_ok is false), only its octets show the damage.
  uint64_t corrupt_bit = 0;
  SharedText activity;  // who caused it; kept only if the world captures or for datagrams

  // What an ICMP error quotes is its payload, but counts nowhere: there is none without a capture.
  ByteView payload() const;
  uint32_t payload_size() const;
  PacketTrace trace() const { return {flow, ordinal, sent_at, copy, corrupted}; }
};

// What it says, an undamaged segment at that; a FakeUnixDatagram has only a payload to show.
Packet to_packet(const FakePacket& packet);
// Its octets from the IP header on, not for a FakeUnixDatagram; longer than an MTU, if it is. With
// a corrupted TCP segment the checksum is the one of the segment before it was damaged.
Bytes to_octets(const FakePacket& packet);
// The same, behind what `out` holds.
void append_octets(Bytes& out, const FakePacket& packet);

}  // namespace netrig
