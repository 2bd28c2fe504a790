// A listener's handshake between SYN and its ACK: Linux's tcp_conn_request, tcp_check_req,
// reqsk_timer_handler (RFC 9293 3.10.7.4 for SYN-RECEIVED, RFC 7323 2.2 and 3.2, RFC 3168 6.1.1).
#include <algorithm>

#include "fakes/tcp/listener_impl.h"

namespace netrig::tcp {
namespace {

constexpr Duration kInitialRto = 1s;  // RFC 6298 2.1
constexpr Duration kRtoMax = 120s;
constexpr uint8_t kScaleMax = 14;
constexpr uint32_t kMssDefault = 536;
constexpr uint32_t kTimestampSize = 12;

}  // namespace

void HalfOpen::start(Instant now, const Segment& syn, SeqNum iss) {
  const ConnectionOptions& options = listener_.options();
  agreement_.iss = iss;
  agreement_.irs = syn.seq;
  agreement_.mss_clamp = syn.mss.value_or(0) == 0 ? kMssDefault : *syn.mss;
  agreement_.timestamps = options.timestamps && syn.timestamps.has_value();
  agreement_.ts_offset = core_.timestamp_offset(tuple);
  if (agreement_.timestamps) agreement_.ts_recent = syn.timestamps->value;
  agreement_.sack = options.sack && syn.sack_permitted;
  if (options.window_scaling && syn.window_scale) {
    agreement_.send_scale = std::min(*syn.window_scale, kScaleMax);
  }
  // RFC 3168 6.1.1: not if the SYN itself says ECT, which it must not (tcp_ecn_create_request).
  agreement_.ecn = (options.ecn || options.ecn_when_asked) && syn.has(kTcpEce) &&
                   syn.has(kTcpCwr) && syn.ecn == Ecn::kNotEct;
  agreement_.last_window = syn.window;

  uint32_t mss = core_.mss(tuple);
  if (options.max_segment != 0) mss = std::min<uint32_t>(mss, options.max_segment);
  advmss_ = static_cast<uint16_t>(mss);
  agreement_.receive_window.start(
      {.buffer = options.receive_buffer,
       .buffer_fixed = options.receive_buffer_fixed,
       .buffer_max = options.receive_buffer_max,
       .clamp = options.window_clamp,
       .segment = mss - (agreement_.timestamps ? std::min(mss, kTimestampSize) : 0),
       .scaling = agreement_.send_scale.has_value()});
  first_sent_at_ = now;
  timeout_ = kInitialRto;
  sent_ = 1;
  send_syn_ack(now);
  core_.schedule(*this, now + timeout_);
}

void HalfOpen::send(Instant now, bool syn) {
  Segment segment;
  segment.flags = kTcpAck;
  segment.seq = syn ? agreement_.iss : agreement_.iss + 1;
  segment.relative_seq = syn ? 0 : 1;
  segment.ack = agreement_.irs + 1;
  segment.window = agreement_.receive_window.advertise_in_syn();
  if (agreement_.timestamps) {
    segment.timestamps = {timestamp_ticks(now) + agreement_.ts_offset, agreement_.ts_recent};
  }
  if (syn) {
    segment.flags |= kTcpSyn;
    if (agreement_.ecn) segment.flags |= kTcpEce;
    segment.mss = advmss_;
    segment.sack_permitted = agreement_.sack;
    if (agreement_.send_scale) segment.window_scale = agreement_.receive_window.scale();
    segment.times_sent = repeated_++;
  } else {
    segment.window = static_cast<uint16_t>(
        segment.window >> (agreement_.send_scale ? agreement_.receive_window.scale() : 0));
  }
  core_.transmit(tuple, std::move(segment), {});
}

void HalfOpen::send_syn_ack(Instant now) {
  send(now, true);
}

void HalfOpen::expire(Instant now) {
  // reqsk_timer_handler: it ends in silence.
  if (sent_ > listener_.options().synack_retries) {
    drop();
    return;
  }
  ++sent_;
  agreement_.retransmitted = true;
  timeout_ = std::min(timeout_ * 2, kRtoMax);
  send_syn_ack(now);
  core_.schedule(*this, now + timeout_);
}

void HalfOpen::icmp(SeqNum seq, Errno error) {
  // tcp_req_err: only what says that nobody is there at all.
  if (seq == agreement_.iss && (error == Errno(EHOSTUNREACH) || error == Errno(ENETUNREACH)))
    drop();
}

void HalfOpen::drop() {
  listener_.handshake_gone(*this);
  core_.remove(*this);
}

bool HalfOpen::paws_rejects(const Segment& segment) const {
  return agreement_.timestamps && segment.timestamps &&
         static_cast<int32_t>(agreement_.ts_recent - segment.timestamps->value) > 0 &&
         !segment.has(kTcpRst);
}

// tcp_check_req, in its order.
void HalfOpen::process(Instant now, Segment&& segment) {
  const bool paws_reject = paws_rejects(segment);
  const uint8_t kinds = segment.flags & (kTcpRst | kTcpSyn | kTcpAck | kTcpFin);
  if (segment.seq == agreement_.irs && kinds == kTcpSyn && !paws_reject) {
    // The SYN again: the SYN-ACK was lost.
    if (odd_.allows(now)) {
      agreement_.retransmitted = true;
      send_syn_ack(now);
      core_.schedule(*this, now + timeout_);
    }
    return;
  }
  if (segment.has(kTcpAck) && segment.ack != agreement_.iss + 1) {
    core_.answer_with_reset(tuple, segment);  // RFC 9293 3.10.7.4, fifth
    return;
  }
  const SeqNum rcv_nxt = agreement_.irs + 1;
  const SeqNum window_end = rcv_nxt + agreement_.receive_window.window();
  const SeqNum end = segment.seq + segment.length();
  // tcp_in_window
  const bool inside = segment.seq == rcv_nxt || (end > rcv_nxt && segment.seq < window_end) ||
                      (segment.seq == window_end && segment.seq == end);
  if (paws_reject || !inside) {
    if (!segment.has(kTcpRst) && odd_.allows(now, segment)) send(now, false);
    return;
  }
  if (agreement_.timestamps && segment.timestamps && segment.seq <= rcv_nxt) {
    agreement_.ts_recent = segment.timestamps->value;
  }
  uint8_t flags = segment.flags;
  if (segment.seq == agreement_.irs) flags &= static_cast<uint8_t>(~kTcpSyn);  // an old number
  if ((flags & (kTcpRst | kTcpSyn)) != 0) {
    core_.answer_with_reset(tuple, segment);
    drop();
    return;
  }
  if ((flags & kTcpAck) == 0) return;
  complete(now, std::move(segment));
}

void HalfOpen::complete(Instant now, Segment&& segment) {
  if (listener_.queue_full()) {
    // tcp_v4_syn_recv_sock: the ACK is dropped, the SYN-ACK will be sent again.
    ++core_.counters().listen_overflows;
    return;
  }
  if (!agreement_.retransmitted) agreement_.rtt = now - first_sent_at_;
  const bool slow_start_small = repeated_ > 2;
  Agreement agreement = agreement_;
  agreement.retransmitted = slow_start_small;
  ListenerImpl& listener = listener_;
  StackCore& core = core_;
  const FourTuple endpoints = tuple;
  drop();  // deletes this

  auto made = std::make_unique<ConnectionImpl>(core, listener.options(),
                                               Endpoint(endpoints.local, endpoints.local_port),
                                               Endpoint(endpoints.peer, endpoints.peer_port));
  ConnectionImpl& connection = *made;
  core.add(std::move(made), endpoints);
  connection.accept_handshake(now, agreement, segment);
  connection.process(now, std::move(segment));
  listener.enqueue(connection);
}

}  // namespace netrig::tcp
