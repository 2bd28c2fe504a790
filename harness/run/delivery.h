#pragma once
// What became of the datagrams of each direction, counted from the journal: what the network
// decided and what arrived. Definitions: `sent` datagrams offered; `delivered` those of which at
// least one copy came to the receiving socket (read, or unread at the end); `lost` = sent -
// delivered; `reordered` as RFC 4737 section 3: a first copy whose ordinal is below one that
// arrived before it in its flow; `duplicated` datagrams of which more than one copy came;
// `corrupted` those of which a damaged copy came.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/run/journal.h"

namespace netrig {

struct DeliveryStatistics {
  std::string direction;  // "client -> server", hosts
  uint64_t sent = 0;
  uint64_t delivered = 0;
  uint64_t lost = 0;
  uint64_t reordered = 0;
  uint64_t duplicated = 0;
  uint64_t corrupted = 0;
  // Which were lost: positions among all datagrams of the direction in order of sending, from 1.
  std::vector<uint64_t> lost_ordinals;
  uint64_t longest_loss_run = 0;
  std::vector<Duration> latencies;  // per first copy: arrived - sent, ascending
};

// One a direction that carried a datagram, in order of the first.
std::vector<DeliveryStatistics> delivery_statistics(const Journal& journal);

// "min", "p50", "p90", "p99", "max" of ascending values, by nearest rank: pN is the smallest value
// that at least N percent do not exceed. Empty if there are no values.
std::map<std::string, Duration> latency_quantiles(const std::vector<Duration>& ascending);

}  // namespace netrig
