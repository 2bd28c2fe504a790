// Segments made from the fuzzer's octets, in any order and overlapping, against a model that writes
// octets into an array, the first write winning. The retransmission filter walks the same
// recording.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/base/require.h"
#include "harness/capture/packet_filter.h"
#include "harness/capture/stream.h"
#include "harness/net/packet.h"

namespace {

using namespace netrig;

constexpr size_t kModelOctets = 512;

struct Model {
  std::vector<std::optional<char>> octets = std::vector<std::optional<char>>(kModelOctets);
  std::optional<size_t> fin;

  void write(size_t offset, ByteView payload) {
    for (size_t i = 0; i < payload.size(); ++i) {
      auto& octet = octets[offset + i];
      if (!octet) octet = payload[i];
    }
  }
  Bytes up_to_the_gap() const {
    Bytes out;
    for (const auto& octet : octets) {
      if (!octet || (fin && out.size() == *fin)) break;
      out += *octet;
    }
    return out;
  }
};

CapturedPacket segment(uint32_t sequence, uint8_t flags, const Bytes& payload) {
  Packet packet;
  packet.ip.source = IpAddress::v4(10, 0, 0, 1);
  packet.ip.destination = IpAddress::v4(10, 0, 0, 2);
  packet.ip.protocol = kProtocolTcp;
  TcpHeader tcp;
  tcp.source_port = 40000;
  tcp.destination_port = 80;
  tcp.sequence = sequence;
  tcp.flags = flags;
  packet.tcp = tcp;
  packet.payload = payload;
  CapturedPacket out;
  out.data = encode_packet(packet);
  out.original_length = static_cast<uint32_t>(out.data.size());
  return out;
}

// Any flags, sequence numbers and directions, even octets that are no packet: only sanity is
// checked.
void wild(ByteView octets) {
  Recording recording;
  recording.interfaces.push_back({.name = "unix:/x", .link_type = 101});
  while (octets.size() >= 8) {
    const size_t length = octet_at(octets, 0) % 64;
    const uint32_t sequence = static_cast<uint32_t>(octet_at(octets, 1)) << 24 |
                              static_cast<uint32_t>(octet_at(octets, 2)) << 16 |
                              octet_at(octets, 3);
    CapturedPacket packet = segment(sequence, octet_at(octets, 4), Bytes(length, 'x'));
    packet.interface = octet_at(octets, 5) % 3;
    if ((octet_at(octets, 6) & 1) != 0) {  // the other way
      for (size_t i = 0; i < 4; ++i) std::swap(packet.data[12 + i], packet.data[16 + i]);
      for (size_t i = 0; i < 2; ++i) std::swap(packet.data[20 + i], packet.data[22 + i]);
    }
    for (size_t i = 0; i < 4; ++i) packet.data[28 + i] = octets[(octet_at(octets, 7) + i) % 8];
    if ((octet_at(octets, 6) & 2) != 0) packet.data[octet_at(octets, 7) % 40] ^= octets[1];
    recording.packets.push_back(std::move(packet));
    octets.remove_prefix(8);
  }
  size_t packets = 0;
  for (const Conversation& conversation : reassemble(recording)) {
    packets += conversation.packets.size();
    for (const auto& direction : {conversation.from_client, conversation.from_server}) {
      NETRIG_REQUIRE(direction.octets.size() <= recording.packets.size() * 64 + 64);
      NETRIG_REQUIRE(!(direction.finished && direction.gap));
    }
  }
  NETRIG_REQUIRE(packets <= recording.packets.size());
  (void)PacketFilter::builtin("retransmission").select(recording);
}

// One direction of one conversation, which the model understands.
void tame(uint32_t start, ByteView octets) {
  Recording recording;
  recording.interfaces.push_back({});
  Model model;
  recording.packets.push_back(segment(start, kTcpSyn, {}));
  while (octets.size() >= 3) {
    const size_t offset = octet_at(octets, 0) + (octet_at(octets, 1) & 0x80);
    const size_t length = octet_at(octets, 1) & 0x3f;
    const bool fin = octet_at(octets, 2) > 0xf8;
    Bytes payload;
    for (size_t i = 0; i < length; ++i) payload += static_cast<char>(octets[2] + i);
    model.write(offset, payload);
    if (fin && !model.fin) model.fin = offset + length;
    recording.packets.push_back(segment(start + 1 + static_cast<uint32_t>(offset),
                                        static_cast<uint8_t>(kTcpAck | (fin ? kTcpFin : 0)),
                                        payload));
    octets.remove_prefix(3);
  }
  const auto conversations = reassemble(recording);
  NETRIG_REQUIRE(conversations.size() == 1);
  const StreamDirection& direction = conversations[0].from_client;
  NETRIG_REQUIRE(direction.octets == model.up_to_the_gap());
  NETRIG_REQUIRE(direction.finished == (model.fin && direction.octets.size() == *model.fin));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 5 || size > 4096) return 0;
  const ByteView octets(reinterpret_cast<const char*>(data), size);
  if ((data[0] & 1) != 0) {
    wild(octets.substr(1));
  } else {
    const uint32_t start = static_cast<uint32_t>(data[1]) << 24 | static_cast<uint32_t>(data[2]);
    tame(start, octets.substr(3));
  }
  return 0;
}
