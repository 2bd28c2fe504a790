#include "fakes/tcp/scoreboard.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/require.h"

namespace netrig::tcp {

uint64_t Scoreboard::find(uint64_t position) const {
  size_t low = 0;
  size_t high = segments_.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (segments_[middle].end() > position) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return first_id_ + low;
}

void Scoreboard::link_last(uint64_t id) {
  SentSegment& segment = at(id);
  segment.ordered = true;
  segment.previous = newest_;
  segment.next = 0;
  if (newest_ != 0) {
    at(newest_).next = id;
  } else {
    oldest_ = id;
  }
  newest_ = id;
}

void Scoreboard::unlink(uint64_t id) {
  SentSegment& segment = at(id);
  if (!segment.ordered) return;
  segment.ordered = false;
  (segment.previous != 0 ? at(segment.previous).next : oldest_) = segment.next;
  (segment.next != 0 ? at(segment.next).previous : newest_) = segment.previous;
}

void Scoreboard::push(SentSegment&& segment) {
  segments_.place_at_back() = std::move(segment);
  link_last(end_id() - 1);
}

void Scoreboard::pop_head() {
  const SentSegment& head = segments_.front();
  unlink(first_id_);
  if (head.is(SentSegment::kSacked)) --sacked_out_;
  if (head.is(SentSegment::kLost)) {
    --lost_out_;
    if (!head.is(SentSegment::kRetransmitted)) --lost_waiting_;
  }
  if (head.is(SentSegment::kRetransmitted)) --retransmitted_out_;
  segments_.pop_front();
  ++first_id_;
}

void Scoreboard::trim_head(uint64_t position) {
  SentSegment& head = segments_.front();
  NETRIG_REQUIRE(position >= head.start && position < head.end());
  const auto gone = static_cast<size_t>(position - head.start);
  head.payload = head.payload.slice(gone, head.payload.size() - gone);
  head.start = position;
}

void Scoreboard::mark_sacked(uint64_t id) {
  SentSegment& segment = at(id);
  NETRIG_REQUIRE(!segment.is(SentSegment::kSacked));
  // Linux's tcp_sacktag_one: a copy that was sent for a segment not marked lost is thought to be
  // under way still; for a lost one the SACK may be for either, and both marks go.
  if (segment.is(SentSegment::kLost)) {
    --lost_out_;
    if (segment.is(SentSegment::kRetransmitted)) {
      --retransmitted_out_;
    } else {
      --lost_waiting_;
    }
    segment.marks &= static_cast<uint8_t>(~(SentSegment::kLost | SentSegment::kRetransmitted));
  }
  segment.marks |= SentSegment::kSacked;
  ++sacked_out_;
  highest_sacked_ = sacked_out_ == 1 ? segment.end() : std::max(highest_sacked_, segment.end());
  unlink(id);
}

void Scoreboard::mark_lost(uint64_t id) {
  SentSegment& segment = at(id);
  if (segment.is(SentSegment::kSacked)) return;
  if (segment.is(SentSegment::kLost)) {
    if (!segment.is(SentSegment::kRetransmitted)) return;
    // RFC 8985: the retransmission was lost as well.
    segment.marks &= static_cast<uint8_t>(~SentSegment::kRetransmitted);
    --retransmitted_out_;
  } else {
    segment.marks |= SentSegment::kLost;
    ++lost_out_;
    if (segment.is(SentSegment::kRetransmitted)) {
      segment.marks &= static_cast<uint8_t>(~SentSegment::kRetransmitted);
      --retransmitted_out_;
    }
  }
  ++lost_waiting_;
  ++lost_ever_;
  lost_hint_ = lost_waiting_ == 1 ? id : std::min(lost_hint_, id);
  unlink(id);
}

void Scoreboard::mark_retransmitted(uint64_t id, Instant now) {
  SentSegment& segment = at(id);
  NETRIG_REQUIRE(segment.is(SentSegment::kLost) && !segment.is(SentSegment::kRetransmitted));
  segment.marks |= SentSegment::kRetransmitted | SentSegment::kEverRetransmitted;
  --lost_waiting_;
  ++retransmitted_out_;
  segment.sent_at = now;
  ++segment.times_sent;
  unlink(id);
  link_last(id);
}

void Scoreboard::mark_probed(uint64_t id, Instant now) {
  SentSegment& segment = at(id);
  segment.marks |= SentSegment::kEverRetransmitted;
  segment.sent_at = now;
  ++segment.times_sent;
  if (!segment.ordered) return;
  unlink(id);
  link_last(id);
}

void Scoreboard::forget_retransmission(uint64_t id) {
  SentSegment& segment = at(id);
  if (!segment.is(SentSegment::kRetransmitted)) return;
  segment.marks &= static_cast<uint8_t>(~SentSegment::kRetransmitted);
  --retransmitted_out_;
  if (!segment.is(SentSegment::kLost)) return;
  ++lost_waiting_;
  lost_hint_ = lost_waiting_ == 1 ? id : std::min(lost_hint_, id);
  unlink(id);
}

void Scoreboard::forget_losses() {
  lost_out_ = lost_waiting_ = 0;
  std::vector<std::pair<Instant, uint64_t>> order;
  for (uint64_t id = first_id_; id != end_id(); ++id) {
    SentSegment& segment = at(id);
    segment.marks &= static_cast<uint8_t>(~SentSegment::kLost);
    segment.ordered = false;
    if (!segment.is(SentSegment::kSacked)) order.emplace_back(segment.sent_at, id);
  }
  // Those that come back were sent before others that stayed in the list.
  std::sort(order.begin(), order.end());
  oldest_ = newest_ = 0;
  for (const auto& [sent_at, id] : order) link_last(id);
}

void Scoreboard::forget_sacks() {
  sacked_out_ = 0;
  for (uint64_t id = first_id_; id != end_id(); ++id) {
    at(id).marks &= static_cast<uint8_t>(~SentSegment::kSacked);
  }
}

uint64_t Scoreboard::next_lost() {
  NETRIG_REQUIRE(lost_waiting_ > 0);
  lost_hint_ = std::max(lost_hint_, first_id_);
  while (!at(lost_hint_).is(SentSegment::kLost) || at(lost_hint_).is(SentSegment::kRetransmitted)) {
    ++lost_hint_;
    NETRIG_REQUIRE(lost_hint_ < end_id());
  }
  return lost_hint_;
}

void Scoreboard::split(uint64_t id, uint32_t size) {
  NETRIG_REQUIRE(size > 0 && size < at(id).payload.size());
  const bool ordered = at(id).ordered;
  SentSegment second = at(id);
  second.start += size;
  second.payload = second.payload.slice(size, second.payload.size() - size);
  SentSegment& first = at(id);
  first.payload = first.payload.slice(0, size);
  first.fin = false;
  first.push = false;
  if (second.is(SentSegment::kSacked)) ++sacked_out_;
  if (second.is(SentSegment::kLost)) ++lost_out_;
  if (second.is(SentSegment::kRetransmitted)) ++retransmitted_out_;
  if (second.is(SentSegment::kLost) && !second.is(SentSegment::kRetransmitted)) ++lost_waiting_;
  segments_.insert(id + 1 - first_id_, std::move(second));
  // Every later id grew by one.
  const auto moved = [id](uint64_t& link) { link += link > id ? 1 : 0; };
  for (uint64_t i = first_id_; i != end_id(); ++i) {
    moved(at(i).previous);
    moved(at(i).next);
  }
  moved(oldest_);
  moved(newest_);
  moved(lost_hint_);
  if (!ordered) return;
  at(id + 1).previous = id;
  const uint64_t after = at(id).next;
  at(id + 1).next = after;
  at(id).next = id + 1;
  (after != 0 ? at(after).previous : newest_) = id + 1;
}

}  // namespace netrig::tcp
