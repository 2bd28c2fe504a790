#pragma once
// What became of one packet on one link: the decision, and the record of it that every world
// journals. Plain values; link.h says how the decision is made.

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/shared_text.h"
#include "harness/base/time.h"

namespace netrig {

enum class DropCause : uint8_t { kNone, kLoss, kRule, kQueue, kMtu, kPartition, kCodel };

// "loss", "rule", "queue full", "too big", "partition", "codel"; "" for kNone.
const char* drop_cause_name(DropCause cause);

// A bit of a payload, counted from the first (most significant), or none: a std::optional in one
// word, for it is copied with every packet as soon as it is written, which a processor does fast
// only in the pieces in which it was written.
class BitPosition {
 public:
  constexpr BitPosition() = default;
  // NOLINTBEGIN(google-explicit-constructor): as std::optional.
  constexpr BitPosition(std::nullopt_t) {}
  constexpr BitPosition(uint64_t bit) : bit_(bit) {}
  // NOLINTEND(google-explicit-constructor)
  constexpr bool has_value() const { return bit_ != kNone; }
  constexpr explicit operator bool() const { return has_value(); }
  constexpr uint64_t operator*() const { return bit_; }
  constexpr uint64_t value_or(uint64_t other) const { return has_value() ? bit_ : other; }
  friend constexpr bool operator==(BitPosition, BitPosition) = default;

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};
  uint64_t bit_ = kNone;
};

// The decision for one packet when it is offered to a link.
struct Fate {
  DropCause dropped = DropCause::kNone;
  uint32_t copies = 1;        // that go on: 0 if dropped, 2 if duplicated
  bool copy_dropped = false;  // there were two, but the queue had room for one or dropped one
  bool reordered = false;     // held until a later packet has passed it, or sent early
  bool marked = false;        // CE was set in the first copy's IP header (RFC 3168)
  BitPosition corrupt_bit;    // flipped in the first copy
  DropCause copy_cause = DropCause::kQueue;  // of copy_dropped
  Duration delay{0};  // drawn for the first copy: queueing, service, delay and rule, not the hold

  bool delivered_untouched() const {
    return dropped == DropCause::kNone && copies == 1 && !copy_dropped && !reordered && !marked &&
           !corrupt_bit && delay == Duration{0};
  }
  friend bool operator==(const Fate&, const Fate&) = default;
};

// "dropped (loss)", "duplicated", "corrupted (bit 17), reordered, delayed 20ms"; "delivered" if
// untouched.
std::string format_fate(const Fate& fate);

// Which packet: the same words in every world, free of ephemeral ports and addresses.
struct PacketName {
  SharedText direction;  // "client -> server", by host names
  SharedText flow;       // "udp|server:53|1": protocol, the service, the how-manieth such flow
  uint64_t ordinal = 0;  // of the packet in its flow, from 1

  // False for a TCP segment ("tcp|server:80|1"), of which a world tells only what happened to it on
  // a link and never its arrival; its ordinal is its place in the connection.
  bool is_datagram() const { return !flow.str().starts_with("tcp|"); }
};

struct FateRecord {
  PacketName packet;
  Fate fate;
  uint32_t size = 0;  // octets of payload
  Instant sent_at;
  SharedText activity;  // what the sender was doing (Loop::activity)
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
