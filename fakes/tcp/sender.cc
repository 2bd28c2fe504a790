#include "fakes/tcp/sender.h"

#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {

Sender::Parts::Parts(Instant now, SeqNum first, uint32_t peer_window, SeqNum window_seq,
                     const SenderConfig& options, BytePool& pool)
    : config(options),
      iss(first),
      call_at(now),
      last_ack_at(now),
      last_sent_at(now),
      buffer(pool),
      rtt(options.rto_min, options.rto_max) {
  config.mss = std::max(config.mss, 1u);
  snd_wnd = max_window = peer_window;
  wl1 = window_seq;
  algorithm = make_congestion(config.congestion);
  window.cwnd = std::max(config.initial_window_segments, 1u);
  if (config.syn_retransmitted) window.cwnd = 1;  // RFC 5681 3.1
  cwnd_stamp = now;
  if (config.handshake_rtt) {
    rtt.sample_minimum(now, *config.handshake_rtt);
    rtt.sample(*config.handshake_rtt, una, nxt);
  } else if (config.syn_retransmitted) {
    rtt.fall_back();  // RFC 6298 5.7
  }
}

Sender::Sender(Instant now, SeqNum iss, uint32_t window, SeqNum window_seq,
               const SenderConfig& config, BytePool& pool)
    : parts_(std::make_unique<Parts>(now, iss, window, window_seq, config, pool)) {}
Sender::~Sender() = default;

// ---- from the application

bool Sender::append_packet(Write& write, bool may_open) {
  return parts_->append_packet(write, may_open);
}

size_t Sender::append(std::span<const ByteView> parts, bool more) {
  Write write{parts, more};
  while (append_packet(write)) {
  }
  return write.done;
}

size_t Sender::memory() const {
  return parts_->memory();
}
size_t Sender::buffer() const {
  return parts_->config.buffer_octets;
}

void Sender::finish() {
  parts_->fin_queued = true;
  parts_->push_now = true;  // Linux's tcp_send_fin pushes without Nagle
}

void Sender::set_nodelay(bool on) {
  parts_->nodelay = on;
  if (on) parts_->push_now = true;  // tcp(7): setting it flushes, even under cork
}

void Sender::set_cork(bool on) {
  parts_->cork = on;
  if (!on) parts_->more = false;
  if (!on && parts_->nodelay) parts_->push_now = true;
}

void Sender::set_buffer(size_t octets) {
  parts_->config.buffer_octets = octets;
}

void Sender::set_congestion(CongestionKind kind) {
  if (kind == parts_->algorithm->kind()) return;
  parts_->algorithm = make_congestion(kind);
}

void Sender::set_user_timeout(Duration timeout) {
  parts_->user_timeout = timeout;
}
void Sender::set_orphan() {
  parts_->orphan = true;
}
void Sender::set_mss(uint32_t mss) {
  parts_->config.mss = std::max(mss, 1u);
}

// ---- from the network

Sender::Outcome Sender::acknowledge(Instant now, const Acknowledgement& acknowledgement) {
  return parts_->acknowledge(now, acknowledgement);
}

// RFC 1191 6.5 as Linux's tcp_simple_retransmit: what was too large is lost, but not by congestion.
void Sender::path_mtu_shrunk(Instant now, uint32_t mss) {
  Parts& parts = *parts_;
  set_mss(mss);
  parts.call_at = now;
  const uint64_t lost_before = parts.board.lost_ever();
  for (uint64_t id = parts.board.first_id(); id != parts.board.end_id(); ++id) {
    if (parts.board.at(id).payload.size() > parts.config.mss) parts.board.mark_lost(id);
  }
  if (parts.board.lost_ever() == lost_before) return;
  if (parts.state != CongestionState::kLoss) {
    parts.high_seq = parts.nxt;
    parts.window.ssthresh = parts.current_ssthresh();
    parts.prior_ssthresh = 0;
    parts.undo_marker.reset();
    parts.state = CongestionState::kLoss;
    parts.frto = false;
  }
  parts.resend = Parts::Resend::kLost;
}

std::optional<Transmission> Sender::next(Instant now) {
  return parts_->next(now);
}
Instant Sender::next_deadline() const {
  return parts_->deadline;
}
Sender::Expiry Sender::expire(Instant now) {
  return parts_->expire(now);
}

// ---- state

SeqNum Sender::iss() const {
  return parts_->iss;
}
SeqNum Sender::snd_una() const {
  return parts_->seq_at(parts_->una);
}
SeqNum Sender::snd_nxt() const {
  return parts_->seq_at(parts_->nxt);
}
uint32_t Sender::snd_wnd() const {
  return parts_->snd_wnd;
}
uint64_t Sender::relative(SeqNum seq) const {
  return parts_->position(seq);
}
size_t Sender::unsent_octets() const {
  return parts_->buffer.size();
}
size_t Sender::unacknowledged_octets() const {
  return parts_->buffer.size() + parts_->in_flight_octets;
}
bool Sender::fin_sent() const {
  return parts_->fin_sent;
}
bool Sender::all_acknowledged() const {
  return parts_->board.empty() && !parts_->has_unsent();
}
bool Sender::probing_zero_window() const {
  return parts_->timer == Parts::Timer::kPersist;
}
uint32_t Sender::packets_out() const {
  return parts_->board.packets_out();
}
uint32_t Sender::mss() const {
  return parts_->config.mss;
}
uint32_t Sender::cwnd_segments() const {
  return parts_->window.cwnd;
}
uint32_t Sender::ssthresh_segments() const {
  return parts_->window.ssthresh;
}
CongestionKind Sender::congestion() const {
  return parts_->algorithm->kind();
}
CongestionState Sender::congestion_state() const {
  return parts_->state;
}
Duration Sender::srtt() const {
  return parts_->rtt.srtt();
}
Duration Sender::rttvar() const {
  return parts_->rtt.rttvar();
}
Duration Sender::rto() const {
  return parts_->rtt.rto();
}
uint32_t Sender::backoff() const {
  return parts_->backoff;
}
const SenderCounters& Sender::counters() const {
  return parts_->counters;
}

}  // namespace netrig::tcp
