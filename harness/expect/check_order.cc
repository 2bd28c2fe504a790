// Kinds of packets in the order in which the file names them; whatever stands between is ignored.

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/expect/checks.h"

namespace netrig {

namespace {

constexpr size_t kSeenMax = 24;  // packets of the named kinds that are told

using Selected = std::map<std::string, const std::vector<size_t>*>;  // by kind

// "syn, syn_ack, ack|push": every packet of a named kind, by its names; those next to the break are
// kept.
std::string seen_sequence(const Selected& selected, size_t break_index) {
  std::map<size_t, std::string> names;  // by packet
  for (const auto& [kind, indices] : selected) {
    for (size_t index : *indices) {
      std::string& name = names[index];
      name += (name.empty() ? "" : "|") + kind;
    }
  }
  if (names.empty()) return "none of these packets";
  const auto break_at = std::distance(names.begin(), names.lower_bound(break_index));
  const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, break_at - kSeenMax / 2);
  std::string text = first > 0 ? "..." : "";
  size_t shown = 0;
  for (auto it = std::next(names.begin(), first); it != names.end(); ++it) {
    text += text.empty() ? "" : ", ";
    if (shown++ == kSeenMax) return text + "...";
    text += it->second;
  }
  return text;
}

// The packets that were found before `position` in `expected`, and why the next one was not.
Finding broken_order(const OrderExpectation& expected, size_t position,
                     const std::vector<size_t>& found, const Selected& selected, Location at,
                     Evidence& evidence) {
  const std::string& kind = expected.packets[position];
  const size_t from = found.empty() ? 0 : found.back() + 1;
  std::vector<std::string> details = {
      fmt::format("expected  {}", fmt::join(expected.packets, ", ")),
      fmt::format("got       {}", seen_sequence(selected, from))};
  std::string message = fmt::format("expected a '{}' packet, got none", kind);
  if (position > 0) {
    const std::string& before = expected.packets[position - 1];
    message = fmt::format("expected a '{}' packet after '{}' (number {} of {}), got none", kind,
                          before, position + 1, expected.packets.size());
    details.push_back(fmt::format("in order up to '{}':", before));
    details.push_back("  " + evidence.packet_line(found.back()));
  }
  const std::vector<size_t>& indices = *selected.at(kind);
  if (!found.empty() && !indices.empty() && indices.back() != found.back()) {
    details.push_back(fmt::format("the last '{}', too early:", kind));
    details.push_back("  " + evidence.packet_line(indices.back()));
  }
  return finding_at(at, std::move(message), std::move(details));
}

}  // namespace

Findings check_order(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<OrderExpectation>(expectation.what);
  Selected selected;
  for (const std::string& kind : expected.packets) {
    const auto indices = evidence.packets(kind);
    if (!indices) return {finding_at(expectation.at, indices.error())};
    selected[kind] = *indices;
  }
  // Taking the earliest packet for each name finds an order whenever there is one.
  std::vector<size_t> found;
  for (size_t i = 0; i < expected.packets.size(); ++i) {
    const std::vector<size_t>& indices = *selected.at(expected.packets[i]);
    const auto next = std::ranges::lower_bound(indices, found.empty() ? 0 : found.back() + 1);
    if (next == indices.end()) {
      const Location at = i < expected.places.size() ? expected.places[i] : expectation.at;
      return {broken_order(expected, i, found, selected, at, evidence)};
    }
    found.push_back(*next);
  }
  return {};
}

}  // namespace netrig
