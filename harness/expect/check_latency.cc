// How long the datagrams of one direction were under way.

#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/expect/checks.h"
#include "harness/expect/directions.h"

namespace netrig {

Findings check_latency(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<LatencyExpectation>(expectation.what);
  const std::vector<DeliveryStatistics>& all = evidence.run()->delivery;
  const DeliveryStatistics statistics = statistics_between(all, expected.from, expected.to);
  const std::map<std::string, Duration> got = latency_quantiles(statistics.latencies);
  if (got.empty()) {
    return {finding_at(
        expectation.at,
        fmt::format("expected datagrams from {} to {}, none arrived", expected.from, expected.to),
        {statistics.sent > 0 ? fmt::format("lost {0} of {0}", statistics.sent)
                             : nothing_went(all, expected.from, expected.to)})};
  }
  std::string summary;
  for (const char* name : {"min", "p50", "p90", "p99", "max"}) {
    summary +=
        fmt::format("{}{} {}", summary.empty() ? "" : ", ", name, format_duration(got.at(name)));
  }
  summary += fmt::format(" of {}", plural(statistics.latencies.size(), "datagram"));

  Findings findings;
  for (const auto& [name, range] : expected.quantiles) {
    const auto value = got.find(name);
    const Range<Duration> allowed = evidence.time_scale().upper_bound(range.range);
    if (value == got.end()) {
      findings.push_back(finding_at(range.at, fmt::format("'{}' is no quantile", name)));
    } else if (!allowed.contains(value->second)) {
      std::vector<std::string> details = scaled_note(evidence);
      details.push_back(summary);
      findings.push_back(
          finding_at(range.at,
                     fmt::format("expected a latency of {} ({}), got {}", format_range(allowed),
                                 name, format_duration(value->second)),
                     std::move(details)));
    }
  }
  return findings;
}

}  // namespace netrig
