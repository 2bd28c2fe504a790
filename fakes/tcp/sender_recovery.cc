// What a loss means: Linux's state machine (tcp_fastretrans_alert), PRR, F-RTO.
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kReorderingStart = 3;  // RFC 5681's dupthresh; net.ipv4.tcp_reordering
constexpr uint32_t kReorderingMax = 300;  // net.ipv4.tcp_max_reordering
constexpr uint32_t kSsthreshInfinite = 0x7fffffff;

}  // namespace

void Sender::Parts::alert(AckFindings& findings, uint32_t duplicates) {
  if (findings.ece) prior_ssthresh = 0;
  if (findings.reneging && findings.una_advanced) {
    // Linux's tcp_check_sack_reneging: the receiver may have dropped what it SACKed; a short
    // timeout finds out.
    set_timer(Timer::kRetransmit, findings.now + std::max<Duration>(rtt.srtt() / 2, 10ms));
    findings.set_timer = false;
    return;
  }
  if (state == CongestionState::kOpen) {
    first_retransmission.reset();
  } else if (una >= high_seq && leave_state_at_high_seq()) {
    return;
  }
  if (state == CongestionState::kRecovery) {
    if (!recovering(findings, duplicates)) return;
    resend = Resend::kLost;
    return;
  }
  if (state == CongestionState::kLoss) {
    process_loss(findings, duplicates);
    identify_losses(findings);
    // On only if the window was undone or retransmissions are lost.
    if (state != CongestionState::kOpen && !findings.retransmission_lost) return;
  }
  if (!config.sack) {
    if (findings.una_advanced) board.set_emulated_sacks(0);
    add_reno_sacks(duplicates);
  }
  if (state <= CongestionState::kDisorder) try_undo_dsack();
  identify_losses(findings);
  if (!time_to_recover()) {
    try_to_open(findings);
    return;
  }
  enter_recovery(findings.ece);
  resend = Resend::kLost;
}

bool Sender::Parts::leave_state_at_high_seq() {
  if (state == CongestionState::kCwr) {
    // RFC 3168 6.1.2: CWR is held until something above high_seq is acknowledged.
    if (una != high_seq) {
      end_reduction();
      state = CongestionState::kOpen;
    }
  } else if (state == CongestionState::kRecovery) {
    if (!config.sack) board.set_emulated_sacks(0);
    if (try_undo_recovery()) return true;
    end_reduction();
  }
  return false;
}

bool Sender::Parts::recovering(AckFindings& findings, uint32_t duplicates) {
  if (!findings.una_advanced) {
    if (!config.sack) add_reno_sacks(duplicates);
  } else if (try_undo_partial(findings)) {
    return false;
  }
  if (try_undo_dsack()) try_to_open(findings);
  identify_losses(findings);
  if (state != CongestionState::kRecovery) {
    if (!time_to_recover()) return false;
    enter_recovery(findings.ece);
  }
  return true;
}

void Sender::Parts::identify_losses(AckFindings& findings) {
  if (board.empty()) return;
  if (!config.sack) {
    // RFC 6582: three duplicate ACKs or a partial ACK say that the first segment is lost.
    const bool dupthresh = state < CongestionState::kRecovery && board.sacked_out() >= reordering;
    const bool partial = state == CongestionState::kRecovery && findings.una_advanced;
    if ((dupthresh || partial) && !board.head().is(SentSegment::kLost)) {
      board.mark_lost(board.first_id());
    }
    return;
  }
  if (!rack.advanced()) return;
  const uint32_t before = board.retransmitted_out();
  const bool impatient = state >= CongestionState::kRecovery || board.sacked_out() >= reordering;
  const auto wait = rack.detect(findings.now, rack.reordering_window(impatient, rtt), board);
  if (wait) {
    set_timer(Timer::kReordering, findings.now + *wait + 2ms);  // Linux's TCP_TIMEOUT_MIN_US
    findings.set_timer = false;
  }
  if (board.retransmitted_out() < before) findings.retransmission_lost = true;
}

bool Sender::Parts::time_to_recover() const {
  return board.lost_out() > 0;
}

bool Sender::Parts::any_retransmission_done() const {
  return board.retransmitted_out() > 0 ||
         (!board.empty() && board.head().is(SentSegment::kEverRetransmitted));
}

void Sender::Parts::try_to_open(const AckFindings& findings) {
  if (!any_retransmission_done()) first_retransmission.reset();
  if (findings.ece) enter_cwr();
  if (state != CongestionState::kCwr) keep_open();
}

void Sender::Parts::keep_open() {
  const bool disorder = board.sacked_out() + board.lost_out() > 0 || any_retransmission_done();
  const auto wanted = disorder ? CongestionState::kDisorder : CongestionState::kOpen;
  if (state == wanted) return;
  state = wanted;
  high_seq = nxt;
}

void Sender::Parts::enter_recovery(bool ece) {
  ++counters.fast_retransmits;
  prior_ssthresh = 0;
  init_undo();
  if (!in_reduction()) {
    if (!ece) prior_ssthresh = current_ssthresh();
    init_reduction();
  }
  state = CongestionState::kRecovery;
}

void Sender::Parts::enter_cwr() {
  prior_ssthresh = 0;
  if (state >= CongestionState::kCwr) return;
  undo_marker.reset();
  init_reduction();
  state = CongestionState::kCwr;
}

// Linux's tcp_enter_loss (RFC 5681 3.1 after a timeout, RFC 5682 step 1).
void Sender::Parts::enter_loss(Instant now) {
  const bool new_recovery = state < CongestionState::kRecovery;
  if (!board.empty() && board.head().is(SentSegment::kSacked)) {
    board.forget_sacks();  // RFC 2018 section 8
    seen_count = 0;
    reneged = true;
    for (uint64_t id = board.first_id(); id != board.end_id(); ++id) board.mark_lost(id);
  } else {
    if (!config.sack) board.set_emulated_sacks(0);
    for (uint64_t id = board.first_id(); id != board.end_id(); ++id) {
      if (config.sack && id != board.first_id() && rack.too_recent(now, board.at(id))) continue;
      board.mark_lost(id);
    }
  }
  if (state <= CongestionState::kDisorder || una >= high_seq ||
      (state == CongestionState::kLoss && timeouts_in_row == 0)) {
    prior_ssthresh = current_ssthresh();
    prior_cwnd = window.cwnd;
    window.ssthresh = algorithm->ssthresh_after_loss(now, window);
    algorithm->on_timeout();
    init_undo();
  }
  window.cwnd = board.in_flight() + 1;
  cwnd_stamp = now;
  if (state <= CongestionState::kDisorder && board.sacked_out() >= kReorderingStart) {
    reordering = std::min(reordering, kReorderingStart);
  }
  state = CongestionState::kLoss;
  high_seq = nxt;
  probe_end.reset();
  if (config.ecn) cwr_waits = true;
  frto = new_recovery || timeouts_in_row > 0;
}

void Sender::Parts::init_undo() {
  undo_marker = una;
  undo_retransmissions = board.retransmitted_out();
  if (probe_end && probe_was_retransmission) ++undo_retransmissions;
  if (undo_retransmissions == 0) undo_retransmissions = -1;
}

void Sender::Parts::init_reduction() {
  high_seq = nxt;
  probe_end.reset();
  prior_cwnd = window.cwnd;
  prr_delivered = 0;
  prr_out = 0;
  window.ssthresh = algorithm->ssthresh_after_loss(call_at, window);
  if (config.ecn) cwr_waits = true;  // RFC 3168 6.1.2
}

void Sender::Parts::end_reduction() {
  if (window.ssthresh < kSsthreshInfinite &&
      (state == CongestionState::kCwr || undo_marker.has_value())) {
    window.cwnd = window.ssthresh;
  }
}

// RFC 6937 and RFC 9937: proportional above ssthresh, below it what was delivered, and one more if
// the ACK made progress without a new loss (Linux's tcp_cwnd_reduction).
void Sender::Parts::reduce_window(uint64_t delivered_now, uint64_t lost_now, bool una_advanced) {
  if (delivered_now == 0 || prior_cwnd == 0) return;
  prr_delivered += static_cast<uint32_t>(delivered_now);
  const int64_t in_flight = board.in_flight();
  const int64_t delta = int64_t{window.ssthresh} - in_flight;
  int64_t count = 0;
  if (delta < 0) {
    const uint64_t dividend = uint64_t{window.ssthresh} * prr_delivered + prior_cwnd - 1;
    count = static_cast<int64_t>(dividend / prior_cwnd) - prr_out;
  } else {
    count =
        std::max<int64_t>(int64_t{prr_delivered} - prr_out, static_cast<int64_t>(delivered_now));
    if (una_advanced && lost_now == 0) ++count;
    count = std::min(delta, count);
  }
  count = std::max<int64_t>(count, prr_out > 0 ? 0 : 1);  // the fast retransmission goes out
  window.cwnd = static_cast<uint32_t>(in_flight + count);
}

uint32_t Sender::Parts::current_ssthresh() const {
  if (in_reduction()) return window.ssthresh;
  return std::max(window.ssthresh, (window.cwnd >> 1) + (window.cwnd >> 2));
}

// RFC 5682 section 3.1 (F-RTO with SACK) inside Linux's tcp_process_loss.
void Sender::Parts::process_loss(AckFindings& findings, uint32_t duplicates) {
  const bool recovered = una >= high_seq;
  if (findings.una_advanced && try_undo_loss(false)) return;
  if (frto) {
    // Step 3.b: something that was never sent again arrived, so the timeout was too early.
    if (findings.original_acked && try_undo_loss(true)) return;
    if (nxt > high_seq) {
      if (findings.sacked || duplicates > 0) frto = false;  // step 3.a: the loss was real
    } else if (findings.una_advanced && !recovered) {
      high_seq = nxt;
      // Step 2.b: new data first; what comes back for it will tell.
      if (has_unsent() && window_end() > nxt) {
        resend = Resend::kNewFirst;
        return;
      }
      frto = false;
    }
  }
  if (recovered) {
    try_undo_recovery();
    return;
  }
  if (!config.sack) {
    if (nxt > high_seq && duplicates > 0) {
      add_reno_sacks(duplicates);
    } else if (findings.una_advanced) {
      board.set_emulated_sacks(0);
    }
  }
  resend = Resend::kLost;
}

// RFC 8985 section 4.1: a hole that was filled by an original is reordering.
void Sender::Parts::check_reordering(uint64_t low) {
  const uint64_t highest = highest_sacked();
  if (low >= highest) return;
  const uint64_t metric = (highest - low + config.mss - 1) / config.mss;
  if (metric > reordering) {
    reordering = static_cast<uint32_t>(std::min<uint64_t>(metric, kReorderingMax));
  }
  rack.reordering_seen();
}

// RFC 8985 7.4 (Linux's tcp_process_tlp_ack).
void Sender::Parts::process_tail_probe_ack(const AckFindings& findings) {
  if (una < *probe_end) return;
  const bool both_arrived = !probe_was_retransmission || findings.dsack_of_probe;
  const bool pure_duplicate = !findings.una_advanced && !findings.not_duplicate && !findings.sacked;
  if (both_arrived || (una == *probe_end && pure_duplicate)) {
    probe_end.reset();
  } else if (una > *probe_end) {
    // The probe repaired a loss that nobody else saw: the window is reduced as for any.
    init_reduction();
    state = CongestionState::kCwr;
    end_reduction();
    keep_open();
  }
}

// ---- without SACK

void Sender::Parts::limit_reno_sacks(uint32_t addend) {
  const uint32_t packets = board.packets_out();
  const uint32_t holes = std::min(std::max(board.lost_out(), 1u), packets);
  if (board.sacked_out() + holes <= packets) return;
  board.set_emulated_sacks(packets - holes);
  reordering = std::min(packets + addend, kReorderingMax);
  rack.reordering_seen();
}

void Sender::Parts::add_reno_sacks(uint32_t duplicates) {
  if (duplicates == 0) return;
  const uint32_t before = board.sacked_out();
  board.set_emulated_sacks(before + duplicates);
  limit_reno_sacks(0);
  if (board.sacked_out() > before) delivered += board.sacked_out() - before;
}

void Sender::Parts::remove_reno_sacks(uint32_t acked) {
  const uint32_t sacked = board.sacked_out();
  if (acked > 0) {
    // One acknowledged the hole, the rest were counted as duplicates came.
    delivered += std::max<int64_t>(int64_t{acked} - sacked, 1);
    board.set_emulated_sacks(acked - 1 >= sacked ? 0 : sacked - (acked - 1));
  }
  limit_reno_sacks(acked);
}

}  // namespace netrig::tcp
