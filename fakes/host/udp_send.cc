// UdpSocket: the way out (udp_sendmsg, udpv6_sendmsg).

#include <cerrno>
#include <netinet/in.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/host_flows.h"
#include "fakes/host/udp_socket.h"
#include "harness/net/mapped_address.h"

namespace netrig {
namespace {

// RFC 768 and RFC 791: 65535 less the headers; over IPv6 (RFC 8200) only UDP's own.
constexpr size_t kPayloadMaxV4 = 65507;
constexpr size_t kPayloadMaxV6 = 65527;
constexpr size_t kDatagramMax = 65535;
constexpr size_t kRoutesMax = 4096;

uint64_t hash_of(const Endpoint& endpoint) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t octet : endpoint.address().octets()) {
    hash = (hash ^ octet) * 0x100000001b3;
  }
  return (hash ^ endpoint.port()) * 0x100000001b3;
}

// __ip_append_data(): fragments are allocated as long as twice the send buffer is not exceeded.
bool fits_send_buffer(size_t payload, bool v6, int send_buffer) {
  const size_t fragment = v6 ? 1448 : 1480;
  const size_t octets = payload + 8;
  if (octets <= fragment) return true;
  const size_t before_last = (octets - 1) / fragment * 2304;
  return before_last <= 2 * static_cast<size_t>(send_buffer);
}

}  // namespace

// Checks that the kernel makes before it builds a packet, in its order.
Result<UdpSocket::Way> UdpSocket::destination_of(const OutgoingMessage& message) {
  if (message.size > kDatagramMax) return fail_with(EMSGSIZE);
  const bool to_v6 = message.to ? message.to->kind() == Endpoint::Kind::kIp &&
                                      unmapped(message.to->address()).is_v6()
                                : is_v6() && (!connected_ || peer_->address().is_v6());
  // udpv6_sendmsg() takes the flag for granted.
  if ((message.flags & MSG_OOB) != 0 && !to_v6) return fail_with(EOPNOTSUPP);
  if (message.to) {
    const Endpoint& to = *message.to;
    if (to.kind() != Endpoint::Kind::kIp) {
      return fail_with(!is_v6() && sockaddr_size(to) >= 16 ? EAFNOSUPPORT : EINVAL);
    }
    if (to.address().is_v6() && !is_v6()) return fail_with(EAFNOSUPPORT);
    if (!to_v6 && is_v6() && v6only_) return fail_with(ENETUNREACH);
    if (to.port() == 0) return fail_with(EINVAL);
    const IpAddress target = unmapped(to.address());
    if (!target.is_v6() && target.v4_host_order() == 0x7fffffffu && !options_.broadcast) {
      return fail_with(EACCES);
    }
    return way_to(to);
  }
  if (!connected_) return fail_with(EDESTADDRREQ);
  // udpv6_sendmsg() hands over to udp_sendmsg() with the peer as a name.
  if (is_v6() && !peer_->address().is_v6() && peer_->port() == 0) return fail_with(EINVAL);
  return way_to(*peer_);
}

Result<size_t> UdpSocket::send(const OutgoingMessage& message) {
  if (auto bound = autobind(); !bound) return fail_with(bound.error());
  if (held_) return send_held(message);
  const Route* found = steady_route(message);
  if (found == nullptr) {
    const auto way = destination_of(message);
    if (!way) return fail_with(way.error());
    found = &route(*way);
    last_asked_ = message.to ? *message.to : *peer_;
  }
  const bool v6 = found->way.destination.address().is_v6();
  if (message.size > (v6 ? kPayloadMaxV6 : kPayloadMaxV4)) return fail_with(EMSGSIZE);
  // sock_alloc_send_pskb()
  if (const auto error = take_error()) return fail_with(*error);
  if (send_shutdown_) return fail_with(EPIPE);
  if (!fits_send_buffer(message.size, v6, options_.send_buffer)) return fail_with(ENOBUFS);
  if (corked_ || (message.flags & MSG_MORE) != 0) {
    held_ = Held{found->way, {}};
    for (const ByteView part : message.parts) held_->octets.append(part);
    return message.size;
  }
  BytePool& pool = host_.network().pool();
  SharedBytes payload = message.parts.size() == 1
                            ? pool.copy(message.parts[0])
                            : pool.join(message.parts.data(), message.parts.size());
  transmit(*found, std::move(payload));
  return message.size;
}

// udp(7), UDP_CORK: everything that is sent meanwhile is one datagram, to the first destination.
Result<size_t> UdpSocket::send_held(const OutgoingMessage& message) {
  const bool v6 = held_->way.destination.address().is_v6();
  if ((message.flags & MSG_OOB) != 0 && !v6) return fail_with(EOPNOTSUPP);
  const size_t total = held_->octets.size() + message.size;
  if (total > (v6 ? kPayloadMaxV6 : kPayloadMaxV4)) return fail_with(EMSGSIZE);
  // __ip_append_data(): what follows asks the buffer, not for errors (no sock_alloc_send_pskb).
  if (!fits_send_buffer(total, v6, options_.send_buffer)) {
    held_.reset();  // udp_flush_pending_frames()
    return fail_with(ENOBUFS);
  }
  for (const ByteView part : message.parts) held_->octets.append(part);
  if (corked_ || (message.flags & MSG_MORE) != 0) return message.size;
  const Held held = std::move(*held_);
  held_.reset();
  transmit(route(held.way), host_.network().pool().copy(held.octets));
  return message.size;
}

void UdpSocket::transmit(const Route& found, SharedBytes&& payload) {
  Network& network = host_.network();
  const Way& way = found.way;
  FakePacket& packet = network.draft();
  packet.from = host_.id();
  packet.to = found.to;
  packet.source = way.source.address();
  packet.destination = way.destination.address();
  packet.hop_limit = hop_limit(packet.destination.is_v6());
  packet.identification = connected_ ? next_identification_++ : uint16_t{0};
  packet.flow = found.flow;
  packet.body.emplace<FakeUdp>(way.source.port(), way.destination.port(), std::move(payload),
                               traffic_class(packet.destination.is_v6()));
  if (network.wants_activities()) packet.activity = host_.loop().activity();
  network.send_draft();
}

// What was found for the last datagram, if this one goes to the same place.
const UdpSocket::Route* UdpSocket::steady_route(const OutgoingMessage& message) const {
  const Endpoint* asked = message.to ? &*message.to : peer_ ? &*peer_ : nullptr;
  const bool plain = (message.flags & MSG_OOB) == 0 && message.size <= kDatagramMax;
  if (asked == nullptr || asked->port() == 0 || !plain || *asked != last_asked_) return nullptr;
  return is_current(last_route_) ? &last_route_ : nullptr;
}

bool UdpSocket::is_current(const Route& route) const {
  if (route.flow == 0 || route.own_generation != host_.addressee_generation()) return false;
  const PacketReceiver* receiver = host_.network().receiver(route.to);
  return receiver == nullptr || receiver->addressee_generation() == route.peer_generation;
}

const UdpSocket::Route& UdpSocket::route(const Way& way) {
  Network& network = host_.network();
  const auto valid = [&](const Route& known) {
    return known.way.destination == way.destination && known.way.source == way.source &&
           is_current(known);
  };
  if (valid(last_route_)) return last_route_;
  const uint64_t key = hash_of(way.destination);
  if (const auto known = routes_.find(key); known != routes_.end() && valid(known->second)) {
    last_route_ = known->second;
    return last_route_;
  }
  Route made;
  made.way = way;
  made.to = network.host_by_address(way.destination.address(), host_.id()).value_or(host_.id());
  const PacketReceiver* receiver = network.receiver(made.to);
  made.own_generation = host_.addressee_generation();
  made.peer_generation = receiver == nullptr ? 0 : receiver->addressee_generation();
  made.flow = flow_of(network, {.transport = Transport::kUdp,
                                .from = host_.id(),
                                .to = made.to,
                                .source = way.source,
                                .destination = way.destination,
                                .sender = id(),
                                .sender_bound = was_bound()});
  if (routes_.size() >= kRoutesMax) routes_.clear();
  routes_[key] = made;
  last_route_ = std::move(made);
  return last_route_;
}

uint8_t UdpSocket::traffic_class(bool v6) const {
  return static_cast<uint8_t>(v6 ? kept_option(IPPROTO_IPV6, IPV6_TCLASS, 0)
                                 : kept_option(IPPROTO_IP, IP_TOS, 0));
}

uint8_t UdpSocket::hop_limit(bool v6) const {
  return static_cast<uint8_t>(v6 ? kept_option(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64)
                                 : kept_option(IPPROTO_IP, IP_TTL, 64));
}

}  // namespace netrig
