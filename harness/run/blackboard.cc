#include "harness/run/blackboard.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/require.h"

namespace netrig {

void Blackboard::set(const std::string& name, Value value) {
  values_[name] = std::move(value);
  auto waiting = waiting_for_value_.extract(name);
  if (!waiting) return;
  for (FiberId fiber : waiting.mapped()) loop_.wake(fiber);
}

std::expected<Value, std::string> Blackboard::get(const std::string& name) {
  while (true) {
    if (auto known = values_.find(name); known != values_.end()) return known->second;
    if (!promised(name)) return std::unexpected(fmt::format("'{}' has no value", name));
    if (!loop_.inside_fiber()) return std::unexpected(fmt::format("'{}' was never set", name));
    waiting_for_value_[name].push_back(loop_.current());
    if (loop_.park() == Loop::Woken::kDeadline) {
      std::erase(waiting_for_value_[name], loop_.current());
      return std::unexpected(fmt::format("'{}' was not set in time", name));
    }
  }
}

bool Blackboard::arrive(const std::string& name) {
  Barrier& barrier = barriers_[name];
  NETRIG_REQUIRE(barrier.parties > 0);
  barrier.waiting.push_back(loop_.current());
  if (barrier.waiting.size() >= barrier.parties) {
    ++barrier.round;
    for (FiberId fiber : std::exchange(barrier.waiting, {})) {
      if (fiber != loop_.current()) loop_.wake(fiber);
    }
    return true;
  }
  const uint64_t round = barrier.round;
  while (barrier.round == round) {
    if (loop_.park() == Loop::Woken::kDeadline && barrier.round == round) {
      std::erase(barrier.waiting, loop_.current());
      return false;
    }
  }
  return true;
}

uint64_t Blackboard::missing_at_barrier(const std::string& name) const {
  auto found = barriers_.find(name);
  if (found == barriers_.end()) return 0;
  return found->second.parties -
         std::min<uint64_t>(found->second.parties, found->second.waiting.size());
}

void Blackboard::sits_at(const Endpoint& endpoint, const std::string& instance) {
  seats_[endpoint] = instance;
}

std::string Blackboard::who(const Endpoint& endpoint) const {
  auto found = seats_.find(endpoint);
  return found == seats_.end() ? endpoint.to_string() : found->second;
}

}  // namespace netrig
