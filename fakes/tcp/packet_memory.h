#pragma once
// What a connection's octets take in the buffers of its sockets: Linux counts packets (sk_buff) by
// their memory, not by their payload (sk_wmem_queued, sk_rmem_alloc, truesize). On the sending side
// writes gather into packets of many segments, which are split where a window ends; on the
// receiving side segments are joined (tcp_try_coalesce). Counting only: the octets are elsewhere.
// Owned by one connection.

#include <cstddef>
#include <cstdint>

#include "harness/base/ring.h"

namespace netrig::tcp {

// A packet beside its octets: sk_buff 256, skb_shared_info 320, MAX_TCP_HEADER 256. A kernel with
// tunnels or wireless reserves 64 more for headers.
inline constexpr size_t kHeaderRoom = 256;
inline constexpr size_t kSharedInfo = 320;
inline constexpr size_t kPacketStruct = 256;
inline constexpr size_t kPacketOverhead = kPacketStruct + kSharedInfo + kHeaderRoom;

// The packets from snd_una on, by where they end. Positions as in sender_parts.h.
class SendPackets {
 public:
  size_t overhead() const { return (sent_.size() + unsent_.size()) * kPacketOverhead; }
  // Octets that the last packet still takes if it may hold `goal`; 0 once it is sent.
  size_t room(size_t goal) const;
  // Octets were written: into the last packet, or into a new one.
  void extend(size_t octets) { unsent_.back() += octets; }
  void open(size_t octets) { unsent_.push_back(end() + octets); }
  // All before `nxt` is sent, and nothing more goes for now: what was sent in part is split.
  void sent(uint64_t nxt);
  void acknowledged(uint64_t una);

 private:
  uint64_t end() const { return unsent_.empty() ? boundary_ : unsent_.back(); }

  Ring<uint64_t> sent_;
  Ring<uint64_t> unsent_;
  uint64_t boundary_ = 1;  // end of the last packet that was sent
};

// The packets in order that were not read.
class ReceivePackets {
 public:
  size_t memory() const { return memory_; }
  // `shared`: its sender holds the same packet until it is acknowledged, as of a lone segment, so
  // nothing can be joined to it before.
  void add(size_t octets, bool shared);
  void acknowledged() {
    if (!packets_.empty()) packets_.back().shared = false;
  }
  // Octets were read: a packet is let go with its last one.
  void take(size_t octets);

 private:
  static constexpr uint8_t kPiecesMax = 17;  // MAX_SKB_FRAGS

  struct Packet {
    size_t unread = 0;
    size_t memory = 0;
    uint8_t pieces = 0;
    bool shared = false;
  };

  Ring<Packet> packets_;
  size_t memory_ = 0;
};

}  // namespace netrig::tcp
