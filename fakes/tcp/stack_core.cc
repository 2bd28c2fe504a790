#include "fakes/tcp/stack_core.h"

#include <algorithm>

#include "fakes/tcp/time_wait.h"
#include "harness/base/chance.h"
#include "harness/base/require.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kChallengesMax = 1000;  // a second
constexpr uint32_t kSequencePurpose = 1;
constexpr uint32_t kTimestampPurpose = 2;

}  // namespace

StackCore::~StackCore() {
  while (oldest_ != nullptr) remove(*oldest_);
}

void StackCore::add(std::unique_ptr<Participant> participant, const FourTuple& tuple) {
  Participant& added = *participant.release();
  added.tuple = tuple;
  added.ordinal = next_ordinal_++;
  added.previous = newest_;
  (newest_ != nullptr ? newest_->next : oldest_) = &added;
  newest_ = &added;
  ++count_;
  added.listed = true;
  table_.insert(added);
  Participant*& first = ports_[tuple.local_port];
  added.port_next = first;
  if (first != nullptr) first->port_previous = &added;
  first = &added;
}

void StackCore::unlist(Participant& participant) {
  if (!participant.listed) return;
  participant.listed = false;
  table_.erase(participant);
  if (participant.port_next != nullptr) {
    participant.port_next->port_previous = participant.port_previous;
  }
  if (participant.port_previous != nullptr) {
    participant.port_previous->port_next = participant.port_next;
  } else if (participant.port_next != nullptr) {
    ports_[participant.tuple.local_port] = participant.port_next;
  } else {
    ports_.erase(participant.tuple.local_port);
  }
  participant.port_previous = participant.port_next = nullptr;
}

void StackCore::remove(Participant& participant) {
  unlist(participant);
  heap_.set(participant, Instant::max());
  (participant.previous != nullptr ? participant.previous->next : oldest_) = participant.next;
  (participant.next != nullptr ? participant.next->previous : newest_) = participant.previous;
  --count_;
  delete &participant;
}

const Participant* StackCore::first_of_port(uint16_t port) const {
  const auto found = ports_.find(port);
  return found == ports_.end() ? nullptr : found->second;
}

void StackCore::transmit(const FourTuple& tuple, Segment&& segment, const std::string& activity) {
  segment.source_port = tuple.local_port;
  segment.destination_port = tuple.peer_port;
  ++counters_.segments_sent;
  if (segment.has(kTcpRst)) ++counters_.resets_sent;
  if (segment.has(kTcpSyn) && segment.times_sent > 0) ++counters_.handshake_retransmissions;
  output_.transmit(tuple.local, tuple.peer, std::move(segment), activity);
}

void StackCore::answer_with_reset(const FourTuple& tuple, const Segment& segment) {
  if (segment.has(kTcpRst)) return;  // RFC 9293 3.5.2: never a reset for a reset
  Segment reset;
  reset.flags = kTcpRst;
  if (segment.has(kTcpAck)) {
    reset.seq = segment.ack;
  } else {
    reset.flags |= kTcpAck;
    reset.ack = segment.seq + segment.length();
  }
  transmit(tuple, std::move(reset), "");
}

uint32_t StackCore::mss(const FourTuple& tuple) const {
  const uint32_t headers = tuple.local.is_v6() ? 60 : 40;
  const uint32_t size = mtu(tuple);
  // Linux's TCP_MIN_MSS for an interface that can hardly carry anything; its 16-bit field's limit.
  return std::clamp(size > headers ? size - headers : 0u, 88u, 65535u - 20u);
}

uint64_t StackCore::secret(const FourTuple& tuple, uint32_t purpose) const {
  const uint64_t hash = hash_of(tuple);
  const auto words =
      philox({static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32), purpose, 0},
             {static_cast<uint32_t>(options_.seed), static_cast<uint32_t>(options_.seed >> 32)});
  return uint64_t{words[0]} << 32 | words[1];
}

SeqNum StackCore::initial_sequence(Instant now, const FourTuple& tuple) const {
  const auto clock = static_cast<uint32_t>(now.time_since_epoch() / 4us);
  return SeqNum(static_cast<uint32_t>(secret(tuple, kSequencePurpose)) + clock);
}

uint32_t StackCore::timestamp_offset(const FourTuple& tuple) const {
  // Of the hosts, not of the ports: a later connection's timestamps are later ones (RFC 6191).
  return static_cast<uint32_t>(secret({tuple.local, tuple.peer, 0, 0}, kTimestampPurpose));
}

bool StackCore::challenge_allowed(Instant now) {
  const int64_t second = now.time_since_epoch() / 1s;
  if (second != challenge_second_) {
    challenge_second_ = second;
    challenges_ = 0;
  }
  if (challenges_ >= kChallengesMax) return false;
  ++challenges_;
  ++counters_.challenge_acks;
  return true;
}

void StackCore::time_wait(Instant now, Participant& from, const TimeWaitState& state,
                          Duration lasting) {
  const FourTuple tuple = from.tuple;
  unlist(from);
  auto wait = std::make_unique<TimeWait>(*this, state);
  TimeWait& added = *wait;
  add(std::move(wait), tuple);
  schedule(added, now + lasting);
}

void add_counters(SenderCounters& sum, const SenderCounters& more) {
  sum.segments_sent += more.segments_sent;
  sum.octets_sent += more.octets_sent;
  sum.retransmitted_segments += more.retransmitted_segments;
  sum.fast_retransmits += more.fast_retransmits;
  sum.timeouts += more.timeouts;
  sum.tail_loss_probes += more.tail_loss_probes;
  sum.zero_window_probes += more.zero_window_probes;
  sum.spurious_retransmissions += more.spurious_retransmissions;
  sum.undone_recoveries += more.undone_recoveries;
  sum.duplicate_acks += more.duplicate_acks;
}

}  // namespace netrig::tcp
