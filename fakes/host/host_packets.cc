// FakeHost: packets, between the network, the TCP stack and the UDP sockets.

#include "fakes/host/host_flows.h"
#include "fakes/host/host_parts.h"
#include "fakes/host/udp_socket.h"
#include "fakes/host/unix_sockets.h"

namespace netrig {
namespace {

constexpr size_t kTcpRoutesMax = 65536;

}  // namespace

size_t FakeHost::Parts::TupleHash::operator()(const TupleKey& key) const {
  uint64_t hash = uint64_t{key.source.port()} << 16 | key.destination.port();
  for (const uint8_t octet : key.destination.address().octets()) {
    hash = (hash ^ octet) * 0x100000001b3;
  }
  return static_cast<size_t>(hash ^ hash >> 29);
}

void FakeHost::deliver(FakePacket&& packet) {
  Parts& parts = *parts_;
  if (auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    parts.stack.process(loop().now(), packet.source, packet.destination, std::move(*segment));
    parts.arm();
  } else if (std::holds_alternative<FakeUdp>(packet.body)) {
    parts.deliver_udp(std::move(packet));
  } else if (const auto* error = std::get_if<FakeIcmpError>(&packet.body)) {
    parts.deliver_icmp(packet, *error);
    parts.arm();
  } else if (std::holds_alternative<FakeUnixDatagram>(packet.body)) {
    deliver_unix_datagram(std::move(packet));
  }
}

void FakeHost::Parts::deliver_udp(FakePacket&& packet) {
  const FakeUdp& datagram = std::get<FakeUdp>(packet.body);
  InetSocket* receiver = inet.udp_receiver(Endpoint(packet.destination, datagram.destination_port),
                                           Endpoint(packet.source, datagram.source_port));
  if (receiver == nullptr) {
    send_port_unreachable(packet);
    return;
  }
  static_cast<UdpSocket*>(receiver)->deliver(std::move(packet));
}

// ---- tcp::Output

FakeHost::Parts::TcpRoute* FakeHost::Parts::tcp_route(const TupleKey& key, bool make) {
  const auto known = tcp_routes.find(key);
  if (known != tcp_routes.end()) return &known->second;
  if (!make) return nullptr;
  if (tcp_routes.size() >= kTcpRoutesMax) tcp_routes.clear();  // they are made again
  TcpRoute route;
  route.to = network.host_by_address(key.destination.address(), id);
  if (route.to) {
    const InetSocket* sender = inet.tcp_socket(key.source);
    route.flow = flow_of(network, {.transport = Transport::kTcp,
                                   .from = id,
                                   .to = *route.to,
                                   .source = key.source,
                                   .destination = key.destination,
                                   .sender_bound = sender != nullptr && sender->was_bound()});
  }
  return &tcp_routes.emplace(key, route).first->second;
}

void FakeHost::Parts::transmit(const IpAddress& source, const IpAddress& destination,
                               tcp::Segment&& segment, const std::string& activity) {
  const TupleKey key{Endpoint(source, segment.source_port),
                     Endpoint(destination, segment.destination_port)};
  // An answer to nobody's segment belongs to no flow.
  TcpRoute* route = tcp_route(key, !segment.has(kTcpRst));
  FakePacket packet;
  packet.from = id;
  if (route != nullptr) {
    if (!route->to) return;
    packet.to = *route->to;
    packet.flow = route->flow;
    packet.identification = route->identification++;
  } else {
    const auto to = network.host_by_address(destination, id);
    if (!to) return;
    packet.to = *to;
  }
  packet.source = source;
  packet.destination = destination;
  packet.body = std::move(segment);
  if (network.captures()) packet.activity = activity;
  network.send(std::move(packet));
}

uint32_t FakeHost::Parts::mtu(const IpAddress&, const IpAddress& destination) const {
  return network.mtu(id, network.host_by_address(destination, id).value_or(id));
}

// ---- names of flows

std::optional<PacketReceiver::Addressee> FakeHost::addressee(Transport transport,
                                                             const Endpoint& to,
                                                             const Endpoint& from) const {
  const InetTable& table = parts_->inet;
  const InetSocket* found = transport == Transport::kUdp   ? table.udp_receiver(to, from)
                            : transport == Transport::kTcp ? table.tcp_socket(to)
                                                           : nullptr;
  if (found == nullptr) return std::nullopt;
  return Addressee{found->id(), found->was_bound()};
}

uint64_t FakeHost::addressee_generation() const {
  return parts_->inet.generation();
}

}  // namespace netrig
