#pragma once
// What one direction of a link does to its packets, as plain values: the parameters of the stages
// that link.h describes, by netem's names where it has good ones. Owned by whoever makes a link; it
// decides nothing.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/quantity.h"
#include "harness/base/time.h"
#include "harness/link/delivery_trace.h"
#include "harness/link/quantile_table.h"
#include "harness/net/endpoint.h"

namespace netrig {

inline constexpr uint32_t kDefaultQueuePackets = 1000;

struct LinkRule {
  enum class Action : uint8_t { kDrop, kDuplicate, kCorrupt, kReorder, kDelay, kMark };
  std::optional<Transport> match;  // empty: any protocol
  std::set<uint64_t> nth;          // empty: every packet, or the `every`-th
  Action action = Action::kDrop;
  Duration delay{0};                   // for kDelay
  std::optional<uint16_t> port;        // of the flow's service
  std::optional<uint64_t> flow;        // the how-manieth of its service, from 1
  std::optional<Range<int64_t>> size;  // octets of payload
  uint64_t every = 0;                  // the count begins anew after so many; 0: never
  bool per_flow = false;               // the count is of the packet's flow, not of the direction
};

// Loss in bursts by a channel with two states, after Gilbert and Elliott; netem's `loss gemodel`.
struct GilbertElliott {
  Probability good_to_bad;             // p
  Probability bad_to_good;             // r
  Probability loss_in_bad{1'000'000};  // 1-h
  Probability loss_in_good;            // 1-k
};

// Loss by a Markov chain of four states; netem's `loss state`. 1: delivered in a gap, 2: delivered
// within a burst, 3: lost within a burst, 4: lost alone in a gap. 4 always goes to 1.
struct FourStateLoss {
  Probability p13, p31, p32, p23{1'000'000}, p14;
};

// A delay around `mean`; netem's `delay TIME JITTER CORRELATION distribution`.
struct DelayDistribution {
  std::shared_ptr<const QuantileTable> table;  // null: uniform in mean - jitter..mean + jitter
  Duration mean{0};
  Duration jitter{0};
  Probability correlation;
  bool normal = false;  // the table is the normal one
  // normal_table(), shared by all that have a correlation; null: each makes its own.
  std::shared_ptr<const QuantileTable> places = nullptr;
};

// Octets that `rate` counts for a packet; netem's `rate RATE PACKETOVERHEAD CELLSIZE CELLOVERHEAD`.
struct PacketOverhead {
  int32_t packet_overhead = 0;  // on top of the IP packet; may be negative
  uint32_t cell_size = 0;       // 0: no cells
  int32_t cell_overhead = 0;    // for each cell
  friend bool operator==(const PacketOverhead&, const PacketOverhead&) = default;
};

// RFC 8289; tc-codel(8)'s names.
struct CodelParameters {
  Duration target = 5ms;
  Duration interval = 100ms;
  bool ecn = false;  // what can be marked is marked instead of dropped
};

struct LinkChange;

// One direction's parameters; the defaults do nothing.
struct LinkConfig {
  Range<Duration> delay{Duration{0}, Duration{0}};
  Probability loss;
  Probability duplicate;
  Probability corrupt;
  Probability reorder;
  uint64_t rate = 0;                              // bits per second; 0: no limit
  uint32_t queue_packets = kDefaultQueuePackets;  // 0: no limit
  uint32_t mtu = 0;  // octets of an IP packet; 0: no limit of the link's own
  std::vector<LinkRule> rules;

  std::optional<DelayDistribution> distribution;  // instead of `delay`
  Probability loss_correlation;
  Probability duplicate_correlation;
  Probability corrupt_correlation;
  Probability reorder_correlation;
  std::optional<GilbertElliott> gemodel;     // at most one of these two,
  std::optional<FourStateLoss> loss_states;  // instead of `loss`
  uint32_t reorder_gap = 0;                  // only each so-manieth packet of a flow; 0: any
  bool reorder_early = false;                // sent before its time instead of held, as netem does
  PacketOverhead overhead;
  uint64_t queue_octets = 0;  // 0: no limit
  Duration queue_time{0};     // 0: no limit
  std::optional<CodelParameters> codel;
  std::shared_ptr<const DeliveryTrace> trace;  // instead of `rate`
  std::vector<LinkChange> changes;             // ascending in time

  // True if every packet passes at once and unchanged.
  bool is_transparent() const;
  // False if packets of `transport` pass so: there may be rules for other protocols.
  bool touches(Transport transport) const { return !first_fault(transport).empty(); }
  // The first fault that may touch packets of `transport`, at any time: "loss", "a rule",
  // "a partition"; empty if none does.
  std::string first_fault(Transport transport) const;
  // What a packet's fate depends on that came before it in its flow.
  bool has_memory() const;
  // Whether a packet may get the mark CE, at any time.
  bool may_mark() const;
  bool is_paced() const { return rate != 0 || trace != nullptr; }
};

// From `at` on, counted from the start of the loop's time.
struct LinkChange {
  Duration at{0};
  std::optional<bool> cut = std::nullopt;                  // a partition begins or ends
  std::shared_ptr<const LinkConfig> parameters = nullptr;  // all, but rules and changes; null: keep
};

}  // namespace netrig
