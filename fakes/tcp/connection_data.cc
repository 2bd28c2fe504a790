// Octets that arrive: in order, early, twice; FIN, urgent octets and ECN marks (Linux's
// tcp_data_queue, tcp_fin, tcp_urg, __tcp_ecn_check_ce).
#include <algorithm>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kQuickAfterMark = 2;
constexpr uint32_t kGrowFrom = 128;  // shorter segments say nothing about how fast the peer is

}  // namespace

void ConnectionImpl::queue_data(Instant now, Segment&& segment) {
  const uint32_t length =
      static_cast<uint32_t>(segment.payload.size()) + (segment.has(kTcpFin) ? 1u : 0u);
  if (length == 0) return;
  if (ecn_ok_ && segment.has(kTcpCwr)) {
    // RFC 3168 6.1.3: the sender has reacted.
    ece_wanted_ = false;
    acks_.demand();
  }
  const SeqNum rcv_nxt = queue_.rcv_nxt();
  const SeqNum end = segment.seq + length;
  if (end <= rcv_nxt) {
    ++duplicate_segments_;
    if (sack_ok_) report_.add_duplicate(segment.seq, end);
    refuse_data();
    return;
  }
  const uint32_t left = window_.left(rcv_nxt);
  if (segment.seq > rcv_nxt) {
    if (segment.seq >= rcv_nxt + left) {
      refuse_data();
      return;
    }
    queue_early(now, std::move(segment));
    return;
  }
  SharedBytes payload = std::move(segment.payload);
  if (segment.seq < rcv_nxt) {
    if (sack_ok_) report_.add_duplicate(segment.seq, rcv_nxt);
    const auto known = std::min(static_cast<size_t>(rcv_nxt - segment.seq), payload.size());
    payload = payload.slice(known, payload.size() - known);
  }
  // A zero-window probe with an octet: it is answered and not taken. A FIN alone needs no window.
  if (left == 0 && !payload.empty()) {
    refuse_data();
    return;
  }
  queue_in_order(now, std::move(segment), std::move(payload));
}

// Out of the window: answered at once.
void ConnectionImpl::refuse_data() {
  acks_.enter_quick(AckPolicy::kQuickMax, window_.window());
  acks_.schedule();
}

void ConnectionImpl::queue_in_order(Instant now, Segment&& segment, SharedBytes payload) {
  if (!payload.empty() && memory_full(payload.size())) {
    // tcp_try_rmem_schedule: what is out of order goes first, then what came just now.
    queue_.drop_early();
    report_.clear_blocks();
    if (memory_full(payload.size()) && queue_.readable() > 0) {
      acks_.demand();
      return;
    }
  }
  const bool had_gap = queue_.has_gap();
  const SeqNum before = queue_.rcv_nxt();
  const bool has_data = !payload.empty();
  segment.payload = payload;                     // for what is measured
  const bool shared = payload.size() < advmss_;  // shorter than what a large packet is cut into
  const bool fin = queue_.append(std::move(payload), segment.has(kTcpFin), shared, report_);
  const uint32_t octets = static_cast<uint32_t>(queue_.rcv_nxt() - before) - (fin ? 1u : 0u);
  octets_received_ += octets;
  if (octets > 0) core_.count_octets(now, octets);
  if (has_data) data_arrived(now, segment);
  if (fin) process_fin(now);
  // RFC 5681 4.2: a gap was filled.
  if (had_gap && !queue_.has_gap()) acks_.demand();
  if (!queue_.has_gap()) report_.clear_blocks();
  changed();
}

void ConnectionImpl::queue_early(Instant, Segment&& segment) {
  if (memory_full(segment.payload.size())) return;  // dropped as if it were lost
  ++early_segments_;
  acks_.schedule();
  SackReport unused;
  const uint32_t size = static_cast<uint32_t>(segment.payload.size());
  queue_.insert_early(segment.seq, segment.payload, segment.has(kTcpFin),
                      sack_ok_ ? report_ : unused);
  if (sack_ok_ && window_.grow(size, queue_.memory())) acks_.window_grew();
}

// tcp_event_data_recv.
void ConnectionImpl::data_arrived(Instant now, const Segment& segment) {
  const auto size = static_cast<uint32_t>(segment.payload.size());
  window_.measure_rtt_by_window(now, queue_.rcv_nxt());
  const uint32_t rcv_mss = acks_.rcv_mss();
  acks_.data_arrived({.now = now,
                      .size = size,
                      .header_size = 20 + static_cast<uint32_t>(options_size(segment)),
                      .full_header = timestamps_ok_ ? 32u : 20u,
                      .remnant = (segment.flags & (kTcpPsh | kTcpFin | kTcpUrg | kTcpSyn)) != 0,
                      .advmss = advmss_,
                      .rcv_wnd = window_.window(),
                      .rto = sender_->rto()});
  if (size > rcv_mss) window_.measure_overhead(size);
  if (timestamps_ok_ && segment.timestamps && segment.timestamps->echo != 0 &&
      segment.timestamps->echo != ts_echo_measured_) {
    // tcp_rcv_rtt_measure_ts
    ts_echo_measured_ = segment.timestamps->echo;
    const auto elapsed =
        static_cast<int32_t>(timestamp_ticks(now) - (ts_echo_measured_ - ts_offset_));
    if (size >= acks_.rcv_mss() && elapsed >= 0) window_.measure_rtt(1ms * elapsed);
  }
  if (ecn_ok_) check_ecn(segment);
  if (size >= kGrowFrom && window_.grow(size, queue_.memory())) acks_.window_grew();
}

void ConnectionImpl::check_ecn(const Segment& segment) {
  switch (segment.ecn) {
    case Ecn::kNotEct:
      // Probably a retransmission: ACKs are wanted.
      if (ect_seen_) acks_.enter_quick(kQuickAfterMark, window_.window());
      return;
    case Ecn::kCe:
      if (!ece_wanted_) {
        acks_.enter_quick(kQuickAfterMark, window_.window());
        ece_wanted_ = true;  // RFC 3168 6.1.3
      }
      [[fallthrough]];
    default:
      ect_seen_ = true;
  }
}

// tcp_fin.
void ConnectionImpl::process_fin(Instant now) {
  acks_.schedule();
  read_shut_ = true;
  fin_received_ = true;
  switch (state_) {
    case State::kSynReceived:
    case State::kEstablished:
      set_state(State::kCloseWait);
      acks_.enter_pingpong();  // the ACK may ride on our FIN
      break;
    case State::kFinWait1:
      send_ack(now);
      set_state(State::kClosing);
      break;
    case State::kFinWait2:
      send_ack(now);
      enter_time_wait(now, true, core_.options().time_wait);
      break;
    default:
      break;
  }
}

// ---- urgent data

// tcp_check_urg and tcp_urg. As in BSD and Linux, and against RFC 9293's text, the pointer is taken
// to be behind the octet (RFC 6093 section 3.1).
void ConnectionImpl::check_urgent(const Segment& segment) {
  if (segment.has(kTcpUrg) && segment.urgent_pointer > 0) {
    const SeqNum at = segment.seq + (uint32_t{segment.urgent_pointer} - 1);
    const bool news = at >= queue_.copied_seq() && at >= queue_.rcv_nxt() &&
                      (urgent_ == Urgent::kNone || at > urgent_seq_);
    if (news) {
      // A second urgent octet right behind one that was not read as such: the first one is lost.
      if (urgent_ != Urgent::kNone && urgent_seq_ == queue_.copied_seq() &&
          !options_.urgent_inline && queue_.readable() > 0) {
        queue_.skip(1);
      }
      urgent_ = Urgent::kNotYet;
      urgent_seq_ = at;
    }
  }
  if (urgent_ != Urgent::kNotYet) return;
  const int32_t offset = urgent_seq_ - segment.seq;
  if (offset < 0 || static_cast<size_t>(offset) >= segment.payload.size()) return;
  urgent_octet_ = segment.payload.view()[static_cast<size_t>(offset)];
  urgent_ = Urgent::kValid;
  changed();
}

}  // namespace netrig::tcp
