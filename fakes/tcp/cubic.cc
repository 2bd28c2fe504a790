#include "fakes/tcp/cubic.h"

#include <algorithm>

namespace netrig::tcp {
namespace {

// C = 0.4 as 410/1024 segments per s^3; with t in 1/1024 s, W(t) = 410 * t^3 / 2^40.
constexpr uint64_t kScaleC = 410;
constexpr unsigned kShift = 40;
constexpr uint64_t kOffsetMax = 1u << 18;  // 256 s: 410 * 2^54 still fits

uint64_t ticks(Duration duration) {
  // 1024 a second without overflow of nanoseconds times 1024.
  const uint64_t ns = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
  return (ns / 1'000'000'000) * 1024 + ((ns % 1'000'000'000) * 1024) / 1'000'000'000;
}

}  // namespace

uint64_t cube_root(uint64_t value) {
  uint64_t root = 0;
  for (int shift = 63; shift >= 0; shift -= 3) {
    root *= 2;
    const uint64_t step = 3 * root * (root + 1) + 1;  // (root + 1)^3 - root^3
    if ((value >> shift) >= step) {
      value -= step << shift;
      ++root;
    }
  }
  return root;
}

void Cubic::on_ack(CongestionWindow& window, const AckedSegments& acked) {
  if (acked.rtt && (!delay_known_ || *acked.rtt < delay_min_)) {
    delay_min_ = *acked.rtt;
    delay_known_ = true;
  }
  if (!acked.cwnd_limited) return;
  uint32_t count = acked.acked;
  if (window.cwnd < window.ssthresh) count = slow_start(window, count);
  if (count == 0) return;
  increase_.grow(window, interval(acked.now, window.cwnd, count), count);
}

void Cubic::begin_epoch(Instant now, uint32_t cwnd) {
  epoch_.running = true;
  epoch_.start = now;
  epoch_.reno_window = cwnd;
  epoch_.reno_credit = 0;
  epoch_.k = 0;
  epoch_.origin = cwnd;
  if (epoch_.window_max <= cwnd) return;
  // RFC 9438 equation (2): K = cbrt((W_max - cwnd_epoch) / C).
  const uint64_t distance = std::min<uint64_t>(epoch_.window_max - cwnd, 1u << 22);
  epoch_.k = cube_root(distance * ((uint64_t{1} << kShift) / kScaleC));
  epoch_.origin = epoch_.window_max;
}

uint32_t Cubic::interval(Instant now, uint32_t cwnd, uint32_t acked) {
  if (!epoch_.running) begin_epoch(now, cwnd);
  // RFC 9438 4.2: the window of a round trip from now, W_cubic(t + RTT).
  const uint64_t t = ticks(now - epoch_.start + delay_min_);
  const uint64_t offset = std::min(t < epoch_.k ? epoch_.k - t : t - epoch_.k, kOffsetMax);
  const uint64_t delta = (kScaleC * offset * offset * offset) >> kShift;
  uint64_t target = epoch_.origin + delta;
  if (t < epoch_.k) target = epoch_.origin > delta ? epoch_.origin - delta : 0;

  uint64_t result = 100 * uint64_t{cwnd};
  if (target > cwnd) result = cwnd / (target - cwnd);
  // Before the first loss there is no W_max to look for (Linux's bictcp_update).
  if (epoch_.window_max == 0) result = std::min<uint64_t>(result, 20);
  // RFC 9438 4.3: never slower than Reno would be.
  grow_reno_window(cwnd, acked);
  if (epoch_.reno_window > cwnd) {
    result = std::min<uint64_t>(result, cwnd / (epoch_.reno_window - cwnd));
  }
  // RFC 9438 4.2: the target is at most 1.5 cwnd, one segment for two acknowledged.
  return static_cast<uint32_t>(std::clamp<uint64_t>(result, 2, kCwndMax));
}

// RFC 9438 4.3: W_est grows by alpha * segments_acked / cwnd, alpha = 3 * (1 - beta) / (1 + beta) =
// 9/17 until it is where cwnd was before the reduction, 1 from there on.
void Cubic::grow_reno_window(uint32_t cwnd, uint32_t acked) {
  epoch_.reno_credit += uint64_t{acked} * (epoch_.reno_window < epoch_.cwnd_prior ? 9 : 17);
  const uint64_t price = 17 * uint64_t{cwnd};
  if (epoch_.reno_credit < price) return;
  epoch_.reno_window += static_cast<uint32_t>(epoch_.reno_credit / price);
  epoch_.reno_credit %= price;
}

uint32_t Cubic::ssthresh_after_loss(Instant, const CongestionWindow& window) {
  saved_ = epoch_;
  epoch_.running = false;
  // RFC 9438 4.7: fast convergence leaves room for newcomers.
  epoch_.window_max = window.cwnd < epoch_.window_max
                          ? static_cast<uint32_t>(uint64_t{window.cwnd} * 17 / 20)
                          : window.cwnd;
  epoch_.cwnd_prior = window.cwnd;
  increase_.reset();
  return std::max(static_cast<uint32_t>(uint64_t{window.cwnd} * 7 / 10), 2u);  // 4.6
}

void Cubic::on_timeout() {
  // RFC 9438 4.8: K = 0 and W_max = cwnd in the next congestion avoidance.
  epoch_ = Epoch{};
  increase_.reset();
}

void Cubic::on_undo() {
  epoch_ = saved_;
}

void Cubic::on_restart(Instant now, Duration idle) {
  // RFC 9438 5.8: an application's pause is no time in which the window grew.
  if (epoch_.running) epoch_.start = std::min(epoch_.start + idle, now);
}

}  // namespace netrig::tcp
