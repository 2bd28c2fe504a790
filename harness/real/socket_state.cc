#include "harness/real/socket_state.h"

#include <poll.h>
#include <utility>

namespace netrig {
namespace {

bool addressed(const Endpoint& endpoint) {
  return endpoint.kind() == Endpoint::Kind::kIp ? endpoint.port() != 0 : !endpoint.path().empty();
}

}  // namespace

void SocketRegister::add(const std::shared_ptr<SocketState>& state) {
  by_id_[state->id] = state;
  refresh(*state);
}

void SocketRegister::refresh(SocketState& state) {
  const auto known = registered_.find(&state);
  if (known != registered_.end()) {
    if (known->second == state.local) return;
    const auto [first, last] = by_endpoint_.equal_range(known->second);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != &state) continue;
      by_endpoint_.erase(entry);
      break;
    }
    registered_.erase(known);
  }
  if (!addressed(state.local)) return;
  by_endpoint_.emplace(state.local, &state);
  registered_.emplace(&state, state.local);
}

void SocketRegister::remove(SocketState& state) {
  state.local = Endpoint();
  refresh(state);
  by_id_.erase(state.id);
}

std::shared_ptr<SocketState> SocketRegister::by_id(uint64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.lock();
}

void SocketRegister::keep_passed(std::shared_ptr<SocketState> state) {
  const uint64_t id = state->id;
  passed_[id] = std::move(state);
}

std::shared_ptr<SocketState> SocketRegister::take_passed(uint64_t id) {
  auto node = passed_.extract(id);
  return node.empty() ? nullptr : std::move(node.mapped());
}

SocketState* SocketRegister::receiver(Transport transport, const Endpoint& to,
                                      const Endpoint& from) const {
  SocketState* best = nullptr;
  int best_score = -1;
  const auto look = [&](const Endpoint& local, int score) {
    const auto [first, last] = by_endpoint_.equal_range(local);
    for (auto entry = first; entry != last; ++entry) {
      SocketState& state = *entry->second;
      if (state.transport != transport) continue;
      int mine = score;
      if (state.peer) {
        if (*state.peer != from) continue;
        mine += 4;
      }
      if (mine > best_score) {
        best = &state;
        best_score = mine;
      }
    }
  };
  look(to, 2);
  if (to.kind() == Endpoint::Kind::kIp) {
    if (!to.address().is_v6()) look(Endpoint(IpAddress(), to.port()), 1);
    look(Endpoint(IpAddress::v6({}), to.port()), 0);  // IPv4 too, unless IPV6_V6ONLY
  }
  return best;
}

SocketState* SocketRegister::sender(Transport transport, const Endpoint& from,
                                    const Endpoint& to) const {
  if (SocketState* found = receiver(transport, from, to)) return found;
  for (const IpAddress& address : {from.address(), IpAddress(), IpAddress::v6({})}) {
    const auto [first, last] = by_endpoint_.equal_range(Endpoint(address, from.port()));
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second->transport == transport) return entry->second;
    }
  }
  return nullptr;
}

SocketState* SocketRegister::listener(const Endpoint& local) const {
  const auto [first, last] = by_endpoint_.equal_range(local);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second->listening) return entry->second;
  }
  return nullptr;
}

std::vector<SocketState*> SocketRegister::sharing(const SocketState& state) const {
  std::vector<SocketState*> others;
  const auto [first, last] = by_endpoint_.equal_range(state.local);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second != &state && entry->second->transport == state.transport) {
      others.push_back(entry->second);
    }
  }
  return others;
}

std::vector<std::shared_ptr<SocketState>> SocketRegister::all() const {
  std::vector<std::shared_ptr<SocketState>> states;
  for (const auto& [id, weak] : by_id_) {
    if (auto state = weak.lock()) states.push_back(std::move(state));
  }
  return states;
}

bool reading_ended(int fd) {
  pollfd entry{fd, POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLRDHUP) != 0;
}

}  // namespace netrig
