// What goes out: Linux's tcp_write_xmit, tcp_xmit_retransmit_queue and tcp_write_wakeup.
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kMssSmallest = 48;  // Linux's TCP_MIN_SND_MSS

}  // namespace

// RFC 1122 4.2.3.4: never more than half of the largest window the peer offered, or a full segment
// might wait for ever (Linux's tcp_bound_to_half_wnd).
uint32_t Sender::Parts::effective_mss() const {
  const uint32_t bound = half_window();
  if (bound == 0) return config.mss;
  return std::min(config.mss, std::max(bound, kMssSmallest));
}

// Tiny segments each hold a block: as many as that memory allows, as sk_wmem_queued does in Linux.
size_t Sender::Parts::segments_max() const {
  return std::max<size_t>(1024, config.buffer_octets / 256);
}

Transmission Sender::Parts::transmission_of(const SentSegment& segment) {
  Transmission out;
  out.seq = seq_at(segment.start);
  out.payload = segment.payload;
  out.fin = segment.fin;
  out.push = segment.push;
  out.times_sent = segment.times_sent;
  ++counters.segments_sent;
  counters.octets_sent += segment.payload.size();
  return out;
}

std::optional<Transmission> Sender::Parts::next(Instant now) {
  call_at = now;
  if (probe != Probe::kNone) {
    if (auto out = next_probe(now)) return out;
  }
  if (resend == Resend::kNewFirst) {
    // RFC 5682 step 2.b; if nothing new may go, recovery goes on as usual.
    if (auto out = next_new(now, false)) return out;
    resend = Resend::kNone;
    if (nxt <= high_seq) {
      frto = false;
      resend = Resend::kLost;
    }
  }
  if (resend == Resend::kLost) {
    if (auto out = next_retransmission(now)) return out;
  }
  if (auto out = next_new(now, false)) return out;
  burst_ended(now);
  return std::nullopt;
}

std::optional<Transmission> Sender::Parts::next_probe(Instant now) {
  const Probe kind = probe;
  probe = Probe::kNone;
  return kind == Probe::kTail ? tail_probe(now) : window_probe(now);
}

std::optional<Transmission> Sender::Parts::next_retransmission(Instant now) {
  if (board.lost_waiting() == 0 || board.in_flight() >= window.cwnd) return std::nullopt;
  const uint64_t id = board.next_lost();
  // A window that shrank keeps all but the first segment back (RFC 9293 3.8.6).
  if (id != board.first_id() && board.at(id).start >= window_end()) return std::nullopt;
  if (board.at(id).payload.size() > config.mss) board.split(id, config.mss);
  Transmission out = transmission_of(board.at(id));
  board.mark_retransmitted(id, now);
  ++counters.retransmitted_segments;
  if (!first_retransmission) first_retransmission = now;
  undo_retransmissions = std::max<int64_t>(undo_retransmissions, 0) + 1;
  if (in_reduction()) ++prr_out;
  last_sent_at = now;
  if (id == board.first_id() && timer != Timer::kReordering) {
    set_timer(Timer::kRetransmit, now + retransmit_interval(now));
  }
  return out;
}

// RFC 896 in Minshall's form: a short segment waits while another short one is not acknowledged.
bool Sender::Parts::nagle_holds(uint32_t size, uint32_t mss, bool fin) const {
  if (push_now || fin || size >= mss) return false;
  if (cork || more) return true;
  if (nodelay || board.empty()) return false;
  return small_end > una && small_end <= nxt;
}

std::optional<Transmission> Sender::Parts::next_new(Instant now, bool force) {
  if (!has_unsent()) return std::nullopt;
  if (board.empty()) restart_after_idle(now);
  const uint32_t mss = effective_mss();
  const auto size = static_cast<uint32_t>(std::min<size_t>(buffer.size(), mss));
  const bool fin = fin_waits() && size == buffer.size();
  // The last FIN need not wait for the congestion window (Linux's tcp_cwnd_test).
  if (board.in_flight() >= window.cwnd && !fin && !force) return std::nullopt;
  if (nxt + size + (fin ? 1 : 0) > window_end()) return std::nullopt;
  if (!force && nagle_holds(size, mss, fin)) return std::nullopt;
  if (board.packets_out() >= segments_max()) return std::nullopt;
  return send_new(now, size, fin);
}

bool Sender::Parts::push_wanted(uint64_t start, uint64_t end) {
  // Linux's tcp_mark_push and forced_push: the end of a write, or half the largest window.
  const bool wanted = (start < push_mark && push_mark <= end) || end > pushed + max_window / 2;
  if (wanted) pushed = end;
  return wanted;
}

Transmission Sender::Parts::send_new(Instant now, uint32_t size, bool fin) {
  if (board.in_flight() == 0) {
    algorithm->on_restart(now, std::max(now - last_sent_at, Duration(0)));
  }
  const bool first = board.empty();
  SentSegment segment;
  segment.start = nxt;
  segment.sent_at = now;
  segment.payload = buffer.take(size);
  segment.fin = fin;
  segment.push = size > 0 && push_wanted(nxt, nxt + size);
  Transmission out = transmission_of(segment);
  out.ect = config.ecn && size > 0;
  if (out.ect && cwr_waits) {
    out.cwr = true;  // RFC 3168 6.1.2: on the first new data after the reduction
    cwr_waits = false;
  }
  segment.times_sent = 1;
  nxt += segment.length();
  in_flight_octets += size;
  if (fin) fin_sent = true;
  if (size < effective_mss()) small_end = nxt;
  board.push(std::move(segment));
  if (in_reduction()) ++prr_out;
  ++burst;
  last_sent_at = now;
  if (first || timer == Timer::kLossProbe) rearm_rto(now);
  return out;
}

// RFC 8985 7.3 (Linux's tcp_send_loss_probe): new data if the window lets it, else the last
// segment.
std::optional<Transmission> Sender::Parts::tail_probe(Instant now) {
  if (board.empty() || probe_end) {
    rearm_rto(now);
    return std::nullopt;
  }
  probe_was_retransmission = false;
  std::optional<Transmission> out;
  const uint64_t head_size = std::min<uint64_t>(buffer.size(), effective_mss());
  if (has_unsent() && nxt + head_size <= window_end()) {
    out = next_new(now, true);
  } else {
    uint64_t id = board.end_id() - 1;
    for (; board.at(id).payload.size() > config.mss; ++id) board.split(id, config.mss);
    if (board.at(id).start >= window_end() && id != board.first_id()) {
      rearm_rto(now);
      return std::nullopt;
    }
    out = transmission_of(board.at(id));
    board.mark_probed(id, now);
    ++counters.retransmitted_segments;
    probe_was_retransmission = true;
    last_sent_at = now;
  }
  if (!out) {
    rearm_rto(now);
    return std::nullopt;
  }
  ++counters.tail_loss_probes;
  probe_end = nxt;
  burst = 0;  // one probe for an episode: no other is scheduled
  timer = Timer::kNone;
  rearm_rto(now);
  return out;
}

// RFC 9293 3.8.6.1. Linux's tcp_write_wakeup: what fits if the window is not shut (sender SWS
// avoidance or cork held it back), else an empty segment with an old number, which the peer
// answers.
std::optional<Transmission> Sender::Parts::window_probe(Instant now) {
  if (!has_unsent() || !board.empty()) return std::nullopt;
  if (nxt < window_end()) {
    const auto size = static_cast<uint32_t>(
        std::min<uint64_t>({buffer.size(), effective_mss(), window_end() - nxt}));
    const bool fin = fin_waits() && size == buffer.size() && nxt + size < window_end();
    push_mark = std::max(push_mark, nxt + size);
    return send_new(now, size, fin);
  }
  if (probe_position != una) probes_at_position = 0;
  probe_position = una;
  Transmission out;
  out.seq = seq_at(una - 1);
  out.times_sent = probes_at_position++;
  ++counters.zero_window_probes;
  ++counters.segments_sent;
  return out;
}

void Sender::Parts::burst_ended(Instant now) {
  const bool window_full = board.in_flight() >= window.cwnd;
  if (burst > 0 || (window_full && has_unsent())) validate_window(now, window_full);
  if (burst > 0) {
    schedule_loss_probe(now, false);
  } else if (board.empty() && has_unsent() && timer == Timer::kNone) {
    // Linux's tcp_check_probe_timer; it is what ends a cork after 200 ms and more, too.
    set_timer(Timer::kPersist, now + persist_base());
  }
  burst = 0;
  written.sent(nxt);
}

// RFC 2861 and RFC 7661 as Linux's tcp_cwnd_validate.
void Sender::Parts::validate_window(Instant now, bool window_full) {
  const uint32_t packets = board.packets_out();
  if (una >= usage_end || window_full || (!limited && packets > packets_out_max)) {
    limited = window_full;
    packets_out_max = packets;
    usage_end = nxt;
  }
  if (cwnd_limited()) {
    cwnd_used = 0;
    cwnd_stamp = now;
    return;
  }
  cwnd_used = std::max(cwnd_used, packets);
  if (now - cwnd_stamp < rtt.rto()) return;
  if (state == CongestionState::kOpen) {
    const uint32_t used = std::max(cwnd_used, config.initial_window_segments);
    if (used < window.cwnd) {
      window.ssthresh = current_ssthresh();
      window.cwnd = (window.cwnd + used) >> 1;
    }
    cwnd_used = 0;
  }
  cwnd_stamp = now;
}

// RFC 5681 4.1 as Linux's tcp_cwnd_restart: halved for each RTO of silence.
void Sender::Parts::restart_after_idle(Instant now) {
  Duration idle = now - last_sent_at;
  if (idle <= rtt.rto()) return;
  window.ssthresh = current_ssthresh();
  const uint32_t floor = std::min(config.initial_window_segments, window.cwnd);
  uint32_t cwnd = window.cwnd;
  while ((idle -= rtt.rto()) > Duration(0) && cwnd > floor) cwnd >>= 1;
  window.cwnd = std::max(cwnd, floor);
  cwnd_stamp = now;
  cwnd_used = 0;
}

}  // namespace netrig::tcp
