#pragma once
// Finding a direction's numbers among those of a run: for delivery and latency.

#include <string>
#include <vector>

#include "harness/run/delivery.h"

namespace netrig {

// All zero if nothing went that way.
DeliveryStatistics statistics_between(const std::vector<DeliveryStatistics>& all,
                                      const std::string& from, const std::string& to);

// "no datagram went from a to b; there were some from b to a".
std::string nothing_went(const std::vector<DeliveryStatistics>& all, const std::string& from,
                         const std::string& to);

}  // namespace netrig
