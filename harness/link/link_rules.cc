#include "harness/link/link_rules.h"

#include "harness/link/sending_time.h"

namespace netrig {
namespace {

bool matches(const LinkRule& rule, const OfferedPacket& packet) {
  if (!packet.transport || (rule.match && rule.match != packet.transport)) return false;
  if (rule.port && rule.port != packet.service_port) return false;
  if (rule.flow && rule.flow != packet.flow_number) return false;
  return !rule.size || rule.size->contains(packet.payload_size);
}

// Whether the `count`-th packet that matches is one of those that are meant.
bool is_meant(const LinkRule& rule, uint64_t count) {
  if (rule.every == 0) return rule.nth.empty() || rule.nth.contains(count);
  const uint64_t place = (count - 1) % rule.every + 1;
  return rule.nth.empty() ? place == rule.every : rule.nth.contains(place);
}

}  // namespace

RuleOutcome RuleCounters::apply(const std::vector<LinkRule>& rules, const OfferedPacket& packet) {
  RuleOutcome outcome;
  counts_.resize(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    const LinkRule& rule = rules[i];
    if (!matches(rule, packet)) continue;
    uint64_t& count =
        rule.per_flow ? counts_[i].by_flow[{packet.service, packet.flow_number}] : counts_[i].all;
    if (!is_meant(rule, ++count)) continue;
    switch (rule.action) {
      case LinkRule::Action::kDrop:
        outcome.drop = true;
        break;
      case LinkRule::Action::kDuplicate:
        outcome.duplicate = true;
        break;
      case LinkRule::Action::kCorrupt:
        outcome.corrupt = true;
        break;
      case LinkRule::Action::kReorder:
        outcome.reorder = true;
        break;
      case LinkRule::Action::kDelay:
        outcome.delay = later(Instant{outcome.delay}, rule.delay).time_since_epoch();
        break;
      case LinkRule::Action::kMark:
        outcome.mark = true;
        break;
    }
  }
  return outcome;
}

}  // namespace netrig
