// How long it took from the first packet of one kind to the next packet of another.

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/expect/checks.h"

namespace netrig {

Findings check_time(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<TimeExpectation>(expectation.what);
  const auto from = evidence.packets(expected.from);
  if (!from) return {finding_at(expectation.at, from.error())};
  const auto to = evidence.packets(expected.to);
  if (!to) return {finding_at(expectation.at, to.error())};
  if ((*from)->empty()) {
    return {
        finding_at(expectation.at, fmt::format("expected a '{}' packet, got none", expected.from))};
  }
  const size_t first = (*from)->front();
  const auto next = std::ranges::upper_bound(**to, first);
  if (next == (*to)->end()) {
    return {finding_at(expectation.at,
                       fmt::format("expected a '{}' packet after the first '{}', got none",
                                   expected.to, expected.from),
                       {evidence.packet_line(first)})};
  }
  const std::vector<CapturedPacket>& packets = (*evidence.recording())->packets;
  const Duration taken{packets[*next].time_ns - packets[first].time_ns};
  const Range<Duration> allowed = evidence.time_scale().upper_bound(expected.is.range);
  if (allowed.contains(taken)) return {};
  std::vector<std::string> details = scaled_note(evidence);
  details.push_back(evidence.packet_line(first));
  details.push_back(evidence.packet_line(*next));
  return {finding_at(expected.is.at,
                     fmt::format("expected {} from '{}' to '{}', got {}", format_range(allowed),
                                 expected.from, expected.to, format_duration(taken)),
                     std::move(details))};
}

}  // namespace netrig
