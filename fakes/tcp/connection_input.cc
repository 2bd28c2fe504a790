// Arriving segments of synchronised states, in the order of RFC 9293 3.10.7.4 as Linux walks it
// (tcp_validate_incoming, tcp_ack, tcp_rcv_state_process).
#include <algorithm>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr Duration kTimestampLife = 24h * 24;  // RFC 7323 5.5

}  // namespace

void ConnectionImpl::process(Instant now, Segment&& segment) {
  ++segments_received_;
  if (state_ == State::kSynSent) {
    process_syn_sent(now, segment);
  } else if (state_ != State::kClosed &&
             // Fifth of 3.10.7.4, which Linux looks at first: no ACK, no SYN, no RST.
             (segment.flags & (kTcpAck | kTcpRst | kTcpSyn)) != 0 && acceptable(now, segment) &&
             process_ack(now, segment) == AckVerdict::kGoOn) {
    check_urgent(segment);
    process_text(now, std::move(segment));
    if (state_ != State::kClosed) {
      push(now);
      check_ack(now);
    }
  }
  finish_call();
}

// ---- tcp_validate_incoming

bool ConnectionImpl::is_disordered_ack(const Segment& segment) const {
  // A pure ACK that changes nothing and was overtaken (tcp_disordered_ack): drop it in silence.
  const int32_t behind = static_cast<int32_t>(ts_recent_ - segment.timestamps->value);
  return segment.length() == 0 && segment.has(kTcpAck) && segment.seq == queue_.rcv_nxt() &&
         sender_ && segment.ack == sender_->snd_una() &&
         uint32_t{segment.window} << send_scale_.value_or(0) == sender_->snd_wnd() &&
         behind * 1ms <= sender_->rto() * 6 / 5;
}

// RFC 7323 5.3 R1, with a tick of tolerance (TCP_PAWS_WINDOW).
bool ConnectionImpl::paws_rejects(Instant now, const Segment& segment) const {
  if (!timestamps_ok_ || !segment.timestamps || !ts_recent_known_) return false;
  if (static_cast<int32_t>(ts_recent_ - segment.timestamps->value) <= 1) return false;
  return now - ts_recent_at_ < kTimestampLife && !is_disordered_ack(segment);
}

bool ConnectionImpl::acceptable(Instant now, const Segment& segment) {
  if (paws_rejects(now, segment) && !segment.has(kTcpRst)) {
    answer_duplicate(now, segment);
    return false;
  }
  // First: the sequence number (tcp_sequence).
  const SeqNum rcv_nxt = queue_.rcv_nxt();
  const SeqNum end = segment.seq + segment.length();
  if (end < window_.rcv_wup() || segment.seq > rcv_nxt + window_.left(rcv_nxt)) {
    if (segment.has(kTcpRst)) {
      // A peer's reset after its FIN may carry the number of the FIN (tcp_reset_check).
      if (accept_reset(now, segment)) reset_by_peer(now);
    } else if (segment.has(kTcpSyn)) {
      send_challenge(now);
    } else {
      answer_duplicate(now, segment);
    }
    return false;
  }
  // Second: RST. RFC 5961 3.2: only the exact number resets.
  if (segment.has(kTcpRst)) {
    if (segment.seq == rcv_nxt || accept_reset(now, segment)) {
      reset_by_peer(now);
    } else {
      send_challenge(now);
    }
    return false;
  }
  // Fourth: SYN. RFC 5961 4.2: a challenge; but the SYN-ACK of a simultaneous open goes on.
  if (segment.has(kTcpSyn)) {
    if (state_ == State::kSynReceived && segment.has(kTcpAck) && segment.length() == 1 &&
        segment.seq + 1 == rcv_nxt && segment.ack == iss_ + 1) {
      return true;
    }
    send_challenge(now);
    return false;
  }
  return true;
}

bool ConnectionImpl::accept_reset(Instant, const Segment& segment) {
  const SeqNum rcv_nxt = queue_.rcv_nxt();
  if (segment.seq + 1 == rcv_nxt &&
      (state_ == State::kCloseWait || state_ == State::kLastAck || state_ == State::kClosing)) {
    return true;
  }
  // The right edge of what was selectively acknowledged is an exact number, too (Linux).
  if (report_.blocks().empty()) return false;
  SeqNum highest = report_.blocks()[0].right;
  for (const SackBlock& block : report_.blocks()) highest = later_of(highest, block.right);
  return segment.seq == highest;
}

void ConnectionImpl::send_challenge(Instant now) {
  if (odd_.allows(now) && core_.challenge_allowed(now)) send_ack(now);
}

// tcp_send_dupack.
void ConnectionImpl::answer_duplicate(Instant now, const Segment& segment) {
  if (!odd_.allows(now, segment)) return;
  const SeqNum rcv_nxt = queue_.rcv_nxt();
  const SeqNum end = segment.seq + segment.length();
  if (segment.length() > 0 && segment.seq < rcv_nxt) {
    ++duplicate_segments_;
    acks_.enter_quick(AckPolicy::kQuickMax, window_.window());
    // RFC 2883 section 4: which octets came twice.
    if (sack_ok_) report_.add_duplicate(segment.seq, earlier_of(end, rcv_nxt));
  }
  send_ack(now);
}

// Linux's tcp_reset.
void ConnectionImpl::reset_by_peer(Instant) {
  if (state_ == State::kSynReceived && !sender_) {
    fail(Errno(ECONNREFUSED));
  } else {
    fail(Errno(state_ == State::kCloseWait ? EPIPE : ECONNRESET));
  }
}

// ---- fifth: ACK (tcp_ack and tcp_rcv_state_process)

ConnectionImpl::AckVerdict ConnectionImpl::process_ack(Instant now, const Segment& segment) {
  if (!segment.has(kTcpAck)) return AckVerdict::kDrop;
  if (state_ == State::kSynReceived) {
    if (segment.ack != iss_ + 1) {
      core_.answer_with_reset(tuple, segment);
      return AckVerdict::kDrop;
    }
    std::optional<Duration> rtt;
    if (syn_sent_ == 1) rtt = now - syn_first_at_;
    // The peer's SYN-ACK carries an unscaled window; a plain ACK a scaled one.
    establish(now, segment, rtt, syn_sent_ > 2);
    if (segment.has(kTcpSyn)) acks_.schedule();
  }
  const SeqNum una = sender_->snd_una();
  if (segment.ack < una) {
    // RFC 5961 5.2: older than any window that was ever offered.
    const auto acked =
        static_cast<uint32_t>(std::min<uint64_t>(sender_->relative(una), uint64_t{max_window_}));
    if (segment.ack < una - acked) {
      send_challenge(now);
      return AckVerdict::kDrop;
    }
  }
  if (segment.ack > sender_->snd_nxt()) {
    // RFC 9293 3.10.7.4: an ACK of what was never sent is answered and dropped; rate-limited by RFC
    // 5961. (Linux answers in closing states only.)
    send_challenge(now);
    return AckVerdict::kDrop;
  }
  // RFC 7323 4.3: the timestamp of what was acknowledged last (tcp_replace_ts_recent).
  if (timestamps_ok_ && segment.timestamps && segment.seq <= window_.rcv_wup() &&
      (!ts_recent_known_ || static_cast<int32_t>(segment.timestamps->value - ts_recent_) >= 0 ||
       now - ts_recent_at_ >= kTimestampLife)) {
    ts_recent_ = segment.timestamps->value;
    ts_recent_known_ = true;
    ts_recent_at_ = now;
  }
  Acknowledgement ack;
  ack.seq = segment.seq;
  ack.ack = segment.ack;
  ack.window =
      segment.has(kTcpSyn) ? segment.window : uint32_t{segment.window} << send_scale_.value_or(0);
  max_window_ = std::max(max_window_, ack.window);
  if (timestamps_ok_ && segment.timestamps && segment.timestamps->echo != 0) {
    ack.ts_echo = segment.timestamps->echo - ts_offset_;
  }
  if (sack_ok_) ack.sacks = {segment.sacks.data(), segment.sack_count};
  ack.has_length = segment.length() > 0;
  ack.ece = ecn_ok_ && segment.has(kTcpEce);
  const Sender::Outcome outcome = sender_->acknowledge(now, ack);
  soft_error_.reset();
  ack_received_at_ = now;
  keepalive_probes_ = 0;
  if (outcome.room_grew) {
    if (room_wanted_) grow_send_buffer();
    changed();
  }
  return after_ack(now, segment, sender_->fin_sent() && sender_->all_acknowledged());
}

ConnectionImpl::AckVerdict ConnectionImpl::after_ack(Instant now, const Segment& segment,
                                                     bool fin_acknowledged) {
  if (!fin_acknowledged) return AckVerdict::kGoOn;
  switch (state_) {
    case State::kFinWait1:
      return enter_fin_wait_2(now, segment);
    case State::kClosing:
      enter_time_wait(now, true, core_.options().time_wait);
      return AckVerdict::kDrop;
    case State::kLastAck:
      end();
      return AckVerdict::kDrop;
    default:
      return AckVerdict::kGoOn;
  }
}

ConnectionImpl::AckVerdict ConnectionImpl::enter_fin_wait_2(Instant now, const Segment& segment) {
  set_state(State::kFinWait2);
  if (!orphan_) return AckVerdict::kGoOn;
  const bool fin = segment.has(kTcpFin);
  const SeqNum data_end = segment.seq + static_cast<uint32_t>(segment.payload.size());
  if (segment.length() > 0 && data_end > queue_.rcv_nxt()) {
    // RFC 1122 4.2.2.13: data for a user that has gone.
    core_.answer_with_reset(tuple, segment);
    end();
    return AckVerdict::kDrop;
  }
  if (fin) return AckVerdict::kGoOn;  // it is processed next, and TIME_WAIT begins
  orphan_fin_wait_2(now);
  return AckVerdict::kDrop;
}

// ---- seventh and eighth: text and FIN

void ConnectionImpl::process_text(Instant now, Segment&& segment) {
  switch (state_) {
    case State::kCloseWait:
    case State::kClosing:
    case State::kLastAck:
      // After a FIN there is nothing new; what is old gets an ACK.
      if (segment.seq >= queue_.rcv_nxt()) return;
      [[fallthrough]];
    case State::kFinWait1:
    case State::kFinWait2: {
      const SeqNum data_end = segment.seq + static_cast<uint32_t>(segment.payload.size());
      if (read_shut_ && segment.length() > 0 && data_end > queue_.rcv_nxt()) {
        // RFC 1122 4.2.2.13: nobody reads it any more.
        core_.answer_with_reset(tuple, segment);
        reset_by_peer(now);
        return;
      }
      [[fallthrough]];
    }
    case State::kEstablished:
      queue_data(now, std::move(segment));
      return;
    default:
      return;
  }
}

}  // namespace netrig::tcp
