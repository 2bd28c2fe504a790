#pragma once
// What became of one packet on one link: the decision, and the record of it that every world
// journals. Plain values; link.h says how the decision is made.

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/time.h"

namespace netrig {

enum class DropCause : uint8_t { kNone, kLoss, kRule, kQueue, kMtu };

// "loss", "rule", "queue full", "too big"; "" for kNone.
const char* drop_cause_name(DropCause cause);

// The decision for one packet when it is offered to a link.
struct Fate {
  DropCause dropped = DropCause::kNone;
  uint32_t copies = 1;        // that go on: 0 if dropped, 2 if duplicated
  bool copy_dropped = false;  // there was a duplicate, but the queue was full
  bool reordered = false;     // held until a later packet has passed it
  // The bit flipped in the first copy, counted from the first bit (most significant) of the
  // payload.
  std::optional<uint64_t> corrupt_bit = std::nullopt;
  Duration delay{0};  // drawn for the first copy: queueing, service, delay and rule, not the hold

  bool delivered_untouched() const {
    return dropped == DropCause::kNone && copies == 1 && !copy_dropped && !reordered &&
           !corrupt_bit && delay == Duration{0};
  }
  friend bool operator==(const Fate&, const Fate&) = default;
};

// "dropped (loss)", "duplicated", "corrupted (bit 17), reordered, delayed 20ms"; "delivered" if
// untouched.
std::string format_fate(const Fate& fate);

// Which packet: the same words in every world, free of ephemeral ports and addresses.
struct PacketName {
  std::string direction;  // "client -> server", by host names
  std::string flow;       // "udp|server:53|1": protocol, the service, the how-manieth such flow
  uint64_t ordinal = 0;   // of the packet in its flow, from 1

  // False for a TCP segment ("tcp|server:80|1"), of which a world tells only what happened to it on
  // a link and never its arrival; its ordinal is its place in the connection.
  bool is_datagram() const { return !flow.starts_with("tcp|"); }
};

struct FateRecord {
  PacketName packet;
  Fate fate;
  uint32_t size = 0;  // octets of payload
  Instant sent_at;
  std::string activity;  // what the sender was doing (Loop::activity)
};

// One copy of a datagram was read by a socket (or found unread at the end).
struct ArrivalRecord {
  PacketName packet;
  uint32_t copy = 0;  // 0 the first
  bool corrupted = false;
  Instant sent_at;
  Instant arrived_at;  // when the link let it go, not when it was read
  bool read = true;    // false: still in the receive buffer at the end of the run
};

// Who wants to know. A world calls it in the order of events.
class LinkObserver {
 public:
  virtual ~LinkObserver() = default;
  virtual void on_fate(const FateRecord& record) = 0;
  virtual void on_arrival(const ArrivalRecord& record) = 0;
};

}  // namespace netrig
