#pragma once
// Stage 2 of link.h: which rules meet a packet, by counting those that match. Owned by a Link.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "harness/link/link_config.h"

namespace netrig {

// What a world tells the link of a packet.
struct OfferedPacket {
  std::optional<Transport> transport = Transport::kUdp;  // empty: ICMP, which no rule counts
  uint64_t stream = 0;   // flow_stream of its direction and flow, computed once a flow
  uint64_t ordinal = 0;  // in its flow, from 1; counted by the world
  uint32_t payload_size = 0;
  uint32_t overhead = 28;     // octets that `rate` counts on top
  uint64_t handle = 0;        // the world's own name for it, handed back in Departure
  uint64_t flow_number = 0;   // of its service, from 1, as its name says it; 0: it has no flow
  uint64_t service = 0;       // the same number for all flows of one service of this direction
  uint16_t service_port = 0;  // 0: the service has none, or one that the kernel chose
  bool ecn_capable = false;   // ECT(0), ECT(1) or CE (RFC 3168)
};

// What rules want of one packet.
struct RuleOutcome {
  bool drop = false;
  bool duplicate = false;
  bool corrupt = false;
  bool reorder = false;
  bool mark = false;
  Duration delay{0};
};

class RuleCounters {
 public:
  RuleOutcome apply(const std::vector<LinkRule>& rules, const OfferedPacket& packet);

 private:
  struct Count {
    uint64_t all = 0;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> by_flow;  // service and number
  };
  std::vector<Count> counts_;  // by rule
};

}  // namespace netrig
