#include "fakes/network/fake_packet.h"

#include "harness/base/require.h"

namespace netrig {
namespace {

constexpr size_t kTcpChecksumAt = 16;  // in a TCP header

// All but the payload.
Packet headers_of(const FakePacket& packet) {
  Packet result;
  result.ip = {.source = packet.source,
               .destination = packet.destination,
               .hop_limit = packet.hop_limit,
               .identification = packet.identification,
               .dont_fragment = packet.dont_fragment};
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    result.ip.protocol = kProtocolTcp;
    result.ip.traffic_class = static_cast<uint8_t>(segment->ecn);
    result.tcp = to_header(*segment);
  } else if (const auto* udp = std::get_if<FakeUdp>(&packet.body)) {
    result.ip.protocol = kProtocolUdp;
    result.ip.traffic_class = udp->traffic_class;
    result.udp = UdpHeader{udp->source_port, udp->destination_port};
  } else if (const auto* icmp = std::get_if<FakeIcmpError>(&packet.body)) {
    result.ip.protocol = packet.source.is_v6() ? kProtocolIcmpV6 : kProtocolIcmp;
    result.icmp = IcmpHeader{icmp->type, icmp->code, icmp->rest};
  }
  return result;
}

}  // namespace

ByteView FakePacket::payload() const {
  struct Visitor {
    ByteView operator()(std::monostate) const { return {}; }
    ByteView operator()(const tcp::Segment& it) const { return it.payload.view(); }
    ByteView operator()(const FakeUdp& it) const { return it.payload.view(); }
    ByteView operator()(const FakeIcmpError& it) const { return it.quoted; }
    ByteView operator()(const FakeUnixDatagram& it) const { return it.payload.view(); }
  };
  return std::visit(Visitor{}, body);
}

uint32_t FakePacket::payload_size() const {
  if (std::holds_alternative<FakeIcmpError>(body)) return 0;
  return static_cast<uint32_t>(payload().size());
}

Packet to_packet(const FakePacket& packet) {
  Packet result = headers_of(packet);
  result.payload = packet.payload();
  result.payload_length = static_cast<uint32_t>(result.payload.size());
  return result;
}

Bytes to_octets(const FakePacket& packet) {
  Bytes octets;
  append_octets(octets, packet);
  return octets;
}

void append_octets(Bytes& out, const FakePacket& packet) {
  NETRIG_REQUIRE(!std::holds_alternative<FakeUnixDatagram>(packet.body));
  const size_t start = out.size();
  const ByteView payload = packet.payload();
  append_packet(out, headers_of(packet), payload);
  const auto* segment = std::get_if<tcp::Segment>(&packet.body);
  if (segment == nullptr || segment->checksum_ok) return;
  const size_t octet = packet.corrupt_bit / 8;
  if (octet < payload.size()) {
    char& damaged = out[out.size() - payload.size() + octet];
    damaged = static_cast<char>(damaged ^ (0x80 >> packet.corrupt_bit % 8));
  } else {
    // Damaged elsewhere: the checksum itself shows it.
    char& checksum = out[start + (packet.source.is_v6() ? 40 : 20) + kTcpChecksumAt];
    checksum = static_cast<char>(checksum ^ 0x01);
  }
}

}  // namespace netrig
