#include "fakes/host/inet_table.h"

#include <algorithm>

#include "fakes/host/inet_socket.h"

namespace netrig {
namespace {

using Claim = InetTable::Claim;

bool is_v4_any(const IpAddress& address) {
  return !address.is_v6() && address.is_unspecified();
}
bool is_v6_any(const IpAddress& address) {
  return address.is_v6() && address.is_unspecified();
}

// sk_rcv_saddr: of an IPv6 address it is 127.0.0.6 (LOOPBACK4_IPV6), which equals no other here.
bool rcv_v4_equal(const Claim& a, const Claim& b) {
  const auto any = [](const Claim& c) { return c.address.is_unspecified(); };
  if (any(a) || any(b)) return true;
  return a.address.is_v6() == b.address.is_v6() && (a.address.is_v6() || a.address == b.address);
}

// inet_rcv_saddr_equal() with match_wildcard. It is not symmetric.
bool overlap(const Claim& a, const Claim& b) {
  if (!a.v6 || (!a.address.is_v6() && !b.address.is_v6())) return !b.v6only && rcv_v4_equal(a, b);
  if (is_v6_any(b.address) && !(b.v6only && !a.address.is_v6())) return true;
  if (is_v6_any(a.address) && !(a.v6only && !b.address.is_v6())) return true;
  return b.v6 && a.address == b.address;
}

// Linux looks through all sockets of a port only for one that is bound to a wildcard
// (inet_use_bhash2_on_bind); else through those of the same address and of the wildcards.
bool tcp_overlap(const Claim& a, const Claim& b) {
  if (a.address.is_unspecified()) return overlap(a, b);
  if (b.v6only && !a.address.is_v6()) return false;
  return a.address == b.address || is_v6_any(b.address) ||
         (is_v4_any(b.address) && !a.address.is_v6());
}

bool overlaps_address(const InetSocket& socket, const IpAddress& address) {
  if (address.is_v6() ? !socket.takes_v6() : !socket.takes_v4()) return false;
  if (socket.is_dual()) return true;
  return socket.local_address() == address || socket.local_address().is_unspecified();
}

// compute_score() of udp.c and udp6.c, the lookup by exact address first. -1: not for it.
int udp_score(const InetSocket& socket, const Endpoint& to, const Endpoint& from) {
  const bool v6 = to.address().is_v6();
  if (v6 ? !socket.takes_v6() : !socket.takes_v4()) return -1;
  int score = 0;
  if (!socket.local_address().is_unspecified()) {
    if (socket.local_address() != to.address()) return -1;
    score += 100;
  }
  if (const auto& peer = socket.peer()) {
    if (peer->address() != from.address()) return -1;
    score += 4;
    if (peer->port() != 0) {  // none: from any port
      if (peer->port() != from.port()) return -1;
      score += 4;
    }
  }
  return socket.is_v6() ? score : score + 1;
}

uint32_t hash_of(const Endpoint& endpoint) {
  uint32_t hash = 2166136261u;  // FNV-1a: which of a group, not a defence
  for (const uint8_t octet : endpoint.address().octets()) hash = (hash ^ octet) * 16777619u;
  return (hash ^ endpoint.port()) * 16777619u;
}

}  // namespace

uint32_t InetTable::key(const InetSocket& socket, uint16_t port) {
  return (socket.is_tcp() ? 0x10000u : 0u) | port;
}

const InetTable::Slot* InetTable::slot(bool tcp, uint16_t port) const {
  const auto found = slots_.find((tcp ? 0x10000u : 0u) | port);
  return found == slots_.end() ? nullptr : &found->second;
}

Claim InetTable::claim_of(const InetSocket& socket) {
  return {socket.is_v6(), socket.local_address(), socket.v6only_};
}

bool InetTable::conflicts(const InetSocket& socket, uint16_t port, bool chosen,
                          bool listening) const {
  const Slot* place = slot(socket.is_tcp(), port);
  if (place == nullptr) return false;
  return socket.is_tcp() ? tcp_conflicts(socket, *place, port, chosen, listening)
                         : udp_conflicts(socket, *place, chosen);
}

// inet_csk_get_port() and inet_bind_conflict(). What the port was taken with counts, not only what
// its sockets ask for now: `fastreuse`, sk_reuseport_match(). For a `chosen` port nothing is
// shared.
bool InetTable::tcp_conflicts(const InetSocket& socket, const Slot& place, uint16_t port,
                              bool chosen, bool listening) const {
  const Claim claim = claim_of(socket);
  if (!chosen) {
    if (place.fast_reuse && socket.reuses_address() && !listening) return false;
    if (socket.reuses_port() && place.fast_port == FastPort::kAny) return false;
    if (socket.reuses_port() && place.fast_port == FastPort::kStrict) {
      // ipv6_rcv_saddr_equal() with a wildcard of the port's, not of the socket's.
      const bool any = place.fast_claim.address.is_unspecified();
      if (place.fast_claim.address == claim.address || (any && overlap(place.fast_claim, claim))) {
        return false;
      }
    }
  }
  const auto excused = [&](bool reuse_address, bool reuse_port, bool listens) {
    if (socket.reuses_address() && reuse_address && !listens) return !chosen;
    return !chosen && socket.reuses_port() && reuse_port;
  };
  for (const InetSocket* other : place.sockets) {
    if (other == &socket) continue;
    if (excused(other->reuses_address(), other->reuses_port(), other->is_listening())) continue;
    if (tcp_overlap(claim, claim_of(*other))) return true;
  }
  return std::any_of(place.orphans.begin(), place.orphans.end(), [&](const Orphan& orphan) {
    return !excused(orphan.reuse_address, orphan.reuse_port, false) &&
           tcp_overlap(claim, orphan.claim) && orphan_lives_(orphan.local(port), orphan.peer);
  });
}

// udp_lib_lport_inuse(): the socket that was bound last decides, if its address is the same and one
// of the two does not set SO_REUSEADDR.
bool InetTable::udp_conflicts(const InetSocket& socket, const Slot& place, bool chosen) {
  const Claim claim = claim_of(socket);
  const InetSocket* last = nullptr;
  for (const InetSocket* other : place.sockets) {
    if (other == &socket || (other->reuses_address() && socket.reuses_address())) continue;
    if (!overlap(claim, claim_of(*other))) continue;
    if (last == nullptr || other->order_ > last->order_) last = other;
  }
  if (last == nullptr) return false;
  return chosen || !last->reuses_port() || !socket.reuses_port();
}

// inet_csk_update_fastreuse().
void InetTable::update_fast(const InetSocket& socket, Slot& place, bool listening) {
  const bool reuse = socket.reuses_address() && !listening;
  const size_t others = place.sockets.size() - (socket.in_table_ ? 1 : 0) + place.orphans.size();
  if (others == 0 && !socket.in_table_) {
    place.fast_reuse = reuse;
    place.fast_port = socket.reuses_port() ? FastPort::kAny : FastPort::kNo;
    place.fast_claim = claim_of(socket);
    return;
  }
  if (!reuse) place.fast_reuse = false;
  if (!socket.reuses_port()) {
    place.fast_port = FastPort::kNo;
  } else if (place.fast_port == FastPort::kNo) {
    place.fast_port = FastPort::kStrict;
    place.fast_claim = claim_of(socket);
  }
}

void InetTable::prune(Slot& place, uint16_t port) {
  std::erase_if(place.orphans, [&](const Orphan& orphan) {
    return !orphan_lives_(orphan.local(port), orphan.peer);
  });
  place.pruned = place.orphans.size();
}

Result<void> InetTable::bind(InetSocket& socket, uint16_t port) {
  if (port != 0) {
    if (conflicts(socket, port, false, false)) return fail_with(EADDRINUSE);
    take(socket, port);
    return {};
  }
  const uint32_t ports = ephemeral_.last - ephemeral_.first + 1u;
  for (uint32_t tried = 0; tried < ports; ++tried) {
    const uint16_t candidate = next_port(socket.is_tcp());
    if (conflicts(socket, candidate, true, false)) continue;
    take(socket, candidate);
    return {};
  }
  return fail_with(EADDRINUSE);
}

void InetTable::take(InetSocket& socket, uint16_t port) {
  Slot& place = slots_[key(socket, port)];
  prune(place, port);
  update_fast(socket, place, false);
  insert(socket, port, false);
}

Result<void> InetTable::start_listening(InetSocket& socket) {
  const uint16_t port = socket.local_port();
  if (conflicts(socket, port, false, true)) return fail_with(EADDRINUSE);
  update_fast(socket, slots_[key(socket, port)], true);
  return {};
}

// __inet_hash_connect(): a port with a bound socket is left alone, one of other connections may be
// shared if the pair of endpoints is new.
Result<void> InetTable::bind_for_connect(InetSocket& socket,
                                         const std::function<Result<void>()>& attempt) {
  const uint32_t ports = ephemeral_.last - ephemeral_.first + 1u;
  for (uint32_t tried = 0; tried < ports; ++tried) {
    const uint16_t candidate = next_port(socket.is_tcp());
    const Slot* place = slot(socket.is_tcp(), candidate);
    if (place != nullptr && place->bound > 0) continue;
    insert(socket, candidate, true);
    auto done = attempt();
    if (done || done.error() != Errno(EADDRNOTAVAIL)) {
      if (!done) release(socket);
      return done;
    }
    release(socket);
  }
  return fail_with(EADDRNOTAVAIL);
}

void InetTable::adopt(InetSocket& child) {
  insert(child, child.local_port_, false);
}

void InetTable::insert(InetSocket& socket, uint16_t port, bool by_connect) {
  Slot& place = slots_[key(socket, port)];
  socket.local_port_ = port;
  socket.shown_port_ = port;
  socket.in_table_ = true;
  socket.by_connect_ = by_connect;
  socket.place_ = place.sockets.size();
  socket.order_ = ++next_order_;
  place.sockets.push_back(&socket);
  if (!by_connect) ++place.bound;
  ++generation_;
}

void InetTable::connection_ended(const InetSocket& socket) {
  if (socket.in_table_) left_behind(socket, slots_[key(socket, socket.local_port_)]);
}

void InetTable::left_behind(const InetSocket& socket, Slot& place) {
  if (!socket.is_tcp() || !socket.peer()) return;
  const uint16_t port = socket.local_port_;
  if (!orphan_lives_(Endpoint(socket.local_address_, port), *socket.peer())) return;
  place.orphans.push_back(
      {claim_of(socket), *socket.peer(), socket.reuses_address(), socket.reuses_port()});
  // Those that have ended are forgotten now and then.
  if (place.orphans.size() > 2 * place.pruned + 16) prune(place, port);
}

void InetTable::release(InetSocket& socket) {
  if (!socket.in_table_) return;
  const auto found = slots_.find(key(socket, socket.local_port_));
  Slot& place = found->second;
  InetSocket* last = place.sockets.back();
  place.sockets[socket.place_] = last;
  last->place_ = socket.place_;
  place.sockets.pop_back();
  if (!socket.by_connect_) --place.bound;
  left_behind(socket, place);
  if (place.sockets.empty() && place.orphans.empty()) slots_.erase(found);
  socket.in_table_ = false;
  socket.local_port_ = 0;
  ++generation_;
}

InetSocket* InetTable::udp_receiver(const Endpoint& to, const Endpoint& from) const {
  const Slot* place = slot(false, to.port());
  if (place == nullptr) return nullptr;
  if (place->sockets.size() == 1) {
    InetSocket* only = place->sockets.front();
    return udp_score(*only, to, from) < 0 ? nullptr : only;
  }
  InetSocket* best = nullptr;
  int best_score = -1;
  uint32_t group = 0;  // sockets that share the best score by SO_REUSEPORT
  for (InetSocket* socket : place->sockets) {
    const int score = udp_score(*socket, to, from);
    if (score < 0 || score < best_score) continue;
    if (score > best_score) {
      best = socket;
      best_score = score;
      group = 1;
      continue;
    }
    if (socket->reuses_port()) ++group;
    if (socket->order_ > best->order_) best = socket;
  }
  if (best == nullptr || !best->reuses_port() || group < 2 || best->peer()) return best;
  uint32_t chosen = hash_of(from) % group;
  for (InetSocket* socket : place->sockets) {
    if (udp_score(*socket, to, from) != best_score || !socket->reuses_port()) continue;
    if (chosen-- == 0) return socket;
  }
  return best;
}

InetSocket* InetTable::tcp_socket(const Endpoint& to) const {
  const Slot* place = slot(true, to.port());
  if (place == nullptr) return nullptr;
  for (InetSocket* socket : place->sockets) {
    if (overlaps_address(*socket, to.address())) return socket;
  }
  return nullptr;
}

uint16_t InetTable::next_port(bool tcp) {
  const uint32_t ports = ephemeral_.last - ephemeral_.first + 1u;
  uint32_t& next = next_[tcp ? 1 : 0];
  const auto port = static_cast<uint16_t>(ephemeral_.first + next);
  next = (next + 1) % ports;
  return port;
}

}  // namespace netrig
