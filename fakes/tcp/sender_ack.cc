// What an acknowledgement says: Linux's tcp_ack, tcp_sacktag_write_queue and tcp_clean_rtx_queue.
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {

Sender::Outcome Sender::Parts::acknowledge(Instant now, const Acknowledgement& ack) {
  Outcome outcome;
  const uint64_t ack_position = position(ack.ack);
  if (static_cast<int64_t>(ack_position - nxt) > 0) return outcome;  // never sent: the caller's bug
  call_at = now;
  more = false;  // an ACK pushes what MSG_MORE held back (Linux's tcp_data_snd_check)
  resend = Resend::kNone;
  AckFindings findings;
  findings.now = now;
  findings.ts_echo = config.timestamps ? ack.ts_echo : std::nullopt;
  ts_echo = findings.ts_echo;
  findings.prior_una = una;
  findings.prior_sacked_out = board.sacked_out();
  findings.prior_highest_sacked = highest_sacked();
  findings.ece = config.ecn && ack.ece;
  const uint64_t delivered_before = delivered;
  const uint64_t lost_before = board.lost_ever();
  const bool in_flight_before = !board.empty();
  if (static_cast<int64_t>(ack_position - una) < 0) {
    old_acknowledgement(ack, findings);
    return outcome;
  }
  findings.una_advanced = ack_position != una;
  if (findings.una_advanced) timeouts_in_row = 0;
  findings.not_duplicate = ack.has_length;
  const uint32_t window_before = snd_wnd;
  update_window(ack, findings);
  outcome.window_opened = window_before == 0 && snd_wnd > 0;
  outcome.newly_acknowledged = static_cast<uint32_t>(ack_position - una);
  una = ack_position;
  if (config.sack && !ack.sacks.empty()) read_sacks(ack, findings);
  probes_out = 0;
  last_ack_at = now;
  if (!in_flight_before) {
    nothing_in_flight(findings);
    return outcome;
  }
  clean_queue(findings, outcome);
  if (probe_end) process_tail_probe_ack(findings);
  if (!findings.not_duplicate || findings.alert() || state != CongestionState::kOpen) {
    const bool duplicate = !findings.una_advanced && !findings.not_duplicate && !findings.dsack;
    if (duplicate) ++counters.duplicate_acks;
    alert(findings, duplicate ? 1 : 0);
  }
  if (findings.set_timer) set_transmit_timer(now);
  control_window(findings, delivered - delivered_before, board.lost_ever() - lost_before);
  return outcome;
}

void Sender::Parts::old_acknowledgement(const Acknowledgement& ack, AckFindings& findings) {
  if (!config.sack || ack.sacks.empty()) return;
  findings.not_duplicate = true;
  read_sacks(ack, findings);
  alert(findings, 0);
}

void Sender::Parts::nothing_in_flight(const AckFindings& findings) {
  AckFindings rest = findings;
  if (findings.dsack) alert(rest, 0);
  // Linux's tcp_ack_probe: a window that takes what waits ends probing, any other starts a new
  // interval.
  if (has_unsent()) {
    const uint64_t wanted = std::min<uint64_t>(buffer.size(), effective_mss());
    const uint64_t length = wanted + (fin_waits() && wanted == buffer.size() ? 1 : 0);
    if (nxt + length <= window_end()) {
      backoff = 0;
      probing_since.reset();
      if (timer == Timer::kPersist) clear_timer();
    } else {
      set_timer(Timer::kPersist, findings.now + persist_interval(findings.now));
    }
  }
  if (probe_end) process_tail_probe_ack(findings);
}

// RFC 9293 3.10.7.4 (SND.WL1 and SND.WL2, where WL2 is snd_una), Linux's tcp_may_update_window.
void Sender::Parts::update_window(const Acknowledgement& ack, AckFindings& findings) {
  const bool newer = findings.una_advanced || ack.seq > wl1;
  if (!newer && !(ack.seq == wl1 && (ack.window > snd_wnd || ack.window == 0))) return;
  findings.not_duplicate = true;
  wl1 = ack.seq;
  snd_wnd = ack.window;
  max_window = std::max(max_window, snd_wnd);
}

// ---- SACK (RFC 2018, RFC 2883)

bool Sender::Parts::check_dsack(const Acknowledgement& ack, AckFindings& findings) {
  const uint64_t left = position(ack.sacks[0].left);
  const uint64_t right = position(ack.sacks[0].right);
  const auto before = [](uint64_t a, uint64_t b) { return static_cast<int64_t>(a - b) < 0; };
  // RFC 2883 section 4: below the cumulative ACK, or inside the second block.
  if (!before(left, position(ack.ack))) {
    if (ack.sacks.size() < 2) return false;
    if (before(position(ack.sacks[1].right), right) || before(left, position(ack.sacks[1].left))) {
      return false;
    }
  }
  if (!before(left, right) || right - left > max_window) return false;
  uint64_t segments = 1;
  if (right - left > config.mss) {
    segments = (right - left + config.mss - 1) / config.mss;
  } else if (probe_end && *probe_end == right) {
    findings.dsack_of_probe = true;
  }
  dsacked_segments += segments;
  // More duplicates than were ever sent: somebody else's, or a liar's.
  if (dsacked_segments > counters.retransmitted_segments) return false;
  counters.spurious_retransmissions += segments;
  if (rack.has_seen_reordering() && !findings.dsack_of_probe) rack.dsack(una, nxt);
  findings.dsack = true;
  if (undo_marker && undo_retransmissions > 0 && right <= findings.prior_una &&
      right > *undo_marker) {
    undo_retransmissions =
        std::max<int64_t>(0, undo_retransmissions - static_cast<int64_t>(segments));
  }
  return true;
}

// Linux's tcp_is_sackblock_valid.
bool Sender::Parts::sack_valid(const PositionRange& block, bool dsack) const {
  const auto left = static_cast<int64_t>(block.left);
  const auto right = static_cast<int64_t>(block.right);
  const auto base = static_cast<int64_t>(una);
  if (right > static_cast<int64_t>(nxt) || left >= right || left < 0) return false;
  if (left > base) return true;
  if (!dsack || !undo_marker || right > base) return false;
  const auto marker = static_cast<int64_t>(*undo_marker);
  if (left >= marker) return true;
  return right > marker && left >= right - static_cast<int64_t>(max_window);
}

void Sender::Parts::read_sacks(const Acknowledgement& ack, AckFindings& findings) {
  const bool dsack = check_dsack(ack, findings);
  std::array<PositionRange, Segment::kSackBlocksMax> blocks{};
  uint8_t count = 0;
  for (size_t i = 0; i < std::min(ack.sacks.size(), Segment::kSackBlocksMax); ++i) {
    PositionRange block{position(ack.sacks[i].left), position(ack.sacks[i].right)};
    if (!sack_valid(block, dsack && i == 0)) continue;
    if (dsack && i == 0) {
      tag_duplicates(block, findings);
      if (block.left < una) continue;
    }
    blocks[count++] = block;
  }
  std::sort(blocks.begin(), blocks.begin() + count,
            [](const PositionRange& a, const PositionRange& b) { return a.left < b.left; });
  // Only what the last ACK did not say already is walked, so that a long block costs nothing.
  for (uint8_t i = 0; i < count; ++i) {
    uint64_t left = blocks[i].left;
    for (uint8_t k = 0; k < seen_count && left < blocks[i].right; ++k) {
      if (seen[k].right <= left) continue;
      if (seen[k].left >= blocks[i].right) break;
      if (seen[k].left > left) tag_sacked({left, seen[k].left}, findings);
      left = seen[k].right;
    }
    if (left < blocks[i].right) tag_sacked({left, blocks[i].right}, findings);
  }
  seen = blocks;
  seen_count = count;
  if (state != CongestionState::kLoss || undo_marker) {
    check_reordering(findings.lowest_reordered);
  }
}

void Sender::Parts::tag_sacked(const PositionRange& block, AckFindings& findings) {
  if (board.empty()) return;
  // A segment that is SACKed in part only stays unmarked (Linux's tcp_match_skb_to_sack); one whose
  // first part was SACKed before is met again at the next block's left edge.
  for (uint64_t id = board.find(block.left); id != board.end_id(); ++id) {
    const SentSegment& segment = board.at(id);
    if (segment.start >= block.right) break;
    if (segment.end() > block.right || segment.end() <= una) continue;
    if (!segment.is(SentSegment::kSacked)) tag_segment(id, findings);
  }
}

void Sender::Parts::tag_segment(uint64_t id, AckFindings& findings) {
  const SentSegment& segment = board.at(id);
  rack.segment_delivered(findings.now, segment, rtt);
  if (!segment.is(SentSegment::kEverRetransmitted)) {
    // An original below the highest SACK: it was late, not lost.
    if (segment.start < highest_sacked()) {
      findings.lowest_reordered = std::min(findings.lowest_reordered, segment.start);
    }
    if (segment.end() <= high_seq) findings.original_acked = true;
    if (!findings.first_sacked) findings.first_sacked = segment.sent_at;
    findings.last_sacked = segment.sent_at;
  }
  board.mark_sacked(id);
  findings.sacked = true;
  ++delivered;
}

// RFC 2883: a retransmission of what had arrived.
void Sender::Parts::tag_duplicates(const PositionRange& block, AckFindings& findings) {
  if (board.empty()) return;
  for (uint64_t id = board.find(block.left); id != board.end_id(); ++id) {
    const SentSegment& segment = board.at(id);
    if (segment.start >= block.right || segment.end() > block.right) break;
    if (!segment.is(SentSegment::kEverRetransmitted)) continue;
    if (undo_marker && undo_retransmissions > 0 && segment.end() > *undo_marker) {
      --undo_retransmissions;
    }
    if (segment.is(SentSegment::kSacked)) {
      findings.lowest_reordered = std::min(findings.lowest_reordered, segment.start);
    }
    board.forget_retransmission(id);
  }
}

// ---- the cumulative part

void Sender::Parts::account_head(AckFindings& findings) {
  const SentSegment& head = board.head();
  if (head.is(SentSegment::kEverRetransmitted)) {
    findings.retransmitted_acked = true;
  } else if (!head.is(SentSegment::kSacked)) {
    findings.last_acked = head.sent_at;
    if (!findings.first_acked) findings.first_acked = head.sent_at;
    findings.lowest_reordered = std::min(findings.lowest_reordered, head.start);
    if (head.end() <= high_seq) findings.original_acked = true;
  }
  if (!head.is(SentSegment::kSacked) && config.sack) {
    ++delivered;
    rack.segment_delivered(findings.now, head, rtt);
  }
  findings.acked = true;
}

void Sender::Parts::clean_queue(AckFindings& findings, Outcome& outcome) {
  uint32_t acked = 0;
  const size_t octets_before = in_flight_octets;
  findings.lowest_reordered = UINT64_MAX;
  while (!board.empty() && board.head().end() <= una) {
    account_head(findings);
    in_flight_octets -= board.head().payload.size();
    outcome.fin_acknowledged |= board.head().fin;
    board.pop_head();
    ++acked;
  }
  if (!board.empty() && board.head().start < una) {
    const size_t size = board.head().payload.size();
    board.trim_head(una);  // acknowledged in part
    in_flight_octets -= size - board.head().payload.size();
  }
  written.acknowledged(una);
  outcome.room_grew = in_flight_octets < octets_before;
  if (!board.empty() && board.head().is(SentSegment::kSacked)) findings.reneging = true;
  update_rtt(findings);
  if (!findings.acked) {
    // The timer is not moved by SACKs for data sent before the head was (RFC 6298 5.3).
    if (findings.rtt && findings.first_sacked && !board.empty() &&
        board.head().sent_at > *findings.first_sacked) {
      findings.set_timer = true;
    }
    return;
  }
  findings.not_duplicate = true;
  findings.set_timer = true;
  if (!config.sack) {
    remove_reno_sacks(acked);
    if (findings.retransmitted_acked) findings.original_acked = false;
  } else if (findings.lowest_reordered < findings.prior_highest_sacked) {
    check_reordering(findings.lowest_reordered);  // an original filled a hole
  }
}

// Linux's tcp_ack_update_rtt: what was sent once (Karn), else what SACKs say, else timestamps.
void Sender::Parts::update_rtt(AckFindings& findings) {
  std::optional<Duration> first, last;
  if (findings.first_acked && !findings.retransmitted_acked) {
    first = findings.now - *findings.first_acked;
    last = findings.now - *findings.last_acked;
  }
  if (findings.first_sacked) {
    if (!first) first = findings.now - *findings.first_sacked;
    last = findings.now - *findings.last_sacked;
  }
  if (!first && findings.ts_echo && findings.acked) {
    const auto now_ms = static_cast<uint32_t>(findings.now.time_since_epoch() / Duration(1ms));
    const auto elapsed = static_cast<int32_t>(now_ms - *findings.ts_echo);
    // RFC 7323 4.1; one that is from the future or from long ago is no sample.
    if (elapsed >= 0 && elapsed < 3'600'000) {
      first = last = Duration(1ms) * std::max(elapsed, 1);
    }
  }
  findings.rtt = last;
  if (!first) return;
  rtt.sample_minimum(findings.now, *last);
  rtt.sample(*first, una, nxt);
  backoff = 0;
}

bool Sender::Parts::cwnd_limited() const {
  if (limited) return true;
  // In slow start the window may be twice what was used.
  return window.cwnd < window.ssthresh && window.cwnd < 2 * packets_out_max;
}

// Linux's tcp_cong_control and tcp_may_raise_cwnd.
void Sender::Parts::control_window(const AckFindings& findings, uint64_t delivered_now,
                                   uint64_t lost_now) {
  if (in_reduction()) {
    reduce_window(delivered_now, lost_now, findings.una_advanced);
    return;
  }
  const bool progress = findings.acked || (reordering > 3 && findings.sacked);
  if (!progress) return;
  AckedSegments acked;
  acked.now = findings.now;
  acked.acked = static_cast<uint32_t>(delivered_now);
  acked.cwnd_limited = cwnd_limited();
  acked.rtt = findings.rtt;
  acked.srtt = rtt.srtt();
  algorithm->on_ack(window, acked);
}

}  // namespace netrig::tcp
