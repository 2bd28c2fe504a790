#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "harness/scenario/build.h"
#include "harness/scenario/build_event.h"
#include "harness/scenario/build_link.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

std::optional<LinkRule::Action> action_from_name(std::string_view name) {
  if (name == "drop") return LinkRule::Action::kDrop;
  if (name == "duplicate") return LinkRule::Action::kDuplicate;
  if (name == "corrupt") return LinkRule::Action::kCorrupt;
  if (name == "reorder") return LinkRule::Action::kReorder;
  if (name == "mark") return LinkRule::Action::kMark;
  return std::nullopt;
}

uint64_t build_count(Reading& reading, const Node& node) {
  return static_cast<uint64_t>(
      build_integer(reading, node, 1, std::numeric_limits<int64_t>::max()));
}

void build_transport(Reading& reading, const Node& node, LinkRule& rule) {
  rule.match = transport_from_name(node.string);
  if (!rule.match) reading.malformed(node.at, "a transport is expected here");
}

void build_match(Reading& reading, const Node& node, LinkRule& rule) {
  if (node.kind != Node::Kind::kObject) return build_transport(reading, node, rule);
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "transport") {
      build_transport(reading, value, rule);
    } else if (key == "port") {
      rule.port = static_cast<uint16_t>(build_integer(reading, value, 1, 65'535));
    } else if (key == "flow") {
      rule.flow = build_count(reading, value);
    } else if (key == "size") {
      rule.size = build_integer_range(reading, value);
    }
  }
}

void build_nth(Reading& reading, const Node& node, const Node* every, LinkRule& rule) {
  if (every != nullptr) rule.every = build_count(reading, *every);
  const std::vector<Node> one = {node};
  for (const Node& nth : node.kind == Node::Kind::kArray ? node.elements : one) {
    rule.nth.insert(build_count(reading, nth));
    if (rule.every == 0 || *rule.nth.rbegin() <= rule.every) continue;
    reading.mistake(nth.at, fmt::format("the count begins anew after {} packets", rule.every));
  }
}

void build_action(Reading& reading, const Node& node, LinkRule& rule) {
  if (const Node* delay = value_of(node, "delay")) {
    rule.action = LinkRule::Action::kDelay;
    rule.delay = build_duration(reading, *delay);
  } else if (auto action = action_from_name(node.string)) {
    rule.action = *action;
  } else {
    reading.malformed(node.at, "what to do is expected here");
  }
}

LinkRule build_rule(Reading& reading, const Node& node) {
  LinkRule rule;
  const Node* every = value_of(node, "every");
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "match") {
      build_match(reading, value, rule);
    } else if (key == "nth") {
      build_nth(reading, value, every, rule);
    } else if (key == "every") {
      rule.every = build_count(reading, value);
    } else if (key == "per") {
      rule.per_flow = value.string == "flow";
    } else if (key == "do") {
      build_action(reading, value, rule);
    }
  }
  return rule;
}

class NetworkBuilder {
 public:
  explicit NetworkBuilder(Reading& reading) : reading_(reading), files_(reading) {}

  // Keys are "a -> b" alone: expand_network() was here before.
  void add_link(const Member& member) {
    const std::optional<Arrow> arrow = parse_arrow(member.key);
    if (!arrow || arrow->kind != "->") {
      return reading_.malformed(member.key_at, "a direction is expected here");
    }
    LinkSpec& link = link_of(member.key_at, *arrow);
    std::vector<LinkRule> rules = std::move(link.config.rules);
    link.config = build_link(reading_, member.value, files_);
    link.config.rules = std::move(rules);
    link.at = member.key_at;
    members_[{arrow->from, arrow->to}] = member.value.members;
  }

  void add_rule(const Node& node) {
    const Node* on = value_of(node, "on");
    const std::optional<Arrow> arrow = on == nullptr ? std::nullopt : parse_arrow(on->string);
    LinkRule rule = build_rule(reading_, node);
    if (!arrow || arrow->kind != "->") return reading_.malformed(node.at, "'on' needs a direction");
    bool known = true;
    for (const std::string& host : {arrow->from, arrow->to}) {
      if (reading_.outline().has_host(host)) continue;
      known = false;
      reading_.unknown(on->at, "host", host, reading_.outline().hosts);
    }
    if (known && arrow->from == arrow->to) {
      reading_.mistake(on->at, "a host's packets to itself do not cross the network");
    }
    if (known) link_of(on->at, *arrow).config.rules.push_back(std::move(rule));
  }

  // After all links.
  void add_events(const Node& events) {
    for (auto& [pair, changes] : build_events(reading_, events, members_, files_)) {
      LinkSpec& link = link_of(events.at, {pair.first, "->", pair.second});
      link.config.changes = std::move(changes);
    }
  }

  std::vector<LinkSpec> take() { return std::move(links_); }

 private:
  LinkSpec& link_of(Location at, const Arrow& arrow) {
    auto [entry, fresh] = index_.emplace(HostPair(arrow.from, arrow.to), links_.size());
    if (fresh) links_.push_back({at, arrow.from, arrow.to, {}});
    return links_[entry->second];
  }

  Reading& reading_;
  LinkFiles files_;
  std::vector<LinkSpec> links_;
  std::map<HostPair, size_t> index_;
  std::map<HostPair, std::vector<Member>> members_;  // of links, as the file has them
};

// Keys of the network that are no link.
bool is_setting(std::string_view key) {
  constexpr std::string_view kSettings[] = {"rules",   "events",     "capture",
                                            "tcp_ecn", "congestion", "segments"};
  return std::ranges::find(kSettings, key) != std::end(kSettings);
}

}  // namespace

std::vector<LinkSpec> build_network(Reading& reading, const Node& node) {
  NetworkBuilder builder(reading);
  for (const Member& member : node.members) {
    if (member.key == "rules") {
      for (const Node& rule : member.value.elements) builder.add_rule(rule);
    } else if (!is_setting(member.key)) {
      builder.add_link(member);
    }
  }
  if (const Node* events = value_of(node, "events")) builder.add_events(*events);
  return builder.take();
}

}  // namespace netrig
