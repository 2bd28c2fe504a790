#pragma once
// The link model: what happens to a packet between two hosts, in one direction. One implementation,
// used by all worlds. It has no clock and no I/O: packets are offered with the time, decisions and
// due packets come out, and next_due() says when to ask again. This comment is the specification.
//
// A packet offered at time t passes these stages in this order, as in tc-netem(8) unless said
// otherwise.
//
//  1. name
//     The packet is the n-th of its flow (n from 1). Every random draw below is a pure function of
//     (seed, direction, flow, n, purpose): no draw depends on another packet, on time, or on which
//     other faults are set.
//  2. rules
//     Every rule that matches (protocol, nth) is applied: `drop` ends here with cause "rule";
//     `duplicate`, `corrupt`, `reorder` act as if stage 4, 5 or 8 had drawn them (twice is as
//     once); `delay`s are summed and act in stage 7. The counter of a rule's `nth` counts the
//     packets of its protocol on this direction, over all flows, from 1, whatever the other rules
//     do with them. Rules neither count nor match what has no transport (ICMP).
//  3. loss
//     Dropped with probability `loss`, cause "loss".
//     A TCP segment whose packet is larger than `mtu` octets is dropped too, cause "too big"; a
//     world tells its sender by ICMP (RFC 1191, RFC 8201). Datagrams would be fragmented: they
//     pass.
//  4. duplicate
//     With probability `duplicate` there are two copies. They are alike up to here and go through
//     the stages below one after the other, the original first.
//  5. corrupt
//     With probability `corrupt` one bit of the payload, chosen uniformly, is flipped in the
//     original, never in the copy. A packet without payload is not corrupted.
//  6. rate
//     With `rate`, a copy waits for those before it and then takes size * 8 / rate to be sent,
//     rounded up to the nanosecond, where size counts payload octets plus `overhead` (28 for UDP
//     over IPv4: IP and UDP header). `queue` limits how many copies may be in this stage, the one
//     being sent included; a copy that finds it full is dropped (tail drop), cause "queue full".
//     One whose sending ends at t has left the stage at t. If that was the last copy, the packet
//     is dropped. Without `queue` the limit is 1000 packets. Without `rate` this stage takes no
//     time and `queue` limits nothing.
//  7. delay
//     The copy is under way for `delay`: a fixed time or uniform in a..b, both ends included, to
//     the nanosecond, drawn for each copy. Jitter alone never reorders: a copy is due no earlier
//     than the one that entered this stage before it on this direction (netem: only with
//     `reorder`). A rule's `delay` is added after that: it holds up no other packet, so a packet
//     that is delayed by a rule is overtaken by those that follow.
//  8. reorder
//     With probability `reorder` the packet (both copies, if it was duplicated) is held at its due
//     time until one later packet of this direction that is not itself held has been let go, and
//     leaves right after it; at once if that has happened before its due time; at the latest
//     kReorderHoldMax after its due time. "Later" is by the order of offers. Several that leave
//     after the same packet keep their order. A held packet does not hold up others. So the number
//     of packets held is the number that RFC 4737 (Type-P-Reordered) counts, as long as packets
//     follow and no rule delays any. (netem sends the chosen packet early instead, which makes all
//     that it overtakes count as reordered.)
//
// Packets that are due at one instant leave in the order in which they were offered. A link whose
// parameters do nothing lets every packet pass at once: it is due when it is offered.
//
// Limits: at most kPacketsUnderWayMax copies in one direction; beyond it a copy is dropped as by a
// full queue. So a delay of an hour and a flood of packets cannot take all memory.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/chance.h"
#include "harness/base/quantity.h"
#include "harness/base/time.h"
#include "harness/link/fate.h"
#include "harness/link/ring.h"
#include "harness/net/endpoint.h"

namespace netrig {

inline constexpr Duration kReorderHoldMax = 100ms;
inline constexpr uint32_t kDefaultQueuePackets = 1000;
inline constexpr size_t kPacketsUnderWayMax = 1'000'000;

struct LinkRule {
  enum class Action : uint8_t { kDrop, kDuplicate, kCorrupt, kReorder, kDelay };
  std::optional<Transport> match;  // empty: any protocol
  std::set<uint64_t> nth;          // empty: every packet
  Action action = Action::kDrop;
  Duration delay{0};  // for kDelay
};

// One direction's parameters; the defaults do nothing.
struct LinkConfig {
  Range<Duration> delay{Duration{0}, Duration{0}};
  Probability loss;
  Probability duplicate;
  Probability corrupt;
  Probability reorder;
  uint64_t rate = 0;  // bits per second; 0: no limit
  uint32_t queue_packets = kDefaultQueuePackets;
  uint32_t mtu = 0;  // octets of an IP packet; 0: no limit of the link's own
  std::vector<LinkRule> rules;

  // True if every packet passes at once and unchanged.
  bool is_transparent() const;
  // False if packets of `transport` pass so: there may be rules for other protocols.
  bool touches(Transport transport) const;
  bool has_faults() const;  // any but rules
};

// The stream of draws that belongs to a flow (see PacketName) on a direction: its name, hashed.
uint64_t flow_stream(std::string_view direction, std::string_view flow);

// What a world tells the link of a packet.
struct OfferedPacket {
  std::optional<Transport> transport = Transport::kUdp;  // empty: ICMP, which no rule counts
  uint64_t stream = 0;   // flow_stream of its direction and flow, computed once a flow
  uint64_t ordinal = 0;  // in its flow, from 1; counted by the world
  uint32_t payload_size = 0;
  uint32_t overhead = 28;  // octets that `rate` counts on top
  uint64_t handle = 0;     // the world's own name for it, handed back in Departure
};

struct Departure {
  uint64_t handle = 0;
  uint32_t copy = 0;  // 0 the original, 1 the duplicate
  bool last = false;  // no other copy of this handle is left in the link
  std::optional<uint64_t> corrupt_bit = std::nullopt;  // to be flipped by the world
  Instant due;  // when it should have left; take_due may be asked later
};

class Link {
 public:
  // `direction`: "client -> server", part of every draw's name.
  Link(uint64_t seed, std::string direction, LinkConfig config);

  // Decides the packet's fate and keeps its copies until they are due. `now` never goes back.
  Fate offer(Instant now, const OfferedPacket& packet);
  // Copies that are due by `now`, in order of departure, put behind what `departures` holds.
  void take_due(Instant now, std::vector<Departure>& departures);
  std::vector<Departure> take_due(Instant now);
  // When take_due will next have something; empty if nothing is under way.
  std::optional<Instant> next_due() const;
  bool empty() const;

  const std::string& direction() const { return direction_; }
  const LinkConfig& config() const { return config_; }

 private:
  // Copies are numbered in the order of offers: packet * 2 for an original, + 1 for its duplicate.
  using Number = uint64_t;
  struct Draws;
  struct Waiting {
    Number number = 0;
    Departure copy;
    std::pair<Instant, Number> key() const { return {copy.due, number}; }
  };

  Draws apply_rules(const OfferedPacket& packet);
  void draw(Draws& draws, const OfferedPacket& packet) const;
  // Stage 6: when the copy has been sent; nothing if it is dropped.
  std::optional<Instant> send(Instant now, uint64_t size);
  void keep(Number number, const Departure& copy, bool held, bool in_order);
  // The first of those that are not held; null if there is none.
  const Waiting* first_under_way() const;
  Waiting take_first_under_way();
  void let_go(Number number, const Departure& copy, std::vector<Departure>& departures);
  void let_held_go(Number passed_by, Instant when, std::vector<Departure>& departures);
  void end_first_hold(std::vector<Departure>& departures);
  bool is_full() const {
    return in_order_.size() + out_of_order_.size() + held_.size() >= kPacketsUnderWayMax;
  }

  uint64_t seed_;
  std::string direction_;
  LinkConfig config_;
  std::vector<uint64_t> rule_counts_;
  Ring<Instant> sending_;              // stage 6: ends of sending, ascending
  Instant last_due_ = Instant::min();  // stage 7
  uint64_t next_packet_ = 0;
  // Not held. Stage 7 keeps the order of offers, so most copies wait in a queue; only what a rule
  // delayed, or was held before, needs a tree.
  Ring<Waiting> in_order_;
  std::map<std::pair<Instant, Number>, Waiting> out_of_order_;
  std::map<Number, Departure> held_;                // stage 8, also before their due time
  std::set<std::pair<Instant, Number>> hold_ends_;  // of held_: due + kReorderHoldMax
  std::set<Number> twins_;                          // packets with both copies in the link
};

}  // namespace netrig
