// What time does: Linux's tcp_timer.c. One timer serves for the RTO, the tail loss probe, RACK's
// reordering window and the persist timer, as in Linux (icsk_pending).
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {
namespace {

constexpr Duration kTimeoutMin = 2ms;   // Linux's TCP_TIMEOUT_MIN_US
constexpr uint32_t kOrphanRetries = 8;  // net.ipv4.tcp_orphan_retries' default

uint32_t log2_of(int64_t value) {
  uint32_t result = 0;
  while (value > 1) {
    value >>= 1;
    ++result;
  }
  return result;
}

}  // namespace

void Sender::Parts::set_timer(Timer kind, Instant at) {
  timer = kind;
  deadline = at;
}

Duration Sender::Parts::until_rto(Instant now) const {
  return board.head().sent_at + rtt.rto() - now;
}

void Sender::Parts::rearm_rto(Instant now) {
  if (board.empty()) {
    clear_timer();
    return;
  }
  Duration wait = rtt.rto();
  if (timer == Timer::kReordering || timer == Timer::kLossProbe) {
    wait = std::max<Duration>(until_rto(now), 1us);
  }
  set_timer(Timer::kRetransmit, now + wait);
}

void Sender::Parts::set_transmit_timer(Instant now) {
  if (!schedule_loss_probe(now, true)) rearm_rto(now);
}

// RFC 8985 7.2 with Linux's constants (tcp_schedule_loss_probe).
bool Sender::Parts::schedule_loss_probe(Instant now, bool advancing) {
  if (board.empty() || !config.sack ||
      (state != CongestionState::kOpen && state != CongestionState::kCwr)) {
    return false;
  }
  Duration wait = 1s;
  if (rtt.has_sample()) {
    // A single segment's ACK may be delayed.
    wait = rtt.srtt() * 2 + (board.packets_out() == 1 ? rtt.rto_min() : kTimeoutMin);
  }
  const Duration rto = advancing ? rtt.rto() : until_rto(now);
  if (rto > Duration(0)) wait = std::min(wait, rto);
  set_timer(Timer::kLossProbe, now + wait);
  return true;
}

Duration Sender::Parts::retransmit_interval(Instant now) const {
  if (user_timeout <= Duration(0) || !first_retransmission) return rtt.rto();
  // Linux's tcp_clamp_rto_to_user_timeout: the last wait ends when patience does.
  const Duration left = user_timeout - (now - *first_retransmission);
  return std::min(rtt.rto(), std::max<Duration>(left, 1ms));
}

Duration Sender::Parts::persist_base() const {
  return std::max(rtt.rto(), rtt.rto_min());
}

Duration Sender::Parts::persist_interval(Instant now) const {
  const uint32_t doublings = std::min(log2_of(rtt.rto_max() / rtt.rto_min()) + 1, backoff);
  Duration wait = rtt.rto_max();
  if (persist_base() < rtt.rto_max()) {
    wait = std::min(persist_base() * (int64_t{1} << std::min(doublings, 20u)), rtt.rto_max());
  }
  if (user_timeout > Duration(0) && probing_since) {
    const Duration left = user_timeout - (now - *probing_since);
    wait = std::min(wait, std::max<Duration>(left, kTimeoutMin));
  }
  return wait;
}

Sender::Expiry Sender::Parts::expire(Instant now) {
  if (now < deadline) return Expiry::kContinue;
  call_at = now;
  const Timer kind = timer;
  deadline = Instant::max();
  switch (kind) {
    case Timer::kNone:
      break;
    case Timer::kRetransmit:
      timer = Timer::kNone;
      return retransmit_timeout(now);
    case Timer::kPersist:
      timer = Timer::kNone;
      return persist_timeout(now);
    case Timer::kReordering:
      reordering_timeout(now);
      break;
    case Timer::kLossProbe:
      // The kind stays until the probe is out: if nothing may be sent, the RTO counts from the
      // head.
      probe = Probe::kTail;
      deadline = now + std::max<Duration>(until_rto(now), 1us);
      break;
  }
  return Expiry::kContinue;
}

// Linux's retransmits_timed_out and tcp_model_timeout: the time that `boundary` doublings of the
// smallest RTO take.
bool Sender::Parts::retransmitted_too_long(Instant now, uint32_t boundary, Duration timeout) const {
  if (timeouts_in_row == 0 || !first_retransmission) return false;
  if (timeout == Duration(0)) {
    const uint32_t linear = log2_of(rtt.rto_max() / rtt.rto_min());
    const uint32_t doubled = std::min(std::min(boundary, linear), 20u);
    timeout = rtt.rto_min() * ((int64_t{2} << doubled) - 1);
    if (boundary > linear) timeout += rtt.rto_max() * (boundary - linear);
  }
  return now - *first_retransmission >= timeout;
}

// RFC 6298 section 5.
Sender::Expiry Sender::Parts::retransmit_timeout(Instant now) {
  if (board.empty()) return Expiry::kContinue;
  const bool window_shut = snd_wnd == 0 && !orphan;
  if (window_shut) {
    // The peer took its window back: retransmissions are its probes, and as long as it answers they
    // go on (Linux's tcp_rtx_probe0_timed_out).
    Duration patience = rtt.rto_max() * 2;
    if (user_timeout > Duration(0)) patience = std::min(patience, user_timeout);
    const Instant since = first_retransmission.value_or(board.head().sent_at);
    if (now - last_ack_at > patience && now - since > patience) return Expiry::kGiveUp;
  } else {
    const bool alive = rtt.rto() < rtt.rto_max();
    const uint32_t retries = orphan ? (alive ? kOrphanRetries : 0) : config.retries2;
    if (retransmitted_too_long(now, retries, user_timeout)) return Expiry::kGiveUp;
  }
  enter_loss(now);
  ++counters.timeouts;
  resend = Resend::kLost;
  if (!first_retransmission) first_retransmission = now;
  if (!window_shut) {
    ++backoff;
    ++timeouts_in_row;
  }
  rtt.double_rto();
  set_timer(Timer::kRetransmit, now + retransmit_interval(now));
  return Expiry::kContinue;
}

Sender::Expiry Sender::Parts::persist_timeout(Instant now) {
  if (!board.empty() || !has_unsent()) {
    probes_out = 0;
    probing_since.reset();
    return Expiry::kContinue;
  }
  // RFC 1122 4.2.2.17: as long as the peer answers (which resets probes_out) this goes on.
  if (!probing_since) {
    probing_since = now;
  } else if (user_timeout > Duration(0) && now - *probing_since >= user_timeout) {
    return Expiry::kGiveUp;
  }
  uint32_t probes_max = config.retries2;
  if (orphan) {
    const bool alive = persist_interval(now) < rtt.rto_max();
    probes_max = alive ? kOrphanRetries : 0;
    if (!alive && backoff >= probes_max) return Expiry::kGiveUp;
  }
  if (probes_out >= probes_max) return Expiry::kGiveUp;
  probe = Probe::kWindow;
  if (nxt < window_end()) {
    // What fits goes out and starts the RTO: no probing any more.
    backoff = 0;
    probes_out = 0;
    probing_since.reset();
    return Expiry::kContinue;
  }
  ++probes_out;
  if (backoff < config.retries2) ++backoff;
  set_timer(Timer::kPersist, now + persist_interval(now));
  return Expiry::kContinue;
}

// RFC 8985 6.3 (Linux's tcp_rack_reo_timeout).
void Sender::Parts::reordering_timeout(Instant now) {
  const uint32_t before = board.in_flight();
  const uint64_t lost_before = board.lost_ever();
  const bool impatient = state >= CongestionState::kRecovery || board.sacked_out() >= reordering;
  rack.detect(now, rack.reordering_window(impatient, rtt), board);
  if (board.in_flight() != before) {
    if (state != CongestionState::kRecovery) {
      enter_recovery(false);
      reduce_window(1, board.lost_ever() - lost_before, false);
    }
    resend = Resend::kLost;
  }
  rearm_rto(now);
}

}  // namespace netrig::tcp
