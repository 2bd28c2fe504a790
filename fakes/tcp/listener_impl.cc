#include "fakes/tcp/listener_impl.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig::tcp {

ListenerImpl::ListenerImpl(StackCore& core, const Endpoint& local, bool dual, size_t backlog,
                           const ConnectionOptions& options, ListenerObserver* observer)
    : core_(core), local_(local), dual_(dual), options_(options), observer_(observer) {
  set_backlog(backlog);
}

void ListenerImpl::set_backlog(size_t backlog) {
  backlog_ = std::min(backlog, core_.options().somaxconn);
}

uint64_t ListenerImpl::ordinal_of(const HalfOpen& half_open) {
  return half_open.ordinal;
}

Connection* ListenerImpl::accept(ConnectionObserver* observer) {
  if (accepted_.empty()) return nullptr;
  ConnectionImpl* connection = accepted_.front();
  accepted_.pop_front();
  connection->set_observer(observer);
  return connection;
}

void ListenerImpl::enqueue(ConnectionImpl& connection) {
  accepted_.push_back(&connection);
  if (observer_ != nullptr) observer_->connection_waits(*this);
}

// inet_csk_reqsk_queue_is_full, and without SYN cookies a quarter of tcp_max_syn_backlog is kept
// for peers that are known, of which netrig knows none.
bool ListenerImpl::has_room() const {
  const size_t most = core_.options().syn_backlog_max;
  return half_open_.size() < std::max<size_t>(backlog_, 1) &&
         half_open_.size() <= most - most / 4 && !core_.full();
}

void ListenerImpl::process(Instant now, const FourTuple& tuple, const Segment& segment,
                           std::optional<SeqNum> iss) {
  // First RST, second ACK, third SYN.
  if (segment.has(kTcpRst)) return;
  if (segment.has(kTcpAck)) {
    core_.answer_with_reset(tuple, segment);
    return;
  }
  // SYN with FIN is dropped as in Linux's tcp_rcv_state_process.
  if (!segment.has(kTcpSyn) || segment.has(kTcpFin)) return;
  if (queue_full() || !has_room()) {
    ++core_.counters().listen_overflows;
    return;
  }
  auto made = std::make_unique<HalfOpen>(core_, *this);
  HalfOpen& half_open = *made;
  core_.add(std::move(made), tuple);
  half_open_.emplace(half_open.ordinal, &half_open);
  half_open.start(now, segment, iss.value_or(core_.initial_sequence(now, tuple)));
}

void ListenerImpl::close(Instant now) {
  // Handshakes are forgotten: the ACK that would end one finds nobody and gets a RST.
  while (!half_open_.empty()) half_open_.begin()->second->drop();
  while (!accepted_.empty()) {
    ConnectionImpl* connection = accepted_.front();
    accepted_.pop_front();
    connection->abandon(now);
    core_.remove(*connection);
  }
}

}  // namespace netrig::tcp
