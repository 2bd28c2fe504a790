#include "harness/link/codel.h"

#include "harness/link/sending_time.h"

namespace netrig {
namespace {

__extension__ using Uint128 = unsigned __int128;

// Linux's codel: if dropping ended less than so many intervals ago, it goes on at its rate.
constexpr int kIntervalsRemembered = 16;

uint64_t square_root(Uint128 of) {
  uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const uint64_t trial = root | uint64_t{1} << bit;
    if (static_cast<Uint128>(trial) * trial <= of) root = trial;
  }
  return root;
}

}  // namespace

// RFC 8289 section 4.4, dodequeue().
bool Codel::has_waited_too_long(const CodelParameters& parameters, Instant offered, Instant begin,
                                uint64_t found) {
  if (begin - offered < parameters.target || found <= kCodelMaxPacket) {
    first_above_ = Instant{};
    return false;
  }
  if (first_above_ == Instant{}) {
    first_above_ = later(begin, parameters.interval);
    return false;
  }
  return begin >= first_above_;
}

// control_law(): interval / sqrt(count), exact to the nanosecond.
Instant Codel::next_drop(const CodelParameters& parameters, Instant from) const {
  const auto interval = static_cast<uint64_t>(parameters.interval.count());
  return later(from, Duration(static_cast<int64_t>(
                         square_root(static_cast<Uint128>(interval) * interval / count_))));
}

// RFC 8289 section 4.4, deque(), turned round: there one call takes packets until one may be sent,
// here each packet is one call.
Codel::Verdict Codel::judge(const CodelParameters& parameters, Instant offered, Instant begin,
                            uint64_t found, bool markable) {
  const bool too_long = has_waited_too_long(parameters, offered, begin, found);
  if (!too_long) {
    dropping_ = false;
    return Verdict::kSend;
  }
  if (dropping_) {
    if (begin < drop_next_) return Verdict::kSend;
    ++count_;
    drop_next_ = next_drop(parameters, drop_next_);
  } else {
    dropping_ = true;
    // Section 4.4: if it was dropping a short while ago, the rate that controlled the queue then is
    // a good one to begin with.
    const uint64_t delta = count_ - last_count_;
    const bool recent = begin - drop_next_ < parameters.interval * kIntervalsRemembered;
    count_ = delta > 1 && recent ? delta : 1;
    last_count_ = count_;
    drop_next_ = next_drop(parameters, begin);
  }
  return parameters.ecn && markable ? Verdict::kMark : Verdict::kDrop;
}

}  // namespace netrig
