#pragma once
// How fast: congestion control as a strategy, in segments, as Linux's tcp_congestion_ops cuts it.
// sender.h detects losses and asks; an algorithm keeps its own state and answers with windows. It
// sees no segment and no timer.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "harness/base/time.h"

namespace netrig::tcp {

enum class CongestionKind : uint8_t { kReno, kCubic };
// "reno", "cubic", as TCP_CONGESTION names them.
std::string_view congestion_name(CongestionKind kind);
std::optional<CongestionKind> congestion_from_name(std::string_view name);

// Linux's tcp_ca_state (RFC 5681, RFC 6675, RFC 3168).
enum class CongestionState : uint8_t { kOpen, kDisorder, kCwr, kRecovery, kLoss };

struct CongestionWindow {
  uint32_t cwnd = 10;  // segments
  uint32_t ssthresh = 0x7fffffff;
};

struct AckedSegments {
  Instant now;
  uint32_t acked = 0;           // segments newly delivered by this ACK
  bool cwnd_limited = true;     // RFC 2861/7661: no growth if the window was not used
  std::optional<Duration> rtt;  // sample of this ACK
  Duration srtt{0};
};

class Congestion {
 public:
  virtual ~Congestion() = default;
  virtual CongestionKind kind() const = 0;
  // On an ACK in kOpen or kDisorder (and after kLoss): grows `window`.
  virtual void on_ack(CongestionWindow& window, const AckedSegments& acked) = 0;
  // The slow start threshold that a loss or an ECN echo asks for, at least 2.
  virtual uint32_t ssthresh_after_loss(Instant now, const CongestionWindow& window) = 0;
  virtual void on_timeout() = 0;
  // The reduction was undone (RFC 4015 Eifel by DSACK or timestamps).
  virtual void on_undo() {}
  // Nothing was in flight for `idle`: sending begins again at `now`.
  virtual void on_restart(Instant now, Duration idle) = 0;
};

inline constexpr uint32_t kCwndMax = 1u << 20;  // segments; beyond any window of 1 GiB

// What algorithms share. RFC 5681 3.1: one segment for each acknowledged, up to ssthresh; what is
// left of `acked` then.
uint32_t slow_start(CongestionWindow& window, uint32_t acked);

// cwnd grows by one for every `interval` segments acknowledged.
class AdditiveIncrease {
 public:
  void reset() { credit_ = 0; }
  void grow(CongestionWindow& window, uint32_t interval, uint32_t acked);

 private:
  uint32_t credit_ = 0;
};

std::unique_ptr<Congestion> make_congestion(CongestionKind kind);

}  // namespace netrig::tcp
