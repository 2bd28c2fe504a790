#pragma once
// CUBIC (RFC 9438) in integers, so that every compiler computes the same windows: time in 1/1024 s,
// C = 0.4, beta = 0.7, fast convergence, the Reno-friendly region. No HyStart: leaving slow start
// at the first loss is what RFC 9438 4.10 asks for at least, and the measured links have no noise
// that it would have to be right about.

#include "fakes/tcp/congestion.h"

namespace netrig::tcp {

// The largest r with r^3 <= value.
uint64_t cube_root(uint64_t value);

class Cubic final : public Congestion {
 public:
  CongestionKind kind() const override { return CongestionKind::kCubic; }
  void on_ack(CongestionWindow& window, const AckedSegments& acked) override;
  uint32_t ssthresh_after_loss(Instant now, const CongestionWindow& window) override;
  void on_timeout() override;
  void on_undo() override;
  void on_restart(Instant now, Duration idle) override;

 private:
  // What RFC 9438 4.9 brings back when a reduction was wrong.
  struct Epoch {
    bool running = false;
    Instant start;
    uint32_t window_max = 0;   // W_max: where the cubic levels out
    uint32_t cwnd_prior = 0;   // before the last reduction
    uint32_t origin = 0;       // W_max, or cwnd if that is beyond it
    uint64_t k = 0;            // 1/1024 s until the origin is reached
    uint32_t reno_window = 0;  // W_est
    uint64_t reno_credit = 0;  // in 1/17 of a segment acknowledged
  };

  void begin_epoch(Instant now, uint32_t cwnd);
  // Acknowledged segments for which cwnd grows by one.
  uint32_t interval(Instant now, uint32_t cwnd, uint32_t acked);
  void grow_reno_window(uint32_t cwnd, uint32_t acked);

  Epoch epoch_;
  Epoch saved_;
  Duration delay_min_{0};
  bool delay_known_ = false;
  AdditiveIncrease increase_;
};

}  // namespace netrig::tcp
