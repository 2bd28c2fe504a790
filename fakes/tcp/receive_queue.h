#pragma once
// What arrived and was not read: octets in order, and behind a gap those that came too early. It
// shares the payload of segments and copies it once, when it is read. It knows sequence numbers and
// SACK blocks, but no windows and no timers; its owner decides what it may keep. Owned by one
// connection.

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "fakes/tcp/packet_memory.h"
#include "fakes/tcp/segment.h"
#include "harness/base/ring.h"

namespace netrig::tcp {

// RFC 2018 section 4: what to tell about octets behind a gap, the most recent block first; and the
// one report of RFC 2883 about octets that came twice.
class SackReport {
 public:
  static constexpr size_t kBlocksMax = 4;  // Linux: TCP_NUM_SACKS

  // [left, right) is kept now; joins blocks that it touches.
  void add(SeqNum left, SeqNum right);
  // What is before `rcv_nxt` needs no block any more.
  void advance(SeqNum rcv_nxt);
  void clear_blocks() { count_ = 0; }
  void add_duplicate(SeqNum left, SeqNum right);
  // At most `room` blocks, the duplicate first (RFC 2883 section 4). The duplicate is told once.
  void write(Segment& segment, size_t room);
  bool empty() const { return count_ == 0 && !duplicate_; }
  std::span<const SackBlock> blocks() const { return {blocks_.data(), count_}; }
  const std::optional<SackBlock>& duplicate() const { return duplicate_; }

 private:
  std::array<SackBlock, kBlocksMax> blocks_{};
  size_t count_ = 0;
  std::optional<SackBlock> duplicate_;
};

class ReceiveQueue {
 public:
  // `pool` must outlive it.
  explicit ReceiveQueue(BytePool& pool) : pool_(pool) {}

  void start(SeqNum rcv_nxt) { copied_seq_ = rcv_nxt_ = rcv_nxt; }
  SeqNum rcv_nxt() const { return rcv_nxt_; }
  SeqNum copied_seq() const { return copied_seq_; }  // the next octet to read
  size_t readable() const { return readable_; }      // in order
  bool has_gap() const { return !early_.empty(); }
  size_t early_octets() const { return early_octets_; }
  size_t memory() const { return packets_.memory() + early_memory_; }  // sk_rmem_alloc

  // The next octets in order; then what was early and fits is taken over. `payload` starts at
  // rcv_nxt(). True if a FIN was reached: it is counted in rcv_nxt(), and nothing may follow.
  // `shared` as in ReceivePackets.
  bool append(SharedBytes payload, bool fin, bool shared, SackReport& report);
  void acknowledged() { packets_.acknowledged(); }  // all in order, to the peer
  // Octets behind a gap: `seq` is after rcv_nxt(). Octets that are there already are reported as
  // duplicates. False if nothing of it was new.
  bool insert_early(SeqNum seq, const SharedBytes& payload, bool fin, SackReport& report);
  void drop_early();

  // Copies the next octets, at most `limit`. `peek` leaves them.
  size_t read(std::span<const std::span<char>> parts, size_t limit, bool peek);
  // Passes over octets without reading them.
  void skip(size_t count);
  char octet(SeqNum at) const;  // must be readable
  void clear();

 private:
  struct Early {
    SeqNum start;
    SharedBytes payload;
    bool fin = false;
    SeqNum end() const { return start + static_cast<uint32_t>(payload.size()) + (fin ? 1 : 0); }
    size_t memory() const;
  };

  void push(SharedBytes payload, bool shared);
  void collapse();
  bool drain_early(SackReport& report);
  void keep(size_t index, SeqNum seq, SharedBytes payload, bool fin);
  void forget_early(size_t count);

  BytePool& pool_;
  SeqNum rcv_nxt_;
  SeqNum copied_seq_;
  Ring<SharedBytes> chunks_;
  ReceivePackets packets_;
  size_t front_used_ = 0;  // octets of the first chunk that were read
  size_t readable_ = 0;
  size_t collapse_at_ = 64;
  std::vector<Early> early_;  // by sequence number, not overlapping
  size_t early_octets_ = 0;
  size_t early_memory_ = 0;
};

}  // namespace netrig::tcp
