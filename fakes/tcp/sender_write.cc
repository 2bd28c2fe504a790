// What the application writes: Linux's tcp_sendmsg_locked and tcp_xmit_size_goal.
#include <algorithm>

#include "fakes/tcp/sender_parts.h"

namespace netrig::tcp {
namespace {

// sk_dst_gso_max_size: what a packet of many segments holds at most.
constexpr size_t kPacketMost = 65536 - kHeaderRoom - 1;

// The next octets of the write, at most `limit`.
ByteView next_piece(const Sender::Write& write, size_t limit) {
  size_t skip = write.done;
  for (const ByteView part : write.parts) {
    if (skip < part.size()) return part.substr(skip, limit);
    skip -= part.size();
  }
  return {};
}

}  // namespace

// Whole segments, and no more than half of the largest window that the peer offered.
size_t Sender::Parts::packet_goal() const {
  const size_t mss = effective_mss();
  const size_t bound = half_window();
  const size_t most = bound == 0 ? kPacketMost : std::min(kPacketMost, bound);
  return std::max(most / mss, size_t{1}) * mss;
}

bool Sender::Parts::append_packet(Write& write, bool may_open) {
  ByteView piece = next_piece(write, kPacketMost);
  if (piece.empty() || fin_queued) return false;
  const size_t goal = packet_goal();
  size_t room = written.room(goal);
  const bool fresh = room == 0;
  if (fresh) {
    if (!may_open || memory() >= config.buffer_octets) {
      // A write that finds the buffer full is pushed even if more was announced.
      if (write.done > 0) push_mark = nxt + buffer.size();
      return false;
    }
    room = goal;
  }
  const uint32_t mss = effective_mss();
  size_t taken = 0;
  while (!piece.empty() && taken < room) {
    piece = piece.substr(0, room - taken);
    buffer.append(piece, mss);
    taken += piece.size();
    write.done += piece.size();
    piece = next_piece(write, kPacketMost);
  }
  if (fresh) {
    written.open(taken);
  } else {
    written.extend(taken);
  }
  push_now = false;
  more = write.more || !piece.empty();  // until the write's end only whole segments go
  if (!more) push_mark = nxt + buffer.size();
  return true;
}

}  // namespace netrig::tcp
