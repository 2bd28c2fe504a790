#pragma once
// The names of packets on the wire (fate.h), told from the packets alone where programs send them
// and from the world's sockets where actors do: the same names as in the other worlds. A TCP
// segment is named by its place in its connection, a datagram by its number in its flow. It carries
// nothing.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "harness/link/flow_register.h"
#include "harness/real/flow_names.h"
#include "harness/real/host_table.h"
#include "harness/real/socket_state.h"
#include "harness/wire/segment_places.h"
#include "harness/wire/wire_packet.h"

namespace netrig {

// One direction of a TCP connection.
struct TcpDirection {
  FlowRegister::FlowId flow = 0;
  uint64_t connection = 0;  // the two directions of one have the same
  uint32_t initial = 0;     // sequence number of the SYN
  bool opened = false;      // the SYN was seen
  SegmentPlaces places{0};
  uint64_t acknowledgement_stream = 0;
  uint64_t acknowledgements = 0;  // without data; drawn and counted apart (link.h, stage 1)
};

// What a link wants to know of a packet, and what becomes a PacketName if somebody asks.
struct WireName {
  FlowRegister::FlowId flow = 0;  // of TCP
  PacketName packet;              // of a datagram
  uint64_t stream = 0;
  uint64_t ordinal = 0;
  uint64_t flow_number = 0;
  uint64_t service = 0;
  uint16_t service_port = 0;
  bool acknowledgement = false;  // TCP's, without data
};

class WireFlows {
 public:
  // The references must outlive it.
  WireFlows(const HostTable& hosts, const SocketRegister& sockets, std::string tmp)
      : hosts_(hosts), sockets_(sockets), datagrams_(hosts, sockets, std::move(tmp)) {}

  // Pairs of ends that are remembered, of TCP and of programs' datagrams each: a program may send
  // from and to any port that there is.
  static constexpr size_t kEndsMax = 200'000;

  // The direction that a TCP packet belongs to; a new SYN between the same ends begins a new one.
  // It stays where it is. Null: beyond kEndsMax.
  TcpDirection* direction(size_t from, size_t to, const WirePacket& packet);
  // Names segment `index` of the packet, and counts it.
  WireName segment(TcpDirection& direction, const WirePacket& packet, uint32_t index);
  // Names the next datagram from one end to the other. Beyond kEndsMax the others are one flow.
  WireName datagram(size_t from, size_t to, const Endpoint& source, const Endpoint& destination);
  // Of a segment or a datagram.
  PacketName packet_name(const WireName& name);

 private:
  using Ends = std::pair<Endpoint, Endpoint>;

  DatagramRoute route(size_t from, size_t to, const Endpoint& source, const Endpoint& destination);
  void begin(TcpDirection& direction, size_t from, size_t to, const WirePacket& packet,
             uint64_t connection);

  const HostTable& hosts_;
  const SocketRegister& sockets_;
  FlowNames datagrams_;
  FlowRegister flows_;
  std::map<Ends, std::unique_ptr<TcpDirection>> directions_;
  TcpDirection* last_ = nullptr;  // the direction asked for last, and its ends
  Ends last_ends_;
  uint64_t connections_ = 0;
  std::set<Ends> of_programs_;  // that have sent datagrams
};

}  // namespace netrig
