#include "harness/expect/directions.h"

#include <algorithm>
#include <fmt/format.h>

namespace netrig {

DeliveryStatistics statistics_between(const std::vector<DeliveryStatistics>& all,
                                      const std::string& from, const std::string& to) {
  const std::string direction = fmt::format("{} -> {}", from, to);
  const auto found = std::ranges::find(all, direction, &DeliveryStatistics::direction);
  if (found != all.end()) return *found;
  DeliveryStatistics nothing;
  nothing.direction = direction;
  return nothing;
}

std::string nothing_went(const std::vector<DeliveryStatistics>& all, const std::string& from,
                         const std::string& to) {
  std::string text = fmt::format("no datagram went from {} to {}", from, to);
  for (size_t i = 0; i < all.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "; datagrams went: " : ", ", all[i].direction);
  }
  return text;
}

}  // namespace netrig
