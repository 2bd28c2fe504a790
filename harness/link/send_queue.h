#pragma once
// Stage 7 of link.h: packets that wait to be sent at a rate, or at the instants of a trace, the
// limits of their queue, and CoDel. When a packet is offered it is known when it will have been
// sent: there is one sender, and it keeps the order. Owned by a Link; without a rate or a trace it
// is not asked.

#include <cstdint>
#include <optional>

#include "harness/base/ring.h"
#include "harness/base/time.h"
#include "harness/link/codel.h"
#include "harness/link/delivery_trace.h"
#include "harness/link/fate.h"
#include "harness/link/link_config.h"

namespace netrig {

class SendQueue {
 public:
  struct Answer {
    DropCause dropped = DropCause::kNone;
    bool marked = false;
    Instant sent{};  // when its last octet leaves, if it is not dropped
  };
  // `size`: octets of the IP packet. `markable`: it is ECN-capable. `now` never goes back.
  Answer send(const LinkConfig& config, Instant now, uint64_t size, bool markable);
  // The parameters have changed: those that are in the queue keep their times. The trace must live
  // until the next change.
  void change(const LinkConfig& config);

 private:
  struct Waiting {
    Instant leaves;  // sent, or dropped by CoDel
    uint64_t size = 0;
  };
  bool has_room(const LinkConfig& config, Instant now, Instant begin, uint64_t size) const;

  Ring<Waiting> waiting_;
  uint64_t octets_ = 0;           // of waiting_
  Instant free_{Instant::min()};  // when the last one has been sent
  std::optional<TraceCursor> trace_;
  const DeliveryTrace* followed_ = nullptr;
  Instant trace_from_ = Instant::min();  // what was queued before it was followed goes first
  Codel codel_;
};

}  // namespace netrig
