#pragma once
// How long a round trip takes and how long to wait for one: RFC 6298 with Linux's constants and
// Linux's variance (tcp_rtt_estimator), and the smallest round trip of the last five minutes
// (Linux's tcp_min_rtt). It knows no segments: its owner brings the samples.

#include <algorithm>
#include <array>
#include <cstdint>

#include "harness/base/time.h"

namespace netrig::tcp {

// Linux's lib/minmax.c (Kathleen Nichols' algorithm): the minimum of a sliding window of time.
class WindowedMinimum {
 public:
  void add(Instant now, Duration value);
  bool empty() const { return empty_; }
  Duration get() const { return best_[0].value; }

 private:
  struct Entry {
    Instant at;
    Duration value{0};
  };
  std::array<Entry, 3> best_{};
  bool empty_ = true;
};

class RttEstimator {
 public:
  RttEstimator(Duration rto_min, Duration rto_max) : rto_min_(rto_min), rto_max_(rto_max) {}

  // A sample of a segment sent once. `una` and `nxt` (octets since the ISS) tell the rounds in
  // which the variance may fall. Sets the RTO and forgets the backoff (RFC 6298 5.7).
  void sample(Duration rtt, uint64_t una, uint64_t nxt);
  void sample_minimum(Instant now, Duration rtt);
  // RFC 6298 5.7: no sample from a handshake that had to retransmit.
  void fall_back() { rto_ = 3s; }
  // RFC 6298 5.5.
  void double_rto() { rto_ = std::min(rto_ * 2, rto_max_); }

  bool has_sample() const { return srtt8_ != 0; }
  Duration srtt() const { return Duration(srtt8_ >> 3); }
  Duration rttvar() const { return Duration(rttvar_); }
  Duration rto() const { return rto_; }
  Duration rto_min() const { return rto_min_; }
  Duration rto_max() const { return rto_max_; }
  bool has_minimum() const { return !minimum_.empty(); }
  Duration minimum() const { return minimum_.get(); }  // 0 before the first sample

 private:
  Duration rto_min_;
  Duration rto_max_;
  Duration rto_{1s};      // RFC 6298 2.1
  int64_t srtt8_ = 0;     // ns, times 8
  int64_t mdev_ = 0;      // ns, mean deviation times 4
  int64_t mdev_max_ = 0;  // of this round
  int64_t rttvar_ = 0;    // ns, times 4: what is added to srtt
  uint64_t round_end_ = 0;
  WindowedMinimum minimum_;
};

}  // namespace netrig::tcp
