#include "fakes/tcp/ack_policy.h"

#include <algorithm>

namespace netrig::tcp {
namespace {

constexpr uint32_t kMssDefault = 536;  // TCP_MSS_DEFAULT
constexpr uint32_t kMssSmall = 88;     // TCP_MIN_MSS
constexpr uint32_t kHeader = 20;

}  // namespace

// tcp_measure_rcv_mss: how large the peer's full segments are, seen from what comes.
void AckPolicy::measure_mss(const Arrival& arrival) {
  const uint32_t before = last_segment_size_;
  last_segment_size_ = 0;
  if (arrival.size >= rcv_mss_) {
    rcv_mss_ = std::min(arrival.size, arrival.advmss);
    return;
  }
  const uint32_t whole = arrival.size + arrival.header_size;
  if (whole >= kMssDefault + kHeader || (whole >= kMssSmall + kHeader && !arrival.remnant)) {
    last_segment_size_ = whole - std::min(whole, arrival.full_header);
    if (last_segment_size_ == before) {
      rcv_mss_ = std::max(last_segment_size_, 1u);
      return;
    }
  }
  if (pushed_) pushed_twice_ = true;
  pushed_ = true;
}

void AckPolicy::add_quick(uint32_t quick_max, uint32_t rcv_wnd) {
  const uint32_t segments = std::max(rcv_wnd / (2 * std::max(rcv_mss_, 1u)), 2u);
  quick_ = std::max(quick_, std::min(segments, quick_max));
}

void AckPolicy::enter_quick(uint32_t quick_max, uint32_t rcv_wnd) {
  add_quick(quick_max, rcv_wnd);
  pingpong_ = false;
  ato_ = kAtoMin;
}

void AckPolicy::data_arrived(const Arrival& arrival) {
  scheduled_ = true;
  measure_mss(arrival);
  if (ato_ == Duration(0)) {
    add_quick(kQuickMax, arrival.rcv_wnd);
    ato_ = kAtoMin;
  } else {
    const Duration gap = arrival.now - last_data_;
    if (gap <= kAtoMin / 2) {
      ato_ = ato_ / 2 + kAtoMin / 2;
    } else if (gap < ato_) {
      ato_ = std::min(ato_ / 2 + gap, arrival.rto);
    } else if (gap > arrival.rto) {
      add_quick(kQuickMax, arrival.rcv_wnd);  // the sender began again and needs ACKs
    }
  }
  last_data_ = arrival.now;
}

void AckPolicy::data_sent(Instant now) {
  // A reply within the ATO makes it a conversation: ACKs ride on data.
  if (ato_ != Duration(0) && now - last_data_ < ato_) pingpong_ = true;
}

void AckPolicy::ack_sent() {
  if (quick_ > 0) {
    if (--quick_ == 0) ato_ = kAtoMin;  // leaving quick-ACK mode deflates the ATO
  }
  scheduled_ = now_ = pushed_ = pushed_twice_ = false;
  deadline_ = Instant::max();
}

AckPolicy::Delay AckPolicy::delay(Instant now, Duration srtt) {
  Duration ato = std::max(ato_, kAtoMin);
  if (ato > kAtoMin) {
    Duration longest = pingpong_ || pushed_ ? kDelayMax : Duration(500ms);
    if (srtt > Duration(0)) longest = std::min(longest, std::max(srtt, kAtoMin));
    ato = std::min(ato, longest);
  }
  ato = std::min(ato, kDelayMax);  // icsk_delack_max
  Instant timeout = now + ato;
  if (deadline_ != Instant::max()) {
    if (deadline_ <= now + ato / 4) return Delay::kSendNow;
    timeout = std::min(timeout, deadline_);
  }
  deadline_ = timeout;
  return Delay::kWait;
}

bool AckPolicy::expire(Duration rto) {
  deadline_ = Instant::max();
  if (!scheduled_) return false;
  if (pingpong_) {
    pingpong_ = false;
    ato_ = kAtoMin;
  } else {
    ato_ = std::min(ato_ * 2, rto);  // a missed delayed ACK inflates the ATO
  }
  return true;
}

void AckPolicy::delay_handshake(Instant now, uint32_t rcv_wnd) {
  scheduled_ = true;
  const bool was = pingpong_;
  enter_quick(kQuickMax, rcv_wnd);
  pingpong_ = was;
  deadline_ = now + kDelayMax;
}

}  // namespace netrig::tcp
