#include "fakes/tcp/rtt_estimator.h"

#include <algorithm>

namespace netrig::tcp {
namespace {

constexpr Duration kMinimumWindow = 300s;  // net.ipv4.tcp_min_rtt_wlen

}  // namespace

void WindowedMinimum::add(Instant now, Duration value) {
  const Entry entry{now, value};
  if (empty_ || value <= best_[0].value || now - best_[2].at > kMinimumWindow) {
    best_.fill(entry);
    empty_ = false;
    return;
  }
  if (value <= best_[1].value) {
    best_[2] = best_[1] = entry;
  } else if (value <= best_[2].value) {
    best_[2] = entry;
  }
  // The best is too old, or a quarter or half of the window went by without a new second or third.
  const Duration age = now - best_[0].at;
  if (age > kMinimumWindow) {
    best_[0] = best_[1];
    best_[1] = best_[2];
    best_[2] = entry;
    if (now - best_[0].at > kMinimumWindow) {
      best_[0] = best_[1];
      best_[1] = best_[2];
    }
  } else if (best_[1].at == best_[0].at && age > kMinimumWindow / 4) {
    best_[2] = best_[1] = entry;
  } else if (best_[2].at == best_[1].at && age > kMinimumWindow / 2) {
    best_[2] = entry;
  }
}

void RttEstimator::sample_minimum(Instant now, Duration rtt) {
  minimum_.add(now, rtt);
}

// RFC 6298 2.2 and 2.3 with Linux's two departures (tcp_rtt_estimator): a shorter round trip
// raises the variance by an eighth only, and the variance falls once a round trip at most, to the
// largest deviation of that round or the floor of 200 ms.
void RttEstimator::sample(Duration rtt, uint64_t una, uint64_t nxt) {
  int64_t error = std::max<int64_t>(rtt.count(), 0);
  if (srtt8_ == 0) {
    srtt8_ = error << 3;
    mdev_ = error << 1;
    rttvar_ = mdev_max_ = std::max(mdev_, rto_min_.count());
    round_end_ = nxt;
  } else {
    error -= srtt8_ >> 3;
    srtt8_ += error;
    if (error < 0) {
      error = -error - (mdev_ >> 2);
      if (error > 0) error >>= 3;
    } else {
      error -= mdev_ >> 2;
    }
    mdev_ += error;
    if (mdev_ > mdev_max_) {
      mdev_max_ = mdev_;
      rttvar_ = std::max(rttvar_, mdev_max_);
    }
    if (una > round_end_) {
      if (mdev_max_ < rttvar_) rttvar_ -= (rttvar_ - mdev_max_) >> 2;
      round_end_ = nxt;
      mdev_max_ = rto_min_.count();
    }
  }
  srtt8_ = std::max<int64_t>(srtt8_, 8);
  rto_ = std::min(Duration((srtt8_ >> 3) + rttvar_), rto_max_);
}

}  // namespace netrig::tcp
