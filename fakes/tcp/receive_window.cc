#include "fakes/tcp/receive_window.h"

#include <algorithm>
#include <bit>

#include "fakes/tcp/packet_memory.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kWindowField = 65535;
constexpr uint8_t kScaleMax = 14;          // RFC 7323 2.3
constexpr uint32_t kInitialSegments = 10;  // TCP_INIT_CWND
constexpr size_t kBufferLargest = size_t{1} << 30;
constexpr uint32_t kRatioBits = 8;      // TCP_RMEM_TO_WIN_SCALE
constexpr uint32_t kClampLeast = 1152;  // SOCK_MIN_RCVBUF / 2

uint32_t round_up(uint32_t value, uint8_t scale) {
  const uint32_t step = 1u << scale;
  return (value + step - 1) & ~(step - 1);
}

}  // namespace

uint32_t ReceiveWindow::window_of(size_t buffer) const {
  return static_cast<uint32_t>(std::min(buffer, kBufferLargest) * ratio_ >> kRatioBits);
}

void ReceiveWindow::start(const Setup& setup) {
  buffer_ = setup.buffer;
  buffer_fixed_ = setup.buffer_fixed;
  buffer_max_ = setup.buffer_max;
  clamp_ = setup.clamp == 0 ? kWindowField << kScaleMax : setup.clamp;
  uint32_t space = std::min(clamp_, window_of(buffer_));
  if (space > setup.segment && setup.segment > 0) space -= space % setup.segment;
  window_ = std::min(space, kWindowField);
  scale_ = 0;
  if (setup.scaling) {
    // The scale must do for the largest buffer there may be.
    const size_t largest = std::min(std::max<size_t>(space, buffer_max_), kBufferLargest);
    const uint32_t reach = std::min(static_cast<uint32_t>(largest), clamp_);
    const int log2 = reach == 0 ? 0 : std::bit_width(reach) - 1;
    scale_ = static_cast<uint8_t>(std::clamp(log2 - 15, 0, int{kScaleMax}));
  }
  clamp_ = std::min(clamp_, kWindowField << scale_);
  ssthresh_ = window_;
}

void ReceiveWindow::disable_scaling() {
  scale_ = 0;
  clamp_ = std::min(clamp_, kWindowField);
}

void ReceiveWindow::established(Instant now, SeqNum rcv_nxt, uint32_t advmss) {
  advmss_ = std::max(advmss, 1u);
  round_since_ = now;
  round_seq_ = rcv_nxt;
  const uint32_t most = window_of(buffer_);
  clamp_ = std::min(clamp_, most);
  // One segment stays in reserve.
  if (clamp_ > 2 * advmss_ && clamp_ + advmss_ > most) {
    clamp_ = std::max(2 * advmss_, most - std::min(most, advmss_));
  }
  ssthresh_ = std::min(ssthresh_, clamp_);
  round_space_ = std::max(std::min({ssthresh_, window_, kInitialSegments * advmss_}), 1u);
}

void ReceiveWindow::set_buffer(size_t octets, bool fixed) {
  buffer_ = octets;
  buffer_fixed_ = fixed;
}

uint32_t ReceiveWindow::space(size_t memory) const {
  return memory >= buffer_ ? 0 : window_of(buffer_ - memory);
}

uint32_t ReceiveWindow::left(SeqNum rcv_nxt) const {
  const int32_t left = (rcv_wup_ + window_) - rcv_nxt;
  return left < 0 ? 0 : static_cast<uint32_t>(left);
}

ReceiveWindow::Choice ReceiveWindow::choose(uint32_t rcv_mss, size_t memory) const {
  Choice choice;
  uint32_t free = space(memory);
  const uint32_t allowed = window_of(buffer_);
  const uint32_t full = std::min(clamp_, allowed);
  const uint32_t mss = std::min(rcv_mss, full);
  if (mss == 0) return choice;
  if (free < full / 2) {
    choice.tight = true;
    free &= ~((1u << scale_) - 1);
    // RFC 1122 4.2.3.3: no small windows; zero until it is worth it.
    if (free < allowed / 16 || free < mss) return choice;
  }
  free = std::min(free, ssthresh_);
  if (scale_ > 0) {
    choice.window = round_up(free, scale_);
    return choice;
  }
  choice.window = window_;
  if (window_ + mss <= free || window_ > free) {
    choice.window = free - free % mss;
  } else if (mss == full && free > window_ + full / 2) {
    choice.window = free;
  }
  return choice;
}

uint16_t ReceiveWindow::advertise(SeqNum rcv_nxt, const Choice& choice) {
  uint32_t window = choice.window;
  // RFC 9293 3.8.6: what was offered is not taken back.
  const uint32_t current = left(rcv_nxt);
  if (window < current) window = round_up(current, scale_);
  window_ = window;
  rcv_wup_ = rcv_nxt;
  return static_cast<uint16_t>(std::min(window, kWindowField << scale_) >> scale_);
}

void ReceiveWindow::measure_overhead(uint32_t size) {
  const uint32_t ratio =
      std::max((size << kRatioBits) / (size + static_cast<uint32_t>(kPacketOverhead)), 1u);
  if (ratio == ratio_) return;
  ratio_ = ratio;
  // tcp_set_window_clamp
  const uint32_t before = clamp_;
  clamp_ = std::max(window_of(buffer_), kClampLeast);
  if (clamp_ < before) {
    ssthresh_ = std::min(ssthresh_, clamp_);
  } else {
    ssthresh_ = std::max(ssthresh_, std::min(window_, clamp_));
  }
  round_space_ = std::min(round_space_, clamp_);
}

bool ReceiveWindow::grow(uint32_t size, size_t memory) {
  const uint32_t most = std::min(clamp_, space(memory));
  if (most <= ssthresh_) return false;
  ssthresh_ += std::min(most - ssthresh_, std::max(2 * advmss_, 2 * size));
  return true;
}

void ReceiveWindow::update_rtt(Duration sample, bool by_window) {
  if (rtt8_ == Duration(0)) {
    rtt8_ = sample * 8;
  } else if (by_window) {
    rtt8_ = std::min(rtt8_, sample * 8);  // it can only be too long
  } else {
    rtt8_ += sample - rtt8_ / 8;
  }
}

void ReceiveWindow::measure_rtt(Duration sample) {
  update_rtt(std::max<Duration>(sample, 1ms), false);
}

void ReceiveWindow::measure_rtt_by_window(Instant now, SeqNum rcv_nxt) {
  if (rtt_started_) {
    if (rcv_nxt < rtt_seq_) return;
    update_rtt(std::max<Duration>(now - rtt_since_, 1us), true);
  }
  rtt_started_ = true;
  rtt_seq_ = rcv_nxt + window_;
  rtt_since_ = now;
}

void ReceiveWindow::read_up_to(Instant now, SeqNum copied_seq) {
  if (rtt8_ == Duration(0) || now - round_since_ < rtt()) return;
  const auto copied = static_cast<uint32_t>(std::max(copied_seq - round_seq_, 0));
  if (copied > round_space_) {
    if (!buffer_fixed_) {
      // Twice what was read in a round trip, more if that grew (slow start of the sender).
      uint64_t window = 2 * uint64_t{copied} + 16 * uint64_t{advmss_};
      window += 2 * (window * (copied - round_space_) / round_space_);
      const size_t buffer = std::min<uint64_t>((window << kRatioBits) / ratio_, buffer_max_);
      if (buffer > buffer_) {
        buffer_ = buffer;
        clamp_ = std::min(window_of(buffer_), kWindowField << scale_);
      }
    }
    round_space_ = copied;
  }
  round_seq_ = copied_seq;
  round_since_ = now;
}

}  // namespace netrig::tcp
