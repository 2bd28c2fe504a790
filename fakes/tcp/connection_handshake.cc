// SYN-SENT and SYN-RECEIVED of a connection that was opened actively (RFC 9293 3.5, 3.10.7.3;
// Linux's tcp_rcv_synsent_state_process). Handshakes of listeners are in half_open.cc.
#include <algorithm>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr Duration kInitialRto = 1s;  // RFC 6298 2.1
constexpr Duration kRtoMax = 120s;
constexpr uint8_t kScaleMax = 14;  // RFC 7323 2.3
constexpr uint32_t kMssDefault = 536;
constexpr uint32_t kMssClampV6 = 1220;  // tcp_v6_connect(): until the peer says
constexpr uint32_t kMssSmall = 88;      // TCP_MIN_MSS
constexpr uint32_t kTimestampSize = 12;

}  // namespace

void ConnectionImpl::open(Instant now, SeqNum iss, uint32_t ts_offset) {
  iss_ = iss;
  ts_offset_ = ts_offset;
  if (tuple.peer.is_v6()) mss_clamp_ = kMssClampV6;
  advmss_ = core_.mss(tuple);
  if (options_.max_segment != 0) advmss_ = std::min<uint32_t>(advmss_, options_.max_segment);
  window_.start({.buffer = options_.receive_buffer,
                 .buffer_fixed = options_.receive_buffer_fixed,
                 .buffer_max = options_.receive_buffer_max,
                 .clamp = options_.window_clamp,
                 .segment = advmss_,
                 .scaling = options_.window_scaling});
  state_ = State::kSynSent;
  syn_first_at_ = now;
  syn_rto_ = kInitialRto;
  send_syn(now);
  finish_call();
}

// The SYN of SYN-SENT, or the SYN-ACK of a simultaneous open.
void ConnectionImpl::send_syn(Instant now) {
  const bool answer = state_ == State::kSynReceived;
  Segment syn;
  syn.flags = kTcpSyn;
  syn.seq = iss_;
  syn.mss = static_cast<uint16_t>(advmss_);
  syn.window = window_.advertise_in_syn();
  syn.sack_permitted = answer ? sack_ok_ : options_.sack;
  if (answer ? timestamps_ok_ : options_.timestamps) {
    syn.timestamps = {timestamp_ticks(now) + ts_offset_, ts_recent_};
  }
  if (answer ? send_scale_.has_value() : options_.window_scaling) {
    syn.window_scale = window_.scale();
  }
  if (answer) {
    syn.flags |= kTcpAck;
    syn.ack = queue_.rcv_nxt();
    if (ecn_ok_) syn.flags |= kTcpEce;  // RFC 3168 6.1.1
  } else if (options_.ecn && syn_sent_ == 0) {
    // Not when it is sent again: somebody on the way may have dropped it for these flags
    // (tcp_ecn_fallback).
    syn.flags |= kTcpEce | kTcpCwr;
  }
  syn.times_sent = syn_sent_++;
  syn_deadline_ = now + syn_rto_;
  if (options_.user_timeout > Duration(0)) {
    syn_deadline_ =
        std::min(syn_deadline_, std::max(syn_first_at_ + options_.user_timeout, now + 1ms));
  }
  core_.transmit(tuple, std::move(syn), activity_);
}

bool ConnectionImpl::give_up_handshake(Instant now) const {
  const uint32_t linear = state_ == State::kSynSent ? options_.syn_linear_timeouts : 0;
  const Duration patience = options_.user_timeout;
  return syn_sent_ > options_.syn_retries + linear ||
         (patience > Duration(0) && now - syn_first_at_ >= patience);
}

void ConnectionImpl::syn_timeout(Instant now) {
  if (give_up_handshake(now)) {
    fail(soft_error_.value_or(Errno(ETIMEDOUT)));
    return;
  }
  // tcp_retransmit_timer: doubled, but for the first ones of a SYN.
  if (state_ != State::kSynSent || syn_sent_ > options_.syn_linear_timeouts) {
    syn_rto_ = std::min(syn_rto_ * 2, kRtoMax);
  }
  send_syn(now);
}

// What the peer's SYN says; an option counts if both ends offer it.
void ConnectionImpl::learn_options(const Segment& segment) {
  if (segment.mss.value_or(0) != 0) mss_clamp_ = *segment.mss;
  timestamps_ok_ = options_.timestamps && segment.timestamps.has_value();
  sack_ok_ = options_.sack && segment.sack_permitted;
  if (options_.window_scaling && segment.window_scale) {
    send_scale_ = std::min(*segment.window_scale, kScaleMax);
    receive_scale_ = window_.scale();
  } else {
    window_.disable_scaling();
  }
}

void ConnectionImpl::remember_syn(Instant now, const Segment& segment) {
  irs_ = segment.seq;
  queue_.start(irs_ + 1);
  window_.set_rcv_wup(irs_ + 1);
  learn_options(segment);
  if (timestamps_ok_) {
    ts_recent_ = segment.timestamps->value;
    ts_recent_known_ = true;
    ts_recent_at_ = now;
  }
}

void ConnectionImpl::process_syn_sent(Instant now, const Segment& segment) {
  if (segment.has(kTcpAck)) {
    // First: RFC 9293 3.10.7.3.
    if (segment.ack != iss_ + 1) {
      core_.answer_with_reset(tuple, segment);
      return;
    }
    if (options_.timestamps && segment.timestamps && segment.timestamps->echo != 0) {
      // An echo of a timestamp that this SYN never had (Linux: PAWSActiveRejected).
      const uint32_t echo = segment.timestamps->echo - ts_offset_;
      const uint32_t first = timestamp_ticks(syn_first_at_);
      if (echo - first > timestamp_ticks(now) - first) {
        core_.answer_with_reset(tuple, segment);
        return;
      }
    }
    // Second.
    if (segment.has(kTcpRst)) {
      fail(Errno(ECONNREFUSED));
      return;
    }
    // Fifth. Octets and a FIN that come with the SYN-ACK are left to the peer's retransmission, as
    // in Linux without Fast Open.
    if (segment.has(kTcpSyn)) handshake_done(now, segment);
    return;
  }
  if (segment.has(kTcpRst) || !segment.has(kTcpSyn)) return;
  // Simultaneous open.
  remember_syn(now, segment);
  ecn_ok_ = options_.ecn && segment.has(kTcpEce) && segment.has(kTcpCwr);
  max_window_ = segment.window;
  set_state(State::kSynReceived);
  syn_sent_ = 0;
  syn_rto_ = kInitialRto;
  send_syn(now);
}

void ConnectionImpl::handshake_done(Instant now, const Segment& segment) {
  remember_syn(now, segment);
  // RFC 3168 6.1.1: ECE without CWR agrees; both are a reflection of our SYN.
  ecn_ok_ = options_.ecn && segment.has(kTcpEce) && !segment.has(kTcpCwr);
  std::optional<Duration> rtt;
  if (syn_sent_ == 1) {
    rtt = now - syn_first_at_;
  } else if (timestamps_ok_ && segment.timestamps->echo != 0) {
    rtt =
        1ms * static_cast<int32_t>(timestamp_ticks(now) - (segment.timestamps->echo - ts_offset_));
  }
  establish(now, segment, rtt, syn_sent_ > 2);
  send_ack(now);
}

// tcp_finish_connect, tcp_init_transfer. RFC 7323 2.2: the window of a SYN is never scaled.
void ConnectionImpl::establish(Instant now, const Segment& segment, std::optional<Duration> rtt,
                               bool retransmitted) {
  syn_deadline_ = Instant::max();
  uint32_t window = segment.window;
  if (!segment.has(kTcpSyn)) window <<= send_scale_.value_or(0);
  max_window_ = std::max(max_window_, window);
  if (timestamps_ok_) advmss_ -= std::min(advmss_, kTimestampSize);
  const SenderConfig config{.mss = sending_mss(),
                            .sack = sack_ok_,
                            .timestamps = timestamps_ok_,
                            .ecn = ecn_ok_,
                            .congestion = options_.congestion,
                            .buffer_octets = options_.send_buffer,
                            .handshake_rtt = rtt,
                            .syn_retransmitted = retransmitted};
  sender_.emplace(now, iss_, window, segment.seq, config, core_.pool());
  apply_sender_options();
  grow_send_buffer();
  window_.established(now, queue_.rcv_nxt(), advmss_);
  // tcp_initialize_rcv_mss: guess low, so that ACKs are not late.
  acks_.start(
      std::max(std::min({advmss_, config.mss, window_.window() / 2, kMssDefault}), kMssSmall));
  if (!options_.quickack) acks_.enter_pingpong();
  ack_received_at_ = now;
  if (options_.keepalive) keepalive_deadline_ = now + options_.keepalive_idle;
  const bool from_syn_sent = state_ == State::kSynSent;
  set_state(State::kEstablished);
  // It was closed or shut down during a simultaneous open, or its listener before it listened.
  // (From SYN-SENT the FIN is left to close().)
  if (write_shut_ && !from_syn_sent && send_fin_state()) push(now);
}

void ConnectionImpl::accept_handshake(Instant now, const Agreement& agreement, const Segment& ack) {
  iss_ = agreement.iss;
  irs_ = agreement.irs;
  mss_clamp_ = agreement.mss_clamp;
  timestamps_ok_ = agreement.timestamps;
  ts_offset_ = agreement.ts_offset;
  ts_recent_ = agreement.ts_recent;
  ts_recent_known_ = timestamps_ok_;
  ts_recent_at_ = now;
  sack_ok_ = agreement.sack;
  send_scale_ = agreement.send_scale;
  ecn_ok_ = agreement.ecn;
  window_ = agreement.receive_window;
  if (send_scale_) receive_scale_ = window_.scale();
  max_window_ = agreement.last_window;
  advmss_ = core_.mss(tuple);
  if (options_.max_segment != 0) advmss_ = std::min<uint32_t>(advmss_, options_.max_segment);
  queue_.start(irs_ + 1);
  window_.set_rcv_wup(irs_ + 1);
  establish(now, ack, agreement.rtt, agreement.retransmitted);
}

}  // namespace netrig::tcp
