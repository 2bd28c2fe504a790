#include "fakes/host/inet_table.h"

#include <algorithm>

#include "fakes/host/inet_socket.h"

namespace netrig {
namespace {

bool addresses_meet(const IpAddress& a, const IpAddress& b) {
  return a == b || a.is_unspecified() || b.is_unspecified();
}

// inet_rcv_saddr_equal() with match_wildcard.
bool overlap(const InetSocket& a, const InetSocket& b) {
  const bool dual_a = a.is_dual();
  const bool dual_b = b.is_dual();
  if (a.takes_v4() && b.takes_v4() &&
      (dual_a || dual_b || addresses_meet(a.local_address(), b.local_address()))) {
    return true;
  }
  return a.takes_v6() && b.takes_v6() && addresses_meet(a.local_address(), b.local_address());
}

bool overlaps_address(const InetSocket& socket, const IpAddress& address) {
  if (address.is_v6() ? !socket.takes_v6() : !socket.takes_v4()) return false;
  if (socket.is_dual()) return true;
  return addresses_meet(socket.local_address(), address);
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
  if (socket.peer()) {
    if (*socket.peer() != from) return -1;
    score += 8;
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

// inet_bind_conflict() for an explicit port relaxes SO_REUSEADDR, for a chosen one it does not
// (`chosen`); udp_lib_lport_inuse().
bool InetTable::conflicts(const InetSocket& socket, uint16_t port, bool chosen,
                          bool listening) const {
  const Slot* place = slot(socket.is_tcp(), port);
  if (place == nullptr) return false;
  for (const InetSocket* other : place->sockets) {
    if (other == &socket) continue;
    const bool both_reuse = socket.reuses_address() && other->reuses_address();
    if (socket.is_tcp()) {
      if (both_reuse && !other->is_listening() && !chosen) continue;
      if (!chosen && socket.reuses_port() && other->reuses_port()) continue;
    } else {
      if (both_reuse && !chosen) continue;
      if (!chosen && socket.reuses_port() && other->reuses_port()) continue;
    }
    if (overlap(socket, *other)) return true;
  }
  return socket.is_tcp() && !listening && orphans_conflict(socket, *place, port);
}

bool InetTable::orphans_conflict(const InetSocket& socket, const Slot& place, uint16_t port) const {
  return std::any_of(place.orphans.begin(), place.orphans.end(), [&](const Orphans& orphans) {
    if (socket.reuses_address() && orphans.reuse_address) return false;
    if (socket.reuses_port() && orphans.reuse_port) return false;
    if (!overlaps_address(socket, orphans.address)) return false;
    return stack_use_(Endpoint(orphans.address, port)) != tcp::Stack::PortUse::kFree;
  });
}

Result<void> InetTable::bind(InetSocket& socket, uint16_t port) {
  if (port != 0) {
    if (conflicts(socket, port, false, false)) return fail_with(EADDRINUSE);
    insert(socket, port, false);
    return {};
  }
  const uint32_t ports = ephemeral_.last - ephemeral_.first + 1u;
  for (uint32_t tried = 0; tried < ports; ++tried) {
    const uint16_t candidate = next_port(socket.is_tcp());
    if (conflicts(socket, candidate, true, false)) continue;
    insert(socket, candidate, false);
    return {};
  }
  return fail_with(EADDRINUSE);
}

Result<void> InetTable::may_listen(const InetSocket& socket) const {
  if (conflicts(socket, socket.local_port(), false, true)) return fail_with(EADDRINUSE);
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
      if (!done) release(socket, false);
      return done;
    }
    release(socket, false);
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

void InetTable::release(InetSocket& socket, bool lingers) {
  if (!socket.in_table_) return;
  const auto found = slots_.find(key(socket, socket.local_port_));
  Slot& place = found->second;
  InetSocket* last = place.sockets.back();
  place.sockets[socket.place_] = last;
  last->place_ = socket.place_;
  place.sockets.pop_back();
  if (!socket.by_connect_) --place.bound;
  if (lingers) {
    const auto same = std::find_if(place.orphans.begin(), place.orphans.end(), [&](auto& each) {
      return each.address == socket.local_address_;
    });
    Orphans& orphans = same != place.orphans.end()
                           ? *same
                           : place.orphans.emplace_back(Orphans{socket.local_address_});
    orphans.reuse_address &= socket.reuses_address();
    orphans.reuse_port &= socket.reuses_port();
  }
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
