#include "fakes/tcp/rack.h"

#include <algorithm>

namespace netrig::tcp {

void Rack::segment_delivered(Instant now, const SentSegment& segment, const RttEstimator& rtt) {
  const Duration sample = now - segment.sent_at;
  // RFC 8985 6.2 step 2: too soon to be for the retransmission, so it was for the original.
  if (segment.is(SentSegment::kEverRetransmitted) && rtt.has_minimum() && sample < rtt.minimum()) {
    return;
  }
  advanced_ = true;
  rtt_ = sample;
  if (segment.sent_at > sent_at_ || (segment.sent_at == sent_at_ && segment.end() > end_)) {
    sent_at_ = segment.sent_at;
    end_ = segment.end();
  }
}

Duration Rack::reordering_window(bool impatient, const RttEstimator& rtt) const {
  if (!reordering_seen_ && impatient) return Duration(0);
  if (!rtt.has_minimum()) return Duration(0);
  return std::min(rtt.minimum() / 4 * window_steps_, rtt.srtt());
}

void Rack::dsack(uint64_t una, uint64_t nxt) {
  if (dsack_round_ && una < *dsack_round_) return;  // once a round trip
  dsack_round_ = nxt;
  window_steps_ = std::min(window_steps_ + 1, 255u);
  persist_ = kPersistMax;
}

void Rack::recovery_ended() {
  if (persist_ > 0) --persist_;
  if (persist_ == 0) window_steps_ = 1;
}

void Rack::recovery_undone() {
  persist_ = std::min(persist_ + 1, kPersistMax);
}

std::optional<Duration> Rack::detect(Instant now, Duration window, Scoreboard& board) {
  advanced_ = false;
  std::optional<Duration> wait;
  for (uint64_t id = board.oldest(); id != 0;) {
    const SentSegment& segment = board.at(id);
    const uint64_t next = segment.next;
    const bool before =
        segment.sent_at < sent_at_ || (segment.sent_at == sent_at_ && segment.end() < end_);
    if (!before) break;
    const Duration remaining = rtt_ + window - (now - segment.sent_at);
    if (remaining <= Duration(0)) {
      board.mark_lost(id);
    } else {
      wait = std::max(wait.value_or(Duration(0)), remaining);
    }
    id = next;
  }
  return wait;
}

}  // namespace netrig::tcp
