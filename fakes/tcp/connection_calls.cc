// What a socket asks of a connection: Linux's tcp.c, af_inet.c and stream.c on a non-blocking
// socket.
#include <algorithm>
#include <array>
#include <bit>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kInitialSegments = 10;

size_t size_of(std::span<const std::span<char>> parts) {
  size_t size = 0;
  for (const auto& part : parts) size += part.size();
  return size;
}

}  // namespace

ConnectionImpl::ConnectionImpl(StackCore& core, const ConnectionOptions& options,
                               const Endpoint& local, const Endpoint& peer)
    : Participant(Kind::kConnection),
      core_(core),
      options_(options),
      send_buffer_asked_(options.send_buffer),
      receive_buffer_asked_(options.receive_buffer),
      local_(local),
      peer_(peer),
      read_shut_(options.receive_shutdown),
      write_shut_(options.send_shutdown),
      queue_(core.pool()) {}

// ---- state

void ConnectionImpl::set_state(State state) {
  state_ = state;
  changed();
}

// Linux's tcp_done: the endpoints are free from now on.
void ConnectionImpl::end() {
  if (state_ == State::kClosed) return;
  syn_deadline_ = keepalive_deadline_ = linger_deadline_ = Instant::max();
  read_shut_ = write_shut_ = true;
  queue_.drop_early();
  if (sender_) {
    add_counters(core_.past(), sender_->counters());
  }
  core_.unlist(*this);
  set_state(State::kClosed);
}

void ConnectionImpl::fail(Errno error) {
  error_ = error;
  end();
}

void ConnectionImpl::enter_time_wait(Instant now, bool fin_received, Duration lasting) {
  const TimeWaitState wait{.fin_received = fin_received,
                           .snd_nxt = sender_->snd_nxt(),
                           .rcv_nxt = queue_.rcv_nxt(),
                           .relative_snd_nxt = sender_->relative(sender_->snd_nxt()),
                           .rcv_wnd = window_.left(queue_.rcv_nxt()),
                           .rcv_scale = window_.scale(),
                           .timestamps = timestamps_ok_,
                           .ts_offset = ts_offset_,
                           .ts_recent = ts_recent_,
                           .ts_recent_at = ts_recent_at_};
  end();
  core_.time_wait(now, *this, wait, lasting);
}

// tcp_close_state: true if a FIN is to be sent.
bool ConnectionImpl::send_fin_state() {
  if (state_ == State::kEstablished) {
    set_state(State::kFinWait1);
  } else if (state_ == State::kCloseWait) {
    set_state(State::kLastAck);
  } else {
    return false;
  }
  sender_->finish();
  fin_queued_ = true;
  return true;
}

// Linux's tcp_disconnect: what SO_LINGER 0 and shutdown() of a SYN-SENT socket do.
void ConnectionImpl::disconnect(Instant now) {
  const State before = state_;
  const bool unsent = sender_ && sender_->unsent_octets() > 0;
  if (before == State::kEstablished || before == State::kCloseWait || before == State::kFinWait1 ||
      before == State::kFinWait2 || before == State::kSynReceived ||
      (unsent && (before == State::kClosing || before == State::kLastAck))) {
    send_reset(now);
  }
  fail(Errno(ECONNRESET));
  queue_.clear();
  if (before == State::kSynSent) read_shut_ = write_shut_ = false;
}

void ConnectionImpl::finish_call() {
  update_deadline();
  if (!changed_) return;
  changed_ = false;
  if (observer_ != nullptr) observer_->connection_changed(*this);
}

// ---- sending

Result<size_t> ConnectionImpl::send(Instant now, std::span<const ByteView> parts, bool more) {
  if (state_ != State::kEstablished && state_ != State::kCloseWait) {
    // sk_stream_wait_connect
    if (error_) return fail_with(*std::exchange(error_, std::nullopt));
    const bool connecting = state_ == State::kSynSent || state_ == State::kSynReceived;
    return fail_with(connecting && !write_shut_ ? EAGAIN : EPIPE);
  }
  if (error_) return fail_with(*std::exchange(error_, std::nullopt));
  if (write_shut_) return fail_with(EPIPE);
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  if (size == 0) return 0;
  Sender::Write write{parts, more};
  while (sender_->append_packet(write, sender_->unsent_octets() < options_.notsent_low_water)) {
    push(now);
  }
  room_wanted_ = write.done < size;
  push(now);
  finish_call();
  if (write.done == 0) return fail_with(EAGAIN);
  return write.done;
}

Result<size_t> ConnectionImpl::send_urgent(Instant now, std::span<const ByteView> parts) {
  if ((state_ == State::kEstablished || state_ == State::kCloseWait) && !write_shut_ && !error_) {
    // tcp_mark_urg: the last octet that was taken is the urgent one. It must be known before the
    // octets leave, so they are put in first.
    size_t size = 0;
    for (const ByteView part : parts) size += part.size();
    if (size == 0) return 0;
    const size_t taken = sender_->append(parts, false);
    if (taken == 0) {
      room_wanted_ = true;
      return fail_with(EAGAIN);
    }
    snd_up_ = sender_->snd_nxt() + static_cast<uint32_t>(sender_->unsent_octets());
    push(now);
    finish_call();
    return taken;
  }
  return send(now, parts, false);
}

// tcp_sndbuf_expand: a full segment takes a block of a power of two.
void ConnectionImpl::grow_send_buffer() {
  if (options_.send_buffer_fixed) return;
  const size_t segment = std::max(mss_clamp_, sender_->mss()) + kHeaderRoom + kSharedInfo;
  const size_t segments = std::max(kInitialSegments, sender_->cwnd_segments());
  const size_t wanted =
      std::min(2 * segments * (std::bit_ceil(segment) + kPacketStruct), options_.send_buffer_max);
  if (wanted <= options_.send_buffer) return;
  options_.send_buffer = wanted;
  sender_->set_buffer(wanted);
}

// ---- receiving

Result<size_t> ConnectionImpl::receive(Instant now, std::span<const std::span<char>> parts,
                                       bool peek) {
  size_t available = queue_.readable();
  const size_t wanted = size_of(parts);
  if (wanted == 0 && available > 0) return 0;  // also before the urgent octet
  const bool mark = urgent_ != Urgent::kNone && available > 0 &&
                    urgent_seq_ >= queue_.copied_seq() &&
                    urgent_seq_ < queue_.copied_seq() + static_cast<uint32_t>(available);
  size_t hole = 0;  // the urgent octet stands first and is passed over
  if (mark) {
    // RFC 6093 3.1 as Linux: a read ends before the urgent octet, and the octet is not in the
    // stream.
    const auto before = static_cast<size_t>(urgent_seq_ - queue_.copied_seq());
    if (before > 0) {
      available = before;
    } else if (!options_.urgent_inline) {
      hole = 1;
      --available;
    }
  }
  if (hole > 0 && !peek) {
    // It is gone even if nothing stands behind it.
    queue_.skip(1);
    urgent_ = Urgent::kNone;
  }
  if (available == 0) {
    if (fin_received_) return 0;
    if (error_) return fail_with(*std::exchange(error_, std::nullopt));
    if (read_shut_) return 0;
    if (state_ == State::kClosed) return fail_with(ENOTCONN);
    return fail_with(EAGAIN);
  }
  if (hole > 0 && peek) {
    // Read over the octet without taking it.
    std::string octets(std::min(available, wanted) + 1, '\0');
    const std::array<std::span<char>, 1> whole = {std::span<char>(octets)};
    queue_.read(whole, octets.size(), true);
    size_t done = 1;
    for (const std::span<char> part : parts) {
      const size_t count = std::min(part.size(), octets.size() - done);
      std::copy_n(octets.begin() + static_cast<ptrdiff_t>(done), count, part.begin());
      done += count;
    }
    return done - 1;
  }
  const size_t copied = queue_.read(parts, available, peek);
  if (peek) return copied;
  if (urgent_ != Urgent::kNone && queue_.copied_seq() > urgent_seq_) urgent_ = Urgent::kNone;
  after_read(now, copied);
  finish_call();
  return copied;
}

// tcp_rcv_space_adjust and tcp_cleanup_rbuf.
void ConnectionImpl::after_read(Instant now, size_t copied) {
  if (copied == 0 || !sender_) return;
  window_.read_up_to(now, queue_.copied_seq());
  options_.receive_buffer = window_.buffer();
  if (state_ == State::kClosed) return;
  bool at_once = false;
  if (acks_.scheduled()) {
    const int32_t since = queue_.rcv_nxt() - window_.rcv_wup();
    at_once =
        since > static_cast<int32_t>(acks_.rcv_mss()) || (acks_.pushed() && queue_.memory() == 0);
  }
  if (!at_once && !read_shut_) {
    // RFC 9293 3.8.6.2.2: tell of the window when it has doubled.
    const uint32_t left = window_.left(queue_.rcv_nxt());
    if (uint64_t{2} * left <= window_.clamp()) {
      const uint32_t window = choose_window().window;
      at_once = window > 0 && window >= uint64_t{2} * left;
    }
  }
  if (at_once) send_ack(now);
}

Result<char> ConnectionImpl::receive_urgent(Instant, bool peek) {
  // tcp_recv_urg
  if (options_.urgent_inline || urgent_ == Urgent::kNone || urgent_ == Urgent::kRead) {
    return fail_with(EINVAL);
  }
  if (state_ == State::kClosed && !fin_received_) return fail_with(ENOTCONN);
  if (urgent_ == Urgent::kValid) {
    if (!peek) urgent_ = Urgent::kRead;
    return urgent_octet_;
  }
  if (state_ == State::kClosed || read_shut_) return std::unexpected(Errno::eof());
  return fail_with(EAGAIN);
}

// ---- closing

Result<void> ConnectionImpl::shutdown(Instant now, bool read, bool write) {
  if (state_ == State::kSynSent) {
    disconnect(now);
    finish_call();
    return {};
  }
  // inet_shutdown: a closed one remembers it all the same.
  const bool was_closed = state_ == State::kClosed;
  if (read) read_shut_ = true;
  if (write) {
    write_shut_ = true;
    if (send_fin_state()) push(now);
  }
  changed();
  finish_call();
  if (was_closed) return fail_with(ENOTCONN);
  return {};
}

void ConnectionImpl::close(Instant now, bool linger_zero) {
  observer_ = nullptr;
  const bool unread = queue_.readable() > 0;
  read_shut_ = write_shut_ = true;
  if (state_ == State::kClosed) {
    // Reset before.
  } else if (state_ == State::kSynSent) {
    end();
  } else if (unread) {
    // RFC 2525 2.17: the peer is to know that its data was lost.
    send_reset(now);
    end();
  } else if (linger_zero) {
    disconnect(now);
  } else if (send_fin_state()) {
    push(now);
  }
  orphan_ = true;
  queue_.clear();
  if (sender_ && state_ != State::kClosed) sender_->set_orphan();
  if (state_ == State::kFinWait2) orphan_fin_wait_2(now);
  if (state_ != State::kClosed) {
    update_deadline();
    return;
  }
  core_.remove(*this);  // deletes this
}

void ConnectionImpl::abandon(Instant now) {
  // inet_csk_listen_stop: tcp_disconnect for everybody who was not accepted.
  orphan_ = true;
  if (state_ != State::kClosed) disconnect(now);
}

}  // namespace netrig::tcp
