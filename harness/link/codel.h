#pragma once
// Controlled delay (RFC 8289) for one direction's queue: which packet is dropped or marked because
// packets have waited for longer than `target` for a whole `interval`. It is asked of each packet,
// in order, with the instant at which its sending would begin. Owned by a SendQueue; holds no
// packet.
//
// One departure from RFC 8289: its exception for a queue of at most one packet's octets looks at
// what a packet leaves behind when it is taken from the queue. Here it looks at what the packet
// found waiting when it came: both occur equally often, as each length that the queue grows past it
// shrinks past again, and so a packet's fate is known when it is offered, as all others are.

#include <cstdint>

#include "harness/link/link_config.h"

namespace netrig {

// RFC 8289 section 4.4: MAXPACKET.
inline constexpr uint64_t kCodelMaxPacket = 1500;

class Codel {
 public:
  enum class Verdict : uint8_t { kSend, kMark, kDrop };

  // `begin`: when its sending would begin, ascending from packet to packet. `found`: the octets
  // that waited when it came, the packet being sent not counted. `markable`: it is ECN-capable.
  Verdict judge(const CodelParameters& parameters, Instant offered, Instant begin, uint64_t found,
                bool markable);

 private:
  bool has_waited_too_long(const CodelParameters& parameters, Instant offered, Instant begin,
                           uint64_t found);
  Instant next_drop(const CodelParameters& parameters, Instant from) const;

  Instant first_above_{};  // when it may begin to drop; the start: it was below the target
  Instant drop_next_{};
  uint64_t count_ = 0;       // drops since dropping began
  uint64_t last_count_ = 0;  // when dropping began the last time
  bool dropping_ = false;
};

}  // namespace netrig
