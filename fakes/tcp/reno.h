#pragma once
// RFC 5681 congestion control: slow start, one segment a round trip, half the window after a loss.
// Byte counting of RFC 3465 comes from the segments acknowledged, as Linux counts.

#include "fakes/tcp/congestion.h"

namespace netrig::tcp {

class Reno final : public Congestion {
 public:
  CongestionKind kind() const override { return CongestionKind::kReno; }
  void on_ack(CongestionWindow& window, const AckedSegments& acked) override;
  uint32_t ssthresh_after_loss(Instant now, const CongestionWindow& window) override;
  void on_timeout() override {}
  void on_restart(Instant, Duration) override {}

 private:
  AdditiveIncrease increase_;
};

}  // namespace netrig::tcp
