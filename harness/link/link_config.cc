#include "harness/link/link_config.h"

#include <algorithm>

namespace netrig {
namespace {

// The first fault that has nothing to do with rules and changes.
std::string first_parameter(const LinkConfig& config, Transport transport) {
  if (config.delay != Range<Duration>{} || config.distribution) return "delay";
  if (config.loss.ppm != 0 || config.gemodel || config.loss_states) return "loss";
  if (config.duplicate.ppm != 0) return "duplicate";
  if (config.corrupt.ppm != 0) return "corrupt";
  if (config.reorder.ppm != 0) return "reorder";
  if (config.rate != 0) return "rate";
  if (config.trace) return "trace";
  return config.mtu != 0 && transport == Transport::kTcp ? "mtu" : "";
}

}  // namespace

bool LinkConfig::is_transparent() const {
  return rules.empty() && changes.empty() && first_parameter(*this, Transport::kTcp).empty();
}

std::string LinkConfig::first_fault(Transport transport) const {
  if (std::string fault = first_parameter(*this, transport); !fault.empty()) return fault;
  const bool rule = std::ranges::any_of(
      rules, [&](const LinkRule& each) { return !each.match || *each.match == transport; });
  if (rule) return "a rule";
  for (const LinkChange& change : changes) {
    if (change.cut == true) return "a partition";
    std::string fault;
    if (change.parameters) fault = first_parameter(*change.parameters, transport);
    if (!fault.empty()) return fault;
  }
  return "";
}

bool LinkConfig::may_mark() const {
  const auto marks = [](const LinkConfig& config) { return config.codel && config.codel->ecn; };
  return marks(*this) ||
         std::ranges::any_of(
             rules, [](const LinkRule& rule) { return rule.action == LinkRule::Action::kMark; }) ||
         std::ranges::any_of(changes, [&](const LinkChange& change) {
           return change.parameters && marks(*change.parameters);
         });
}

bool LinkConfig::has_memory() const {
  return gemodel || loss_states || reorder_gap != 0 || loss_correlation.ppm != 0 ||
         duplicate_correlation.ppm != 0 || corrupt_correlation.ppm != 0 ||
         reorder_correlation.ppm != 0 || (distribution && distribution->correlation.ppm != 0);
}

}  // namespace netrig
