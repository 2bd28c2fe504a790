#include "harness/wire/wire_flows.h"

#include <fmt/format.h>

#include "harness/link/link.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

bool is_ephemeral(uint16_t port) {
  return port >= 32768;
}  // ip_local_port_range's default

bool is_acknowledgement(const WirePacket& packet) {
  return (packet.flags & (kTcpSyn | kTcpFin)) == 0 && packet.payload_size == 0;
}

}  // namespace

TcpDirection* WireFlows::direction(size_t from, size_t to, const WirePacket& packet) {
  Ends ends(packet.from(), packet.to());
  const bool opens = (packet.flags & kTcpSyn) != 0;
  if (last_ != nullptr && !opens && ends == last_ends_) return last_;
  if (directions_.size() >= kEndsMax && !directions_.contains(ends)) return nullptr;
  auto& place = directions_[ends];
  const auto back = directions_.find({ends.second, ends.first});
  TcpDirection* other = back == directions_.end() ? nullptr : back->second.get();
  const bool known = place != nullptr;
  if (!known) place = std::make_unique<TcpDirection>();
  // A SYN with another number begins a connection; the answer to one, and the SYN of a simultaneous
  // open, belong to the connection that the other direction has begun.
  const bool anew = opens && known && place->opened && place->initial != packet.sequence;
  if (!known || anew || (opens && !place->opened)) {
    const bool answers = other != nullptr && (!known || other->connection > place->connection);
    begin(*place, from, to, packet, answers ? other->connection : ++connections_);
  }
  last_ = place.get();
  last_ends_ = std::move(ends);
  return last_;
}

void WireFlows::begin(TcpDirection& direction, size_t from, size_t to, const WirePacket& packet,
                      uint64_t connection) {
  const bool opens = (packet.flags & kTcpSyn) != 0;
  // The service is the end that was bound by hand, the receiver's first (fate.h): the one that
  // answers, unless an actor's socket is known to be it.
  const SocketState* receiver = sockets_.receiver(Transport::kTcp, packet.to(), packet.from());
  const SocketState* sender = sockets_.receiver(Transport::kTcp, packet.from(), packet.to());
  const bool by_server = opens && (packet.flags & kTcpAck) != 0;
  const bool names_sender = receiver != nullptr && (receiver->bound || receiver->listening) ? false
                            : sender != nullptr && sender->bound                            ? true
                                                                 : by_server;
  const uint16_t port = names_sender ? packet.source_port : packet.destination_port;
  const bool chosen = is_ephemeral(port) && (names_sender || receiver != nullptr);
  const std::string service =
      fmt::format("tcp|{}:{}", hosts_.name(names_sender ? from : to), chosen ? 0 : port);
  direction = TcpDirection();
  direction.connection = connection;
  direction.opened = opens;
  direction.initial = packet.sequence - (opens ? 0 : 1);
  direction.places = SegmentPlaces(direction.initial);
  const std::string way = hosts_.name(from) + " -> " + hosts_.name(to);
  direction.flow = flows_.flow(way, service, std::to_string(connection));
  direction.acknowledgement_stream = flow_stream(way, flows_.name(direction.flow) + "|ack");
}

WireName WireFlows::segment(TcpDirection& direction, const WirePacket& packet, uint32_t index) {
  WireName name{.flow = direction.flow,
                .packet = {},
                .stream = flows_.stream(direction.flow),
                .ordinal = 0,
                .flow_number = flows_.number(direction.flow),
                .service = flows_.service(direction.flow),
                .service_port = flows_.service_port(direction.flow),
                .acknowledgement = is_acknowledgement(packet)};
  if (name.acknowledgement) {
    name.stream = direction.acknowledgement_stream;
    name.ordinal = ++direction.acknowledgements;
  } else {
    const auto place = direction.places.sent(packet.sequence + index * packet.segment_size,
                                             packet.sequence_length(index));
    name.ordinal = place.ordinal();
  }
  return name;
}

WireName WireFlows::datagram(size_t from, size_t to, const Endpoint& source,
                             const Endpoint& destination) {
  FlowNames::Named named = datagrams_.next(route(from, to, source, destination));
  WireName name;
  name.ordinal = named.packet.ordinal;
  name.packet = std::move(named.packet);
  name.stream = named.stream;
  name.flow_number = named.flow_number;
  name.service = named.service;
  name.service_port = named.service_port;
  return name;
}

PacketName WireFlows::packet_name(const WireName& name) {
  if (name.flow == 0) return name.packet;
  PacketName packet = flows_.packet_name(name.flow, name.ordinal);
  if (name.acknowledgement) packet.flow = packet.flow.str() + "|ack";
  return packet;
}

// What an actor's socket sends is named as in the world without a wire; a program's sockets are not
// known, so there an ephemeral port is taken for one that the kernel chose.
DatagramRoute WireFlows::route(size_t from, size_t to, const Endpoint& source,
                               const Endpoint& destination) {
  const SocketState* sender = sockets_.sender(Transport::kUdp, source, destination);
  if (sender != nullptr && sender->host == from) return datagrams_.route(*sender, destination);
  DatagramRoute way;
  way.from = from;
  way.to = to;
  way.direction = hosts_.name(from) + " -> " + hosts_.name(to);
  way.source = source;
  way.destination = destination;
  const SocketState* receiver = sockets_.receiver(Transport::kUdp, destination, source);
  const bool to_ephemeral =
      receiver != nullptr ? !receiver->bound : is_ephemeral(destination.port());
  const bool names_sender = to_ephemeral && !is_ephemeral(source.port());
  const uint16_t port = names_sender ? source.port() : destination.port();
  way.service = fmt::format("udp|{}:{}", hosts_.name(names_sender ? from : to),
                            is_ephemeral(port) ? 0 : port);
  way.ends = source.to_string() + ">" + destination.to_string();
  if (of_programs_.size() < kEndsMax) {
    of_programs_.emplace(source, destination);
  } else if (!of_programs_.contains({source, destination})) {
    way.service = "udp|" + hosts_.name(to) + ":0";
    way.ends = "others";
  }
  return way;
}

}  // namespace netrig
