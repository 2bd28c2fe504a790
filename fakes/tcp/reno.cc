#include "fakes/tcp/reno.h"

#include <algorithm>

namespace netrig::tcp {

void Reno::on_ack(CongestionWindow& window, const AckedSegments& acked) {
  if (!acked.cwnd_limited) return;  // RFC 7661: an unused window says nothing about the path
  uint32_t count = acked.acked;
  if (window.cwnd < window.ssthresh) count = slow_start(window, count);
  if (count > 0) increase_.grow(window, window.cwnd, count);  // RFC 5681 3.1
}

uint32_t Reno::ssthresh_after_loss(Instant, const CongestionWindow& window) {
  increase_.reset();
  return std::max(window.cwnd / 2, 2u);  // RFC 5681 equation (4), of cwnd as Linux
}

}  // namespace netrig::tcp
