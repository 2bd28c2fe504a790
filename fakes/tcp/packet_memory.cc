#include "fakes/tcp/packet_memory.h"

#include <algorithm>

namespace netrig::tcp {

size_t SendPackets::room(size_t goal) const {
  if (unsent_.empty()) return 0;
  const uint64_t start = unsent_.size() > 1 ? unsent_[unsent_.size() - 2] : boundary_;
  const uint64_t held = unsent_.back() - start;
  return goal > held ? goal - held : 0;
}

void SendPackets::sent(uint64_t nxt) {
  if (nxt <= boundary_) return;
  while (!unsent_.empty() && unsent_.front() <= nxt) {
    boundary_ = unsent_.front();
    sent_.push_back(unsent_.take_front());
  }
  if (boundary_ == nxt) return;
  boundary_ = nxt;
  sent_.push_back(nxt);
}

void SendPackets::acknowledged(uint64_t una) {
  while (!sent_.empty() && sent_.front() <= una) sent_.pop_front();
}

void ReceivePackets::add(size_t octets, bool shared) {
  if (!packets_.empty()) {
    Packet& last = packets_.back();
    if (!last.shared && last.pieces < kPiecesMax) {
      last.unread += octets;
      last.memory += octets;
      ++last.pieces;
      memory_ += octets;
      return;
    }
  }
  packets_.push_back({octets, octets + kPacketOverhead, 1, shared});
  memory_ += octets + kPacketOverhead;
}

void ReceivePackets::take(size_t octets) {
  while (octets > 0) {
    Packet& first = packets_.front();
    const size_t count = std::min(octets, first.unread);
    first.unread -= count;
    octets -= count;
    if (first.unread > 0) return;
    memory_ -= first.memory;
    packets_.pop_front();
  }
}

}  // namespace netrig::tcp
