// What a socket sets and asks: options, readiness for poll(2), TCP_INFO, SO_ERROR.
#include <algorithm>
#include <array>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kTimestampSize = 12;
constexpr size_t kBufferSmallest = 2304;  // SOCK_MIN_RCVBUF

}  // namespace

const char* state_name(State state) {
  static constexpr std::array<const char*, 11> kNames = {
      "CLOSED",     "LISTEN",     "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1",
      "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK",     "TIME_WAIT"};
  return kNames[static_cast<size_t>(state)];
}

// ---- questions

Readiness ConnectionImpl::readiness() const {
  Readiness ready;
  ready.error = error_.has_value();
  ready.read_closed = read_shut_;
  ready.write_closed = write_shut_;
  ready.readable = read_shut_;
  const bool connecting = state_ == State::kSynSent || state_ == State::kSynReceived;
  if (connecting) return ready;
  // tcp_epollin_ready
  size_t target = std::max(options_.receive_low_water, 1u);
  const size_t available = queue_.readable();
  if (urgent_ != Urgent::kNone && urgent_seq_ == queue_.copied_seq() && !options_.urgent_inline) {
    ++target;
  }
  if (available > 0 && (available >= target || window_.left(queue_.rcv_nxt()) <= acks_.rcv_mss())) {
    ready.readable = true;
  }
  ready.urgent = urgent_ == Urgent::kValid;
  if (write_shut_) {
    ready.writable = true;
  } else if (sender_) {
    // sk_stream_is_writeable: a third of the buffer is free, and TCP_NOTSENT_LOWAT lets it.
    const size_t used = sender_->memory();
    const size_t buffer = sender_->buffer();
    ready.writable = used < buffer && buffer - used >= used / 2 &&
                     sender_->unsent_octets() < options_.notsent_low_water;
  }
  return ready;
}

ConnectionInfo ConnectionImpl::info() const {
  ConnectionInfo info;
  info.state = state_;
  info.segments_received = segments_received_;
  info.octets_received = octets_received_;
  info.duplicate_segments = duplicate_segments_;
  info.out_of_order_segments = early_segments_;
  info.receive_mss = acks_.rcv_mss();
  info.timestamps = timestamps_ok_;
  info.sack = sack_ok_;
  info.ecn = ecn_ok_;
  info.send_scale = send_scale_;
  info.receive_scale = receive_scale_;
  info.mss = sending_mss();
  if (!sender_) {
    // tcp_connect_init(): without an answer timestamps are counted on.
    const bool unanswered = state_ == State::kSynSent || state_ == State::kClosed;
    if (unanswered && options_.timestamps && !timestamps_ok_) info.mss -= kTimestampSize;
    info.rto = syn_rto_;
    info.retransmits = syn_sent_ > 0 ? syn_sent_ - 1 : 0;
    info.backoff = info.retransmits;
    return info;
  }
  info.sent = sender_->counters();
  info.srtt = sender_->srtt();
  info.rttvar = sender_->rttvar();
  info.rto = sender_->rto();
  info.cwnd = sender_->cwnd_segments();
  info.ssthresh = sender_->ssthresh_segments();
  info.mss = sender_->mss();
  info.unacknowledged_segments = sender_->packets_out();
  info.backoff = sender_->backoff();
  info.retransmits = sender_->backoff();
  info.congestion_state = sender_->congestion_state();
  return info;
}

std::optional<SenderCounters> ConnectionImpl::sender_counters() const {
  // Those of an ended one are in the stack's sum already.
  if (!sender_ || state_ == State::kClosed) return std::nullopt;
  return sender_->counters();
}

bool ConnectionImpl::lingered() const {
  return state_ != State::kFinWait1 && state_ != State::kClosing && state_ != State::kLastAck;
}

// tcp_inq.
size_t ConnectionImpl::readable_octets() const {
  if (urgent_ != Urgent::kNone && !options_.urgent_inline && urgent_seq_ >= queue_.copied_seq() &&
      urgent_seq_ < queue_.rcv_nxt()) {
    return static_cast<size_t>(urgent_seq_ - queue_.copied_seq());
  }
  return queue_.readable();
}

std::optional<Errno> ConnectionImpl::take_error() {
  if (error_) return std::exchange(error_, std::nullopt);
  return std::exchange(soft_error_, std::nullopt);
}

// ---- options

void ConnectionImpl::apply_sender_options() {
  sender_->set_nodelay(options_.nodelay);
  sender_->set_cork(options_.cork);
  sender_->set_user_timeout(options_.user_timeout);
}

void ConnectionImpl::set_options(Instant now, const ConnectionOptions& options) {
  const ConnectionOptions before = std::exchange(options_, options);
  // A size that the caller did not change is left as autotuning has made it meanwhile.
  if (std::exchange(receive_buffer_asked_, options.receive_buffer) == options.receive_buffer) {
    options_.receive_buffer = before.receive_buffer;
  }
  if (std::exchange(send_buffer_asked_, options.send_buffer) == options.send_buffer) {
    options_.send_buffer = before.send_buffer;
  }
  options_.receive_buffer = std::max(options_.receive_buffer, kBufferSmallest);
  if (options_.receive_buffer != before.receive_buffer ||
      options.receive_buffer_fixed != before.receive_buffer_fixed) {
    window_.set_buffer(options_.receive_buffer, options.receive_buffer_fixed);
  }
  window_.set_buffer_max(options.receive_buffer_max);
  if (options.keepalive != before.keepalive || options.keepalive_idle != before.keepalive_idle) {
    // tcp_set_keepalive and tcp_sock_set_keepidle: counted from what was received last.
    keepalive_deadline_ = Instant::max();
    if (options.keepalive && sender_ && state_ != State::kClosed) {
      keepalive_deadline_ = std::max(last_received() + options.keepalive_idle, now);
    }
  }
  if (options.quickack != before.quickack) {
    // tcp_sock_set_quickack
    if (options.quickack) {
      acks_.leave_pingpong();
      if ((state_ == State::kEstablished || state_ == State::kCloseWait) && acks_.scheduled()) {
        send_ack(now);
      }
    } else {
      acks_.enter_pingpong();
    }
  }
  if (sender_ && state_ != State::kClosed) {
    apply_sender_options();
    if (options.congestion != sender_->congestion()) sender_->set_congestion(options.congestion);
    if (options_.send_buffer != before.send_buffer) sender_->set_buffer(options_.send_buffer);
    // TCP_MAXSEG is looked at for new segments only.
    if (options.max_segment != before.max_segment) sender_->set_mss(sending_mss());
    push(now);
  }
  changed();
  finish_call();
}

}  // namespace netrig::tcp
