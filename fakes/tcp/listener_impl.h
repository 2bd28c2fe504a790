#pragma once
// A listening socket's queues: handshakes under way (SYN queue), each small and with its own timer,
// and connections that wait for accept() (Linux's inet_connection_sock.c, tcp_conn_request,
// tcp_check_req). The stack finds the listener for a SYN and owns it; handshakes and connections
// belong to the stack's core.

#include <deque>
#include <map>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {

class HalfOpen;

class ListenerImpl final : public Listener {
 public:
  ListenerImpl(StackCore& core, const Endpoint& local, bool dual, size_t backlog,
               const ConnectionOptions& options, ListenerObserver* observer);

  const Endpoint& local() const override { return local_; }
  bool waiting() const override { return !accepted_.empty(); }
  Connection* accept(ConnectionObserver* observer) override;
  void set_backlog(size_t backlog) override;
  void set_options(const ConnectionOptions& options) override { options_ = options; }

  bool dual() const { return dual_; }
  const ConnectionOptions& options() const { return options_; }
  // RFC 9293 3.10.7.2. `iss`: chosen by a TIME_WAIT before.
  void process(Instant now, const FourTuple& tuple, const Segment& segment,
               std::optional<SeqNum> iss);
  // A handshake ended. False if the queue is full: as if the ACK had been lost.
  bool queue_full() const { return accepted_.size() > backlog_; }  // sk_acceptq_is_full
  void enqueue(ConnectionImpl& connection);
  void handshake_gone(const HalfOpen& half_open) { half_open_.erase(ordinal_of(half_open)); }
  void close(Instant now);

 private:
  static uint64_t ordinal_of(const HalfOpen& half_open);
  bool has_room() const;

  StackCore& core_;
  Endpoint local_;
  bool dual_;
  size_t backlog_ = 0;
  ConnectionOptions options_;
  ListenerObserver* observer_;
  std::map<uint64_t, HalfOpen*> half_open_;  // by ordinal
  std::deque<ConnectionImpl*> accepted_;
};

// SYN-RECEIVED of a listener: Linux's request_sock.
class HalfOpen final : public Participant {
 public:
  HalfOpen(StackCore& core, ListenerImpl& listener)
      : Participant(Kind::kHalfOpen), core_(core), listener_(listener) {}

  // The SYN came; the SYN-ACK goes. Called when it has its tuple.
  void start(Instant now, const Segment& syn, SeqNum iss);
  // It may delete itself.
  void process(Instant now, Segment&& segment);
  void expire(Instant now);
  void icmp(SeqNum seq, Errno error);
  void drop();  // deletes this

 private:
  void send(Instant now, bool syn);
  void send_syn_ack(Instant now);
  void complete(Instant now, Segment&& segment);
  bool paws_rejects(const Segment& segment) const;

  StackCore& core_;
  ListenerImpl& listener_;
  Agreement agreement_;
  uint16_t advmss_ = 536;
  Instant first_sent_at_;
  Duration timeout_{0};
  uint32_t sent_ = 0;      // SYN-ACKs by timer, and the first
  uint32_t repeated_ = 0;  // all of them
  OddRateLimit odd_;
};

}  // namespace netrig::tcp
