// What became of the datagrams of one direction, counted.

#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/expect/checks.h"
#include "harness/expect/directions.h"

namespace netrig {

namespace {

struct CountKey {
  std::string_view name;
  uint64_t DeliveryStatistics::* count;
};
constexpr CountKey kCounts[] = {
    {"sent", &DeliveryStatistics::sent},
    {"delivered", &DeliveryStatistics::delivered},
    {"lost", &DeliveryStatistics::lost},
    {"reordered", &DeliveryStatistics::reordered},
    {"duplicated", &DeliveryStatistics::duplicated},
    {"corrupted", &DeliveryStatistics::corrupted},
};

// "lost 199 of 1000, longest run 4, first #3; reordered 48".
std::string summary(const DeliveryStatistics& statistics) {
  std::string text = fmt::format("lost {} of {}", statistics.lost, statistics.sent);
  if (!statistics.lost_ordinals.empty()) {
    text += fmt::format(", longest run {}, first #{}", statistics.longest_loss_run,
                        statistics.lost_ordinals.front());
  }
  text += fmt::format("; reordered {}", statistics.reordered);
  if (statistics.duplicated > 0) text += fmt::format("; duplicated {}", statistics.duplicated);
  if (statistics.corrupted > 0) text += fmt::format("; corrupted {}", statistics.corrupted);
  return text;
}

}  // namespace

Findings check_delivery(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<DeliveryExpectation>(expectation.what);
  const std::vector<DeliveryStatistics>& all = evidence.run()->delivery;
  const DeliveryStatistics statistics = statistics_between(all, expected.from, expected.to);
  Findings findings;
  for (const CountKey& key : kCounts) {
    const auto wanted = expected.counts.find(std::string(key.name));
    if (wanted == expected.counts.end()) continue;
    const CountRange& range = wanted->second;
    const auto got = static_cast<int64_t>(statistics.*key.count);
    if (range.range.contains(got)) continue;
    const bool is_one = range.range == Range<int64_t>{1, 1};
    findings.push_back(
        finding_at(range.at,
                   fmt::format("expected {} {} {}, got {}", format_range(range.range),
                               is_one ? "datagram" : "datagrams", key.name, got),
                   {statistics.sent > 0 ? summary(statistics)
                                        : nothing_went(all, expected.from, expected.to)}));
  }
  return findings;
}

}  // namespace netrig
