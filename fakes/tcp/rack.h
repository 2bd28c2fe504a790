#pragma once
// Which segments are lost, told by time: RFC 8985 as Linux does it (net/ipv4/tcp_recovery.c). A
// segment sent before one that was delivered since is lost when a round trip and a reordering
// window went by. It marks on the scoreboard; what follows from a loss is the sender's.

#include <cstdint>
#include <optional>

#include "fakes/tcp/rtt_estimator.h"
#include "fakes/tcp/scoreboard.h"
#include "harness/base/time.h"

namespace netrig::tcp {

class Rack {
 public:
  // A segment was acknowledged or SACKed (RFC 8985 6.2 step 2).
  void segment_delivered(Instant now, const SentSegment& segment, const RttEstimator& rtt);

  // RFC 8985 6.2 step 4: a quarter of the smallest round trip, more for each round with a DSACK.
  // `impatient`: in recovery or after three duplicates, as long as no reordering was seen.
  Duration reordering_window(bool impatient, const RttEstimator& rtt) const;
  void reordering_seen() { reordering_seen_ = true; }
  bool has_seen_reordering() const { return reordering_seen_; }
  // RFC 8985 6.2 step 4, of an ACK with a DSACK that speaks of reordering.
  void dsack(uint64_t una, uint64_t nxt);
  void recovery_ended();
  void recovery_undone();

  // Something was delivered since the last detect().
  bool advanced() const { return advanced_; }
  void look_again() { advanced_ = true; }
  // Marks; the time until it has to be asked again for segments that may be late only, or nothing.
  std::optional<Duration> detect(Instant now, Duration window, Scoreboard& board);
  // After a timeout: was the segment sent too recently to be lost?
  bool too_recent(Instant now, const SentSegment& segment) const {
    return rtt_ - (now - segment.sent_at) > Duration(0);
  }

 private:
  static constexpr uint32_t kPersistMax = 16;  // recoveries that a widened window lasts

  bool advanced_ = false;
  bool reordering_seen_ = false;
  Instant sent_at_;  // of the segment delivered that was sent last
  uint64_t end_ = 0;
  Duration rtt_{0};
  uint32_t window_steps_ = 1;
  uint32_t persist_ = 0;
  std::optional<uint64_t> dsack_round_;
};

}  // namespace netrig::tcp
