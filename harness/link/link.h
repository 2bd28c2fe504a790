#pragma once
// The link model: what happens to a packet between two hosts, in one direction. One implementation,
// used by all worlds. It has no clock and no I/O: packets are offered with the time, decisions and
// due packets come out, and next_due() says when to ask again. This comment is the specification;
// link_config.h names the parameters, and each stage with something of its own to keep has a file.
//
// A packet offered at time t passes these stages in this order, as in tc-netem(8) unless said
// otherwise.
//
//  1. name
//     The packet is the n-th of its flow (n from 1). Every random draw below is a pure function of
//     (seed, direction, flow, n, purpose): no draw depends on another packet, on time, or on which
//     other faults are set. Faults with memory (correlation, bursts, gap) keep it for each flow
//     alone and move on by one step with each packet of the flow in the order of offers, also with
//     one that another stage drops: so what other flows do, and how packets of several flows mix,
//     moves nothing, and a burst is a run of packets of one flow (netem: of the interface). TCP's
//     acknowledgements without data are a flow of their own here.
//  2. rules
//     Every rule that matches is applied: `drop` ends here with cause "rule"; `duplicate`,
//     `corrupt`, `reorder` act as if stage 5, 6 or 9 had drawn them (twice is as once); `mark` sets
//     CE where it can be set (stage 7); `delay`s are summed and act in stage 8. A rule matches by
//     transport, by its service's port, by the flow's number in its service (as the flow's name
//     says it: "udp|server:53|2" is 2, fate.h) and by the octets of payload. It counts what it
//     matches on this direction, over all flows or for each flow apart (`per_flow`), from 1,
//     whatever the other rules do with it, and means the `nth` of them; with `every` N the count
//     begins anew after N, and without `nth` the N-th is meant. Rules neither count nor match what
//     has no transport (ICMP).
//  3. partition
//     While the direction is cut every packet is dropped, cause "partition". What is under way when
//     a cut begins arrives.
//  4. loss
//     Dropped with cause "loss": with probability `loss`, drawn anew for each packet, or with
//     `loss_correlation` c taken from the packet before with probability c (Jacobs and Lewis'
//     DAR(1): the share that is lost stays `loss`, and losses k packets apart are correlated by
//     c^k; netem's own correlation changes the share, tc-netem(8) calls it deprecated); or by
//     `gemodel`, the channel of Gilbert and Elliott: a packet is lost with the probability of the
//     state that it finds, good at first, and then the state changes with `good_to_bad` (netem's p)
//     or `bad_to_good` (r), so that a stay in the bad state lasts 1/r packets on average; or by
//     `loss_states`, netem's chain of four states, which changes first and loses what it takes to
//     state 3 or 4.
//     A TCP segment whose packet is larger than `mtu` octets is dropped too, cause "too big"; a
//     world tells its sender by ICMP (RFC 1191, RFC 8201). Datagrams would be fragmented: they
//     pass.
//  5. duplicate
//     With probability `duplicate`, correlated as loss may be, there are two copies. They are alike
//     up to here and go through the stages below one after the other, the original first.
//  6. corrupt
//     With probability `corrupt`, correlated as loss may be, one bit of the payload, chosen
//     uniformly, is flipped in the original, never in the copy. A packet without payload is not
//     corrupted.
//  7. rate
//     With `rate`, a copy waits for those before it and then takes size * 8 / rate to be sent,
//     rounded up to the nanosecond, where size counts payload octets plus the packet's headers (28
//     for UDP over IPv4: IP and UDP header), changed by `overhead` as netem does: plus
//     `packet_overhead`, then in whole cells of `cell_size` with `cell_overhead` on each.
//     With `trace` in place of a rate, octets leave at the instants of a Mahimahi trace only: 1500
//     at each; what an instant has left over goes to the packet behind if it came before that
//     instant, and is gone otherwise; a large packet takes several. One that is offered at an
//     instant of the trace has missed it. The trace begins at the start of the run's time and
//     begins anew at its end.
//     `queue` limits what may be in this stage, the copy being sent included: so many copies
//     (`queue_packets`), so many octets (`queue_octets`, without `overhead`), or so long a wait
//     before sending begins (`queue_time`); a copy that finds no room is dropped (tail drop), cause
//     "queue full". One whose sending ends at t has left the stage at t. Without any of the three
//     the limit is 1000 copies.
//     With `codel` (RFC 8289; codel.h says where it departs) a copy whose turn comes may be dropped
//     then, which takes no time to send, cause "codel"; with its `ecn` a copy that is ECN-capable
//     gets the mark CE (RFC 3168) and goes on.
//     If no copy is left, the packet is dropped. Without `rate` or `trace` this stage takes no time
//     and the queue limits nothing.
//  8. delay
//     The copy is under way for `delay`: a fixed time or uniform in a..b, both ends included, to
//     the nanosecond, drawn for each copy; or by `distribution`: mean + jitter * a value of its
//     table of quantiles, as netem's tabledist() (quantile_table.h), never less than nothing, with
//     a correlation as delay_model.h says. Jitter alone never reorders: a copy is due no earlier
//     than the one that entered this stage before it on this direction (netem: only with
//     `reorder`). A rule's `delay` is added after that: it holds up no other packet, so a packet
//     that is delayed by a rule is overtaken by those that follow.
//  9. reorder
//     With probability `reorder`, correlated as loss may be, the packet (both copies, if it was
//     duplicated) is held at its due time until one later packet of this direction that is not
//     itself held has been let go, and leaves right after it; at once if that has happened before
//     its due time; at the latest kReorderHoldMax after its due time. "Later" is by the order of
//     offers. Several that leave after the same packet keep their order. A held packet does not
//     hold up others. So the number of packets held is the number that RFC 4737
//     (Type-P-Reordered) counts, as long as packets follow and no rule delays any.
//     With `reorder_early` it is as in netem: the chosen packet is not held but skips stage 8 and
//     leaves before those that are under way, which makes all that it overtakes count as reordered.
//     With `reorder_gap` N only a packet before which N-1 others of its flow were not chosen can be
//     chosen: with the probability 100% each N-th is.
//
// Changes: at an instant of the run's time parameters change, or a cut begins or ends. It holds for
// packets offered from that instant on; those under way keep what they were given, and what a
// flow's memory knows stays.
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
#include "harness/base/ring.h"
#include "harness/base/time.h"
#include "harness/link/delay_model.h"
#include "harness/link/fate.h"
#include "harness/link/flow_memory.h"
#include "harness/link/link_config.h"
#include "harness/link/link_rules.h"
#include "harness/link/send_queue.h"

namespace netrig {

inline constexpr Duration kReorderHoldMax = 100ms;
inline constexpr size_t kPacketsUnderWayMax = 1'000'000;

// The stream of draws that belongs to a flow (see PacketName) on a direction: its name, hashed.
uint64_t flow_stream(std::string_view direction, std::string_view flow);

struct Departure {
  uint64_t handle = 0;
  uint32_t copy = 0;        // 0 the original, 1 the duplicate
  bool last = false;        // no other copy of this handle is left in the link
  bool mark = false;        // the world sets CE in its IP header
  BitPosition corrupt_bit;  // to be flipped by the world
  Instant due;              // when it should have left; take_due may be asked later
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

  // The parameters of `now`.
  void change(Instant now);
  void prepare();
  void apply_rules(Draws& draws, const OfferedPacket& packet);
  void draw(Draws& draws, const OfferedPacket& packet) const;
  Duration draw_delay(const Chance& chance, uint64_t ordinal, Purpose purpose) const;
  void draw_with_memory(Draws& draws, const OfferedPacket& packet);
  void draw_corrupt_bit(Draws& draws, const OfferedPacket& packet, const Chance& chance) const;
  Fate send_copies(Instant now, const OfferedPacket& packet, const Draws& draws, Number number);
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
  // What of the parameters each packet asks.
  bool cut_ = false;
  bool remembers_ = false;
  bool paced_ = false;
  Instant next_change_ = Instant::max();
  size_t changes_made_ = 0;
  RuleCounters rules_;                     // stage 2
  std::map<uint64_t, FlowMemory> memory_;  // by stream
  SendQueue queue_;                        // stage 7
  std::optional<DelayModel> delays_;       // stage 8
  Instant last_due_ = Instant::min();
  uint64_t next_packet_ = 0;
  // Not held. Stage 8 keeps the order of offers, so most copies wait in a queue; only what a rule
  // delayed, or was held before, needs a tree.
  Ring<Waiting> in_order_;
  std::map<std::pair<Instant, Number>, Waiting> out_of_order_;
  std::map<Number, Departure> held_;                // stage 9, also before their due time
  std::set<std::pair<Instant, Number>> hold_ends_;  // of held_: due + kReorderHoldMax
  std::set<Number> twins_;                          // packets with both copies in the link
};

}  // namespace netrig
