// How a reduction is taken back when nothing was lost: Eifel by timestamps (RFC 3522), DSACK
// (RFC 3708), as Linux's tcp_try_undo_*.
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {
namespace {

uint32_t milliseconds(Instant at) {
  return static_cast<uint32_t>(at.time_since_epoch() / Duration(1ms));
}

}  // namespace

// RFC 3522 (Eifel): the ACK echoes a time before the first retransmission, so the original came.
bool Sender::Parts::packet_delayed() const {
  if (!first_retransmission || !ts_echo) return false;
  return static_cast<int32_t>(*ts_echo - milliseconds(*first_retransmission)) < 0;
}

bool Sender::Parts::may_undo() const {
  // RFC 3708: every retransmission was told to be needless by a DSACK.
  return undo_marker.has_value() && (undo_retransmissions == 0 || packet_delayed());
}

void Sender::Parts::undo_reduction(bool unmark_losses) {
  if (unmark_losses) board.forget_losses();
  if (prior_ssthresh != 0) {
    ++counters.undone_recoveries;
    window.cwnd = std::max(window.cwnd, prior_cwnd);
    if (prior_ssthresh > window.ssthresh) {
      window.ssthresh = prior_ssthresh;
      cwr_waits = false;
    }
    algorithm->on_undo();
  }
  undo_marker.reset();
  rack.look_again();
}

// Without SACK the state is kept until something above high_seq is acknowledged, or else duplicate
// ACKs of the old window would start a new recovery (RFC 6582 section 3.2, "careful").
bool Sender::Parts::reno_holds_state() {
  if (una != high_seq || config.sack) return false;
  if (!any_retransmission_done()) first_retransmission.reset();
  return true;
}

bool Sender::Parts::try_undo_recovery() {
  if (may_undo()) {
    undo_reduction(false);
  } else {
    rack.recovery_ended();
  }
  if (reno_holds_state()) return true;
  state = CongestionState::kOpen;
  reneged = false;
  return false;
}

bool Sender::Parts::try_undo_partial(AckFindings& findings) {
  if (!undo_marker || !packet_delayed()) return false;
  check_reordering(findings.prior_una);
  if (board.retransmitted_out() > 0) return true;
  if (!any_retransmission_done()) first_retransmission.reset();
  undo_reduction(true);
  keep_open();
  return false;
}

bool Sender::Parts::try_undo_dsack() {
  if (!undo_marker || undo_retransmissions != 0) return false;
  rack.recovery_undone();
  undo_reduction(false);
  return true;
}

bool Sender::Parts::try_undo_loss(bool frto_undo) {
  if (!frto_undo && !may_undo()) return false;
  undo_reduction(true);
  timeouts_in_row = 0;
  if (reno_holds_state()) return true;
  if (frto_undo || config.sack) {
    state = CongestionState::kOpen;
    reneged = false;
  }
  return true;
}

}  // namespace netrig::tcp
