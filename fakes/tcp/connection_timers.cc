// What time and ICMP do to a connection (Linux's tcp_timer.c, tcp_v4_err).
#include <algorithm>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kPathMtuMin = 552;     // net.ipv4.route.min_pmtu
constexpr uint32_t kPathMtuMinV6 = 1280;  // RFC 8200 section 5

}  // namespace

void ConnectionImpl::update_deadline() {
  Instant earliest = Instant::max();
  if (state_ != State::kClosed) {
    earliest = std::min({syn_deadline_, acks_.deadline(), keepalive_deadline_, linger_deadline_});
    if (sender_) earliest = std::min(earliest, sender_->next_deadline());
  }
  core_.schedule(*this, earliest);
}

void ConnectionImpl::expire(Instant now) {
  if (state_ != State::kClosed && syn_deadline_ <= now) syn_timeout(now);
  if (state_ != State::kClosed && acks_.deadline() <= now &&
      acks_.expire(sender_ ? sender_->rto() : AckPolicy::kDelayMax)) {
    send_ack(now);
  }
  if (state_ != State::kClosed && sender_ && sender_->next_deadline() <= now) {
    if (sender_->expire(now) == Sender::Expiry::kGiveUp) {
      fail(soft_error_.value_or(Errno(ETIMEDOUT)));  // tcp_write_err
    } else {
      push(now);
      changed();
    }
  }
  if (state_ != State::kClosed && keepalive_deadline_ <= now) keepalive_timeout(now);
  if (state_ != State::kClosed && linger_deadline_ <= now) {
    // tcp_keepalive_timer of an orphan: the rest of FIN_WAIT_2 is spent as a TIME_WAIT is.
    linger_deadline_ = Instant::max();
    enter_time_wait(now, false, core_.options().time_wait);
  }
  finish_call();
}

Instant ConnectionImpl::last_received() const {
  return std::max(acks_.last_data(), ack_received_at_);
}

// tcp_keepalive_timer (RFC 1122 4.2.3.6).
void ConnectionImpl::keepalive_timeout(Instant now) {
  keepalive_deadline_ = Instant::max();
  if (!options_.keepalive || !sender_) return;
  if (sender_->packets_out() > 0 || sender_->unsent_octets() > 0) {
    keepalive_deadline_ = now + options_.keepalive_idle;  // retransmission finds out by itself
    return;
  }
  const Duration idle = now - last_received();
  if (idle < options_.keepalive_idle) {
    keepalive_deadline_ = now + (options_.keepalive_idle - idle);
    return;
  }
  const Duration patience = options_.user_timeout;
  if (patience > Duration(0) ? idle >= patience && keepalive_probes_ > 0
                             : keepalive_probes_ >= options_.keepalive_count) {
    send_reset(now);
    fail(soft_error_.value_or(Errno(ETIMEDOUT)));
    return;
  }
  send_keepalive(now);
  ++keepalive_probes_;
  keepalive_deadline_ = now + options_.keepalive_interval;
}

// tcp_fin_time: not shorter than a lost FIN takes to be sent again.
Duration ConnectionImpl::fin_timeout() const {
  return std::max(options_.linger2, sender_->rto() * 7 / 2);
}

void ConnectionImpl::orphan_fin_wait_2(Instant now) {
  if (options_.linger2 < Duration(0)) {
    send_reset(now);
    end();
    return;
  }
  const Duration timeout = fin_timeout();
  if (timeout > core_.options().time_wait) {
    linger_deadline_ = now + (timeout - core_.options().time_wait);
  } else {
    enter_time_wait(now, false, timeout);
  }
}

void ConnectionImpl::icmp(Instant now, SeqNum seq, Errno error, std::optional<uint32_t> mtu) {
  if (state_ == State::kClosed) return;
  // RFC 5927 section 4: it must be about something that is under way.
  const SeqNum una = sender_ ? sender_->snd_una() : iss_;
  const SeqNum nxt = sender_ ? sender_->snd_nxt() : iss_ + 1;
  if (seq < una || seq > nxt) return;
  if (mtu) {
    // RFC 1191, RFC 8201. tcp_v4_mtu_reduced
    const bool v6 = tuple.local.is_v6();
    const uint32_t usable = std::max(*mtu, v6 ? kPathMtuMinV6 : kPathMtuMin);
    const uint32_t mss = usable - (v6 ? 60 : 40);
    const uint32_t before = sending_mss();
    if (path_mss_ != 0 && mss >= path_mss_) return;
    path_mss_ = mss;
    if (sender_ && sending_mss() < before) {
      sender_->path_mtu_shrunk(now, sending_mss());
      push(now);
    }
  } else if (state_ == State::kSynSent || (state_ == State::kSynReceived && !sender_)) {
    // RFC 1122 4.2.3.9 would let soft errors pass; Linux fails a connect() for any.
    fail(error);
  } else {
    soft_error_ = error;  // told if the connection fails by time-out
  }
  finish_call();
}

}  // namespace netrig::tcp
