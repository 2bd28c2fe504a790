#include "fakes/tcp/stack.h"

#include <algorithm>
#include <utility>

#include "fakes/tcp/listener_impl.h"
#include "fakes/tcp/time_wait.h"
#include "harness/base/require.h"

namespace netrig::tcp {
namespace {

FourTuple tuple_of(const Endpoint& local, const Endpoint& peer) {
  return {local.address(), peer.address(), local.port(), peer.port()};
}

IpAddress any_v6() {
  return IpAddress::v6({});
}

uint32_t group_hash(const FourTuple& tuple) {
  uint32_t hash = 2166136261u;  // FNV-1a: which of a group, not a defence
  for (const IpAddress& address : {tuple.local, tuple.peer}) {
    for (const uint8_t octet : address.octets()) hash = (hash ^ octet) * 16777619u;
  }
  hash = (hash ^ tuple.local_port) * 16777619u;
  hash = (hash ^ tuple.peer_port) * 16777619u;
  return hash ^ hash >> 15;
}

}  // namespace

struct Stack::Parts {
  Parts(Output& output, BytePool& pool, const StackOptions& options)
      : core(output, pool, options) {}

  ListenerImpl* listener_at(const IpAddress& address, const FourTuple& tuple) const {
    const auto found = listeners.find({tuple.local_port, address});
    if (found == listeners.end()) return nullptr;
    const auto& group = found->second;
    return group[group.size() == 1 ? 0 : group_hash(tuple) % group.size()].get();
  }
  // An exact address first, then the wildcards.
  ListenerImpl* listener_for(const FourTuple& tuple) const {
    if (listeners.empty()) return nullptr;
    if (ListenerImpl* exact = listener_at(tuple.local, tuple)) return exact;
    if (tuple.local.is_v6()) return listener_at(any_v6(), tuple);
    if (ListenerImpl* any = listener_at(IpAddress(), tuple)) return any;
    ListenerImpl* both = listener_at(any_v6(), tuple);
    return both != nullptr && both->dual() ? both : nullptr;
  }
  void process_time_wait(Instant now, TimeWait& wait, const FourTuple& tuple, Segment&& segment);
  void process_nobody(Instant now, const FourTuple& tuple, const Segment& segment,
                      std::optional<SeqNum> iss);
  static void end_if_finished(StackCore& core, ConnectionImpl& connection) {
    if (connection.finished()) core.remove(connection);
  }

  StackCore core;
  // Several at one place: a group of SO_REUSEPORT. No place is empty.
  std::map<std::pair<uint16_t, IpAddress>, std::vector<std::unique_ptr<ListenerImpl>>> listeners;
};

Stack::Stack(Output& output, BytePool& pool, const StackOptions& options)
    : parts_(std::make_unique<Parts>(output, pool, options)) {}

Stack::~Stack() = default;

// ---- sockets

Result<Connection*> Stack::connect(Instant now, const Endpoint& local, const Endpoint& peer,
                                   const ConnectionOptions& options, ConnectionObserver* observer) {
  StackCore& core = parts_->core;
  const FourTuple tuple = tuple_of(local, peer);
  SeqNum iss = core.initial_sequence(now, tuple);
  if (Participant* holder = core.find(tuple)) {
    if (holder->kind != Participant::Kind::kTimeWait) return fail_with(EADDRNOTAVAIL);
    auto& wait = static_cast<TimeWait&>(*holder);
    if (!wait.reusable(now)) return fail_with(EADDRNOTAVAIL);
    iss = wait.next_iss();
    core.remove(wait);
  }
  if (core.full()) return fail_with(ENOBUFS);
  auto made = std::make_unique<ConnectionImpl>(core, options, local, peer);
  ConnectionImpl& connection = *made;
  core.add(std::move(made), tuple);
  connection.set_observer(observer);
  connection.open(now, iss, core.timestamp_offset(tuple));
  return &connection;
}

Result<Listener*> Stack::listen(const Endpoint& local, bool dual, size_t backlog,
                                const ConnectionOptions& options, ListenerObserver* observer,
                                bool shared) {
  auto& group = parts_->listeners[{local.port(), local.address()}];
  if (!group.empty() && !shared) return fail_with(EADDRINUSE);
  group.push_back(
      std::make_unique<ListenerImpl>(parts_->core, local, dual, backlog, options, observer));
  return group.back().get();
}

void Stack::close_listener(Instant now, Listener* listener) {
  const auto found =
      parts_->listeners.find({listener->local().port(), listener->local().address()});
  NETRIG_REQUIRE(found != parts_->listeners.end());
  auto& group = found->second;
  const auto place = std::find_if(group.begin(), group.end(),
                                  [&](const auto& each) { return each.get() == listener; });
  NETRIG_REQUIRE(place != group.end());
  // First out of the way: nothing that happens now may find it.
  const std::unique_ptr<ListenerImpl> closing = std::move(*place);
  group.erase(place);
  if (group.empty()) parts_->listeners.erase(found);
  closing->close(now);
}

bool Stack::holds(const Endpoint& local, const Endpoint& peer) const {
  return parts_->core.find(tuple_of(local, peer)) != nullptr;
}

Stack::PortUse Stack::port_use(const Endpoint& local) const {
  const auto same = [&](const IpAddress& address) {
    return address.is_v6() == local.address().is_v6() &&
           (address == local.address() || address.is_unspecified() ||
            local.address().is_unspecified());
  };
  for (auto it = parts_->listeners.lower_bound({local.port(), IpAddress()});
       it != parts_->listeners.end() && it->first.first == local.port(); ++it) {
    const bool both = it->first.second.is_unspecified() &&
                      std::any_of(it->second.begin(), it->second.end(),
                                  [](const auto& listener) { return listener->dual(); });
    if (same(it->first.second) || both) return PortUse::kListening;
  }
  PortUse use = PortUse::kFree;
  for (const Participant* holder = parts_->core.first_of_port(local.port()); holder != nullptr;
       holder = holder->port_next) {
    if (!same(holder->tuple.local)) continue;
    if (holder->kind != Participant::Kind::kTimeWait) return PortUse::kConnected;
    use = PortUse::kTimeWait;
  }
  return use;
}

// ---- network

void Stack::process(Instant now, const IpAddress& source, const IpAddress& destination,
                    Segment&& segment) {
  StackCore& core = parts_->core;
  ++core.counters().segments_received;
  if (!segment.checksum_ok) {  // RFC 9293 3.1, MUST-3
    ++core.counters().checksum_errors;
    return;
  }
  const FourTuple tuple{destination, source, segment.destination_port, segment.source_port};
  Participant* holder = core.find(tuple);
  if (holder == nullptr) {
    parts_->process_nobody(now, tuple, segment, std::nullopt);
    return;
  }
  switch (holder->kind) {
    case Participant::Kind::kConnection: {
      auto& connection = static_cast<ConnectionImpl&>(*holder);
      connection.process(now, std::move(segment));
      Parts::end_if_finished(core, connection);
      return;
    }
    case Participant::Kind::kHalfOpen:
      static_cast<HalfOpen&>(*holder).process(now, std::move(segment));
      return;
    case Participant::Kind::kTimeWait:
      parts_->process_time_wait(now, static_cast<TimeWait&>(*holder), tuple, std::move(segment));
      return;
  }
}

void Stack::Parts::process_nobody(Instant now, const FourTuple& tuple, const Segment& segment,
                                  std::optional<SeqNum> iss) {
  if (ListenerImpl* listener = listener_for(tuple)) {
    listener->process(now, tuple, segment, iss);
  } else {
    core.answer_with_reset(tuple, segment);  // RFC 9293 3.10.7.1
  }
}

void Stack::Parts::process_time_wait(Instant now, TimeWait& wait, const FourTuple& tuple,
                                     Segment&& segment) {
  using What = TimeWait::Verdict::What;
  const TimeWait::Verdict verdict = wait.process(now, segment);
  switch (verdict.what) {
    case What::kDone:
      return;
    case What::kDelete:
      core.remove(wait);
      return;
    case What::kReset:
      core.remove(wait);
      core.answer_with_reset(tuple, segment);
      return;
    case What::kNewSyn:
      if (listener_for(tuple) == nullptr) {
        wait.acknowledge(now);
        return;
      }
      core.remove(wait);
      process_nobody(now, tuple, segment, verdict.iss);
      return;
  }
}

void Stack::icmp(Instant now, const Endpoint& local, const Endpoint& peer, SeqNum seq, Errno error,
                 bool /*hard*/, std::optional<uint32_t> mtu) {
  Participant* holder = parts_->core.find(tuple_of(local, peer));
  if (holder == nullptr) return;
  if (holder->kind == Participant::Kind::kConnection) {
    auto& connection = static_cast<ConnectionImpl&>(*holder);
    connection.icmp(now, seq, error, mtu);
    Parts::end_if_finished(parts_->core, connection);
  } else if (holder->kind == Participant::Kind::kHalfOpen && !mtu) {
    static_cast<HalfOpen&>(*holder).icmp(seq, error);
  }
}

Instant Stack::next_deadline() const {
  const DeadlineHeap& heap = parts_->core.deadlines();
  return heap.empty() ? Instant::max() : heap.first().deadline;
}

void Stack::expire(Instant now) {
  StackCore& core = parts_->core;
  // A deadline that is due again and again without anything happening would be a bug of ours.
  size_t rounds_left = 16 * core.count() + 1000;
  while (next_deadline() <= now) {
    NETRIG_REQUIRE(rounds_left-- > 0);
    Participant& first = core.deadlines().first();
    switch (first.kind) {
      case Participant::Kind::kConnection: {
        auto& connection = static_cast<ConnectionImpl&>(first);
        connection.expire(now);
        Parts::end_if_finished(core, connection);
        break;
      }
      case Participant::Kind::kHalfOpen:
        static_cast<HalfOpen&>(first).expire(now);
        break;
      case Participant::Kind::kTimeWait:
        core.remove(first);
        break;
    }
  }
}

// ---- for results and tests

const StackCounters& Stack::counters() const {
  return parts_->core.counters();
}

size_t Stack::connection_count() const {
  return parts_->core.count();
}

void Stack::for_each(const std::function<void(const Connection&)>& visit) const {
  for (const Participant* p = parts_->core.oldest(); p != nullptr; p = p->next) {
    if (p->kind == Participant::Kind::kConnection) visit(static_cast<const ConnectionImpl&>(*p));
  }
}

SenderCounters Stack::total_sent() const {
  SenderCounters sum = parts_->core.past();
  for (const Participant* p = parts_->core.oldest(); p != nullptr; p = p->next) {
    if (p->kind != Participant::Kind::kConnection) continue;
    if (const auto live = static_cast<const ConnectionImpl&>(*p).sender_counters()) {
      add_counters(sum, *live);
    }
  }
  return sum;
}

}  // namespace netrig::tcp
