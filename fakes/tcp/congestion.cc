#include "fakes/tcp/congestion.h"

#include <algorithm>

#include "fakes/tcp/cubic.h"
#include "fakes/tcp/reno.h"

namespace netrig::tcp {

std::string_view congestion_name(CongestionKind kind) {
  return kind == CongestionKind::kCubic ? "cubic" : "reno";
}

std::optional<CongestionKind> congestion_from_name(std::string_view name) {
  if (name == "reno") return CongestionKind::kReno;
  if (name == "cubic") return CongestionKind::kCubic;
  return std::nullopt;
}

std::unique_ptr<Congestion> make_congestion(CongestionKind kind) {
  if (kind == CongestionKind::kCubic) return std::make_unique<Cubic>();
  return std::make_unique<Reno>();
}

uint32_t slow_start(CongestionWindow& window, uint32_t acked) {
  const uint32_t grown = std::min(window.cwnd + acked, window.ssthresh);
  const uint32_t used = grown - window.cwnd;
  window.cwnd = grown;
  return acked - used;
}

void AdditiveIncrease::grow(CongestionWindow& window, uint32_t interval, uint32_t acked) {
  // A window that fell below the credit gets one segment, not a burst (Linux's tcp_cong_avoid_ai).
  if (credit_ >= interval) {
    credit_ = 0;
    ++window.cwnd;
  }
  credit_ += acked;
  if (credit_ >= interval) {
    const uint32_t more = credit_ / interval;
    credit_ -= more * interval;
    window.cwnd += more;
  }
  window.cwnd = std::min(window.cwnd, kCwndMax);
}

}  // namespace netrig::tcp
