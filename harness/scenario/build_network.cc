#include <fmt/format.h>
#include <limits>

#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

using Pair = std::pair<std::string, std::string>;

Probability build_probability(Reading& reading, const Node& node) {
  Parsed<Probability> value = parse_probability(node.string);
  if (value) return *value;
  reading.malformed(node.at, value.error());
  return {};
}

uint64_t build_rate(Reading& reading, const Node& node) {
  Parsed<uint64_t> value = parse_rate(node.string);
  if (value) return *value;
  reading.malformed(node.at, value.error());
  return 0;
}

LinkConfig build_link(Reading& reading, const Node& node) {
  LinkConfig config;
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "delay") {
      config.delay = build_duration_range(reading, value);
      if (config.delay.high == Duration::max()) {
        reading.mistake(value.at, "a delay without an upper end");
        config.delay.high = config.delay.low;
      }
    } else if (key == "loss") {
      config.loss = build_probability(reading, value);
    } else if (key == "duplicate") {
      config.duplicate = build_probability(reading, value);
    } else if (key == "corrupt") {
      config.corrupt = build_probability(reading, value);
    } else if (key == "reorder") {
      config.reorder = build_probability(reading, value);
    } else if (key == "rate") {
      config.rate = build_rate(reading, value);
    } else if (key == "queue") {
      config.queue_packets = static_cast<uint32_t>(build_integer(reading, value, 1, 1'000'000));
    } else if (key == "mtu") {
      config.mtu = static_cast<uint32_t>(build_integer(reading, value, 576, 65'535));
    }
  }
  return config;
}

std::optional<LinkRule::Action> action_from_name(std::string_view name) {
  if (name == "drop") return LinkRule::Action::kDrop;
  if (name == "duplicate") return LinkRule::Action::kDuplicate;
  if (name == "corrupt") return LinkRule::Action::kCorrupt;
  if (name == "reorder") return LinkRule::Action::kReorder;
  return std::nullopt;
}

LinkRule build_rule(Reading& reading, const Node& node) {
  LinkRule rule;
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "match") {
      rule.match = transport_from_name(value.string);
      if (!rule.match) reading.malformed(value.at, "a transport is expected here");
    } else if (key == "nth") {
      std::vector<Node> one = {value};
      for (const Node& nth : value.kind == Node::Kind::kArray ? value.elements : one) {
        rule.nth.insert(static_cast<uint64_t>(
            build_integer(reading, nth, 1, std::numeric_limits<int64_t>::max())));
      }
    } else if (key == "do") {
      const Node* delay = value_of(value, "delay");
      if (delay != nullptr) {
        rule.action = LinkRule::Action::kDelay;
        rule.delay = build_duration(reading, *delay);
      } else if (auto action = action_from_name(value.string)) {
        rule.action = *action;
      } else {
        reading.malformed(value.at, "what to do is expected here");
      }
    }
  }
  return rule;
}

class NetworkBuilder {
 public:
  explicit NetworkBuilder(Reading& reading) : reading_(reading) {}

  // Keys are "a -> b" alone: expand_network() was here before.
  void add_link(const Member& member) {
    const std::optional<Arrow> arrow = parse_arrow(member.key);
    if (!arrow || arrow->kind != "->") {
      return reading_.malformed(member.key_at, "a direction is expected here");
    }
    LinkSpec& link = link_of(member.key_at, *arrow);
    const std::vector<LinkRule> rules = std::move(link.config.rules);
    link.config = build_link(reading_, member.value);
    link.config.rules = rules;
    link.at = member.key_at;
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

  std::vector<LinkSpec> take() { return std::move(links_); }

 private:
  LinkSpec& link_of(Location at, const Arrow& arrow) {
    auto [entry, fresh] = index_.emplace(Pair(arrow.from, arrow.to), links_.size());
    if (fresh) links_.push_back({at, arrow.from, arrow.to, {}});
    return links_[entry->second];
  }

  Reading& reading_;
  std::vector<LinkSpec> links_;
  std::map<Pair, size_t> index_;
};

}  // namespace

std::vector<LinkSpec> build_network(Reading& reading, const Node& node) {
  NetworkBuilder builder(reading);
  for (const Member& member : node.members) {
    if (member.key == "capture") continue;
    if (member.key != "rules") {
      builder.add_link(member);
      continue;
    }
    for (const Node& rule : member.value.elements) builder.add_rule(rule);
  }
  return builder.take();
}

}  // namespace netrig
