// How many packets of a kind were captured, and how many octets they carried.

#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/expect/checks.h"
#include "harness/net/packet.h"

namespace netrig {

namespace {

// By the length fields: a snap length does not change what was sent.
int64_t payload_octets(const Recording& recording, const std::vector<size_t>& indices) {
  int64_t octets = 0;
  for (size_t index : indices) {
    const std::expected<Packet, std::string> packet = decode_packet(recording.packets[index].data);
    if (packet) octets += packet->payload_length;
  }
  return octets;
}

std::vector<std::string> what_was_captured(const std::string& kind,
                                           const std::vector<size_t>& indices, Evidence& evidence) {
  std::vector<std::string> details;
  if (evidence.scenario().packets.contains(kind)) {
    details.push_back(fmt::format("filter: {}", evidence.filter_text(kind).value_or("")));
  }
  for (std::string& line : evidence.packet_lines(indices)) details.push_back(std::move(line));
  if (indices.empty()) {
    details.push_back(fmt::format("none of {} is one",
                                  plural((*evidence.recording())->packets.size(), "packet")));
  }
  return details;
}

}  // namespace

Findings check_capture(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<CaptureExpectation>(expectation.what);
  const auto selected = evidence.packets(expected.packets);
  if (!selected) return {finding_at(expectation.at, selected.error())};
  const std::vector<size_t>& indices = **selected;

  Findings findings;
  const auto count = static_cast<int64_t>(indices.size());
  if (expected.count && !expected.count->range.contains(count)) {
    const bool is_one = expected.count->range == Range<int64_t>{1, 1};
    findings.push_back(finding_at(
        expected.count->at,
        fmt::format("expected {} '{}' {} captured, got {}", format_range(expected.count->range),
                    expected.packets, is_one ? "packet" : "packets", count),
        what_was_captured(expected.packets, indices, evidence)));
  }
  if (!expected.bytes) return findings;
  const int64_t octets = payload_octets(**evidence.recording(), indices);
  if (expected.bytes->range.contains(octets)) return findings;
  findings.push_back(
      finding_at(expected.bytes->at,
                 fmt::format("expected {} octets of payload in '{}' packets, got {}",
                             format_range(expected.bytes->range), expected.packets, octets),
                 what_was_captured(expected.packets, indices, evidence)));
  return findings;
}

}  // namespace netrig
