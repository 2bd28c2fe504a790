#pragma once
// What connections, handshakes and TIME_WAITs share of their stack: the way out, the indexes, the
// secrets for sequence numbers, the rate limit of challenge ACKs. It owns all participants and
// knows no listener and no arriving segment (stack.cc).

#include <map>
#include <memory>
#include <string>

#include "fakes/tcp/participant.h"
#include "fakes/tcp/stack.h"

namespace netrig::tcp {

// RFC 7323: ticks of a millisecond, without the connection's offset.
inline uint32_t timestamp_ticks(Instant now) {
  return static_cast<uint32_t>(now.time_since_epoch() / 1ms);
}

// What is told about a connection that only waits for old segments to die (RFC 9293 3.6.1).
struct TimeWaitState {
  bool fin_received = true;  // false: an orphan's FIN_WAIT_2
  SeqNum snd_nxt;
  SeqNum rcv_nxt;
  uint64_t relative_snd_nxt = 0;
  uint32_t rcv_wnd = 0;
  uint8_t rcv_scale = 0;
  bool timestamps = false;
  uint32_t ts_offset = 0;
  uint32_t ts_recent = 0;
  Instant ts_recent_at;
};

class StackCore {
 public:
  StackCore(Output& output, BytePool& pool, const StackOptions& options)
      : output_(output), pool_(pool), options_(options) {}
  ~StackCore();
  StackCore(const StackCore&) = delete;
  StackCore& operator=(const StackCore&) = delete;

  BytePool& pool() { return pool_; }
  const StackOptions& options() const { return options_; }
  StackCounters& counters() { return counters_; }
  void count_octets(Instant now, uint32_t octets) {
    if (counters_.octets_in_order == 0) counters_.first_octet_at = now;
    counters_.last_octet_at = now;
    counters_.octets_in_order += octets;
  }
  SenderCounters& past() { return past_; }  // of connections that are gone

  // ---- participants
  Participant* find(const FourTuple& tuple) const { return table_.find(tuple); }
  // Takes it over; it gets the tuple. Nobody else may have it.
  void add(std::unique_ptr<Participant> participant, const FourTuple& tuple);
  // Others may have its endpoints from now on; it lives on.
  void unlist(Participant& participant);
  void remove(Participant& participant);  // deletes it
  void schedule(Participant& participant, Instant deadline) { heap_.set(participant, deadline); }
  const DeadlineHeap& deadlines() const { return heap_; }
  const Participant* oldest() const { return oldest_; }
  const Participant* first_of_port(uint16_t port) const;
  size_t count() const { return count_; }
  bool full() const { return count_ >= options_.connections_max; }

  // ---- segments
  // Fills in ports.
  void transmit(const FourTuple& tuple, Segment&& segment, const std::string& activity);
  // RFC 9293 3.10.7.1: the answer to a segment that nobody wants.
  void answer_with_reset(const FourTuple& tuple, const Segment& segment);
  uint32_t mtu(const FourTuple& tuple) const { return output_.mtu(tuple.local, tuple.peer); }
  // What a segment may carry without options: the MTU less IP's and TCP's header.
  uint32_t mss(const FourTuple& tuple) const;

  // RFC 6528: a clock of 4 us and a secret function of the endpoints.
  SeqNum initial_sequence(Instant now, const FourTuple& tuple) const;
  uint32_t timestamp_offset(const FourTuple& tuple) const;  // RFC 7323 5.4
  // RFC 5961 section 7: at most 1000 challenge ACKs a second of all connections.
  bool challenge_allowed(Instant now);

  // ---- the end of connections
  // Puts a TIME_WAIT where `from` was, for `lasting`; `from` has no endpoints any more.
  void time_wait(Instant now, Participant& from, const TimeWaitState& state, Duration lasting);

 private:
  uint64_t secret(const FourTuple& tuple, uint32_t purpose) const;

  Output& output_;
  BytePool& pool_;
  StackOptions options_;
  StackCounters counters_;
  SenderCounters past_;
  TupleTable table_;
  DeadlineHeap heap_;
  std::map<uint16_t, Participant*> ports_;
  Participant* oldest_ = nullptr;
  Participant* newest_ = nullptr;
  size_t count_ = 0;
  uint64_t next_ordinal_ = 0;
  int64_t challenge_second_ = -1;
  uint32_t challenges_ = 0;
};

// Linux's __tcp_oow_rate_limited with tcp_invalid_ratelimit: answers to segments without data that
// nobody expected come twice a second at most, or two ends would talk for ever.
class OddRateLimit {
 public:
  bool allows(Instant now) {
    if (used_ && now - last_ < 500ms) return false;
    used_ = true;
    last_ = now;
    return true;
  }
  // tcp_oow_rate_limited: a segment with data is no part of a loop.
  bool allows(Instant now, const Segment& segment) {
    return (!segment.payload.empty() && !segment.has(kTcpSyn)) || allows(now);
  }

 private:
  bool used_ = false;
  Instant last_;
};

void add_counters(SenderCounters& sum, const SenderCounters& more);

}  // namespace netrig::tcp
