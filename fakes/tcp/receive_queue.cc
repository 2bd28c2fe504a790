#include "fakes/tcp/receive_queue.h"

#include <algorithm>
#include <cstring>

#include "harness/base/require.h"

namespace netrig::tcp {
namespace {

constexpr size_t kSmallChunk = 512;  // chunks smaller than this on average are joined
constexpr size_t kJoinedChunk = 16384;
constexpr size_t kCollapseFirst = 64;

}  // namespace

// ---- SackReport

void SackReport::add(SeqNum left, SeqNum right) {
  // Linux's tcp_sack_new_ofo_skb and tcp_sack_maybe_coalesce: every block that touches is taken in.
  size_t kept = 0;
  for (size_t i = 0; i < count_; ++i) {
    const SackBlock block = blocks_[i];
    if (block.left <= right && left <= block.right) {
      left = earlier_of(left, block.left);
      right = later_of(right, block.right);
    } else {
      blocks_[kept++] = block;
    }
  }
  kept = std::min(kept, kBlocksMax - 1);
  for (size_t i = kept; i > 0; --i) blocks_[i] = blocks_[i - 1];
  blocks_[0] = {left, right};
  count_ = kept + 1;
}

void SackReport::advance(SeqNum rcv_nxt) {
  size_t kept = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (blocks_[i].left > rcv_nxt) blocks_[kept++] = blocks_[i];
  }
  count_ = kept;
}

void SackReport::add_duplicate(SeqNum left, SeqNum right) {
  // Linux's tcp_dsack_extend: one report until the next ACK, of everything that came twice.
  if (duplicate_ && duplicate_->left <= right && left <= duplicate_->right) {
    duplicate_ = {earlier_of(left, duplicate_->left), later_of(right, duplicate_->right)};
  } else if (!duplicate_) {
    duplicate_ = {left, right};
  }
}

void SackReport::write(Segment& segment, size_t room) {
  segment.sack_count = 0;
  const auto write_block = [&](const SackBlock& block) {
    if (segment.sack_count < room) segment.sacks[segment.sack_count++] = block;
  };
  if (duplicate_) write_block(*duplicate_);
  for (size_t i = 0; i < count_; ++i) write_block(blocks_[i]);
  if (room > 0) duplicate_.reset();
}

// ---- ReceiveQueue

size_t ReceiveQueue::Early::memory() const {
  return payload.size() + kPacketOverhead;
}

bool ReceiveQueue::append(SharedBytes payload, bool fin, bool shared, SackReport& report) {
  push(std::move(payload), shared);
  if (fin) {
    rcv_nxt_ += 1;
    drop_early();  // Linux's tcp_fin: nothing comes after a FIN
    report.clear_blocks();
    return true;
  }
  return !early_.empty() && drain_early(report);
}

void ReceiveQueue::push(SharedBytes payload, bool shared) {
  if (payload.empty()) return;
  packets_.add(payload.size(), shared);
  readable_ += payload.size();
  rcv_nxt_ += static_cast<uint32_t>(payload.size());
  chunks_.push_back(std::move(payload));
  if (chunks_.size() >= collapse_at_) collapse();
}

// Many tiny segments that nobody reads are joined, so that memory is bounded by octets.
void ReceiveQueue::collapse() {
  if (readable_ / chunks_.size() < kSmallChunk) {
    std::vector<SharedBytes> joined;
    std::vector<ByteView> pieces;
    size_t size = 0;
    for (size_t i = 0; i < chunks_.size(); ++i) {
      pieces.push_back(chunks_[i].view().substr(i == 0 ? front_used_ : 0));
      size += pieces.back().size();
      if (size < kJoinedChunk && i + 1 < chunks_.size()) continue;
      joined.push_back(pool_.join(pieces.data(), pieces.size()));
      pieces.clear();
      size = 0;
    }
    chunks_.clear();
    front_used_ = 0;
    for (SharedBytes& chunk : joined) chunks_.push_back(std::move(chunk));
  }
  collapse_at_ = std::max(kCollapseFirst, 2 * chunks_.size());
}

void ReceiveQueue::forget_early(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    early_octets_ -= early_[i].payload.size();
    early_memory_ -= early_[i].memory();
  }
  early_.erase(early_.begin(), early_.begin() + static_cast<ptrdiff_t>(count));
}

void ReceiveQueue::drop_early() {
  forget_early(early_.size());
}

// Linux's tcp_ofo_queue.
bool ReceiveQueue::drain_early(SackReport& report) {
  size_t taken = 0;
  bool fin = false;
  SeqNum covered = rcv_nxt_;  // before it, octets came twice
  while (!fin && taken < early_.size() && early_[taken].start <= rcv_nxt_) {
    const Early& early = early_[taken++];
    if (early.start < covered) {
      report.add_duplicate(early.start, earlier_of(covered, early.end()));
    }
    const SeqNum data_end = early.start + static_cast<uint32_t>(early.payload.size());
    if (early.end() <= rcv_nxt_) continue;
    if (data_end > rcv_nxt_) {
      const auto known = static_cast<size_t>(rcv_nxt_ - early.start);
      push(early.payload.slice(known, early.payload.size() - known), false);
    }
    fin = early.fin;
  }
  forget_early(taken);
  if (fin) {
    rcv_nxt_ += 1;
    drop_early();
    report.clear_blocks();
    return true;
  }
  if (early_.empty()) {
    report.clear_blocks();
  } else {
    report.advance(rcv_nxt_);
  }
  return false;
}

void ReceiveQueue::keep(size_t index, SeqNum seq, SharedBytes payload, bool fin) {
  Early early{seq, std::move(payload), fin};
  early_octets_ += early.payload.size();
  early_memory_ += early.memory();
  early_.insert(early_.begin() + static_cast<ptrdiff_t>(index), std::move(early));
}

bool ReceiveQueue::insert_early(SeqNum seq, const SharedBytes& payload, bool fin,
                                SackReport& report) {
  const SeqNum end = seq + static_cast<uint32_t>(payload.size()) + (fin ? 1u : 0u);
  report.add(seq, end);
  // The first one that ends after `seq`; new segments mostly belong at the end.
  size_t index = early_.size();
  while (index > 0 && early_[index - 1].end() > seq) --index;
  bool any_new = false;
  SeqNum at = seq;
  // Only what fills holes is kept: early_ never overlaps.
  while (at < end) {
    const bool has_next = index < early_.size();
    if (has_next && early_[index].start <= at) {
      const SeqNum known_end = earlier_of(early_[index].end(), end);
      report.add_duplicate(at, known_end);
      at = known_end;
      ++index;
      continue;
    }
    const SeqNum stop = has_next ? earlier_of(early_[index].start, end) : end;
    const auto offset = static_cast<size_t>(at - seq);
    const size_t size = std::min(static_cast<size_t>(stop - at), payload.size() - offset);
    keep(index++, at, payload.slice(offset, size), fin && stop == end);
    any_new = true;
    at = stop;
  }
  return any_new;
}

size_t ReceiveQueue::read(std::span<const std::span<char>> parts, size_t limit, bool peek) {
  size_t done = 0;
  size_t chunk = 0;
  size_t used = front_used_;
  limit = std::min(limit, readable_);
  for (const std::span<char> part : parts) {
    size_t filled = 0;
    while (filled < part.size() && done < limit) {
      const ByteView rest = chunks_[chunk].view().substr(used);
      const size_t count = std::min({rest.size(), part.size() - filled, limit - done});
      std::memcpy(part.data() + filled, rest.data(), count);
      filled += count;
      done += count;
      used += count;
      if (count == rest.size()) {
        ++chunk;
        used = 0;
      }
    }
  }
  if (!peek) skip(done);
  return done;
}

void ReceiveQueue::skip(size_t count) {
  NETRIG_REQUIRE(count <= readable_);
  readable_ -= count;
  packets_.take(count);
  copied_seq_ += static_cast<uint32_t>(count);
  front_used_ += count;
  while (!chunks_.empty() && front_used_ >= chunks_.front().size()) {
    front_used_ -= chunks_.front().size();
    chunks_.pop_front();
  }
  if (chunks_.empty()) collapse_at_ = kCollapseFirst;
}

char ReceiveQueue::octet(SeqNum at) const {
  auto offset = static_cast<size_t>(at - copied_seq_) + front_used_;
  for (size_t i = 0; i < chunks_.size(); ++i) {
    if (offset < chunks_[i].size()) return chunks_[i].view()[offset];
    offset -= chunks_[i].size();
  }
  NETRIG_REQUIRE(false);
  return 0;
}

void ReceiveQueue::clear() {
  skip(readable_);
  drop_early();
}

}  // namespace netrig::tcp
