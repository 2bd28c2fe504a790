#include <fmt/format.h>
#include <map>

#include "harness/scenario/expand.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/outline.h"
#include "harness/scenario/suggest.h"

namespace netrig {

namespace {

using Pair = std::pair<std::string, std::string>;

constexpr int kLevels = 3;  // "*", "a <-> b", "a -> b": the later ones win

// One direction and the members of "network" that speak of it, by level.
struct Direction {
  Pair hosts;
  const Member* sources[kLevels] = {};
};

class NetworkExpansion {
 public:
  NetworkExpansion(const Outline& outline, std::vector<Diagnostic>& mistakes)
      : outline_(outline), mistakes_(mistakes) {}

  void add(const Member& member) {
    const std::optional<Arrow> arrow = parse_arrow(member.key);
    if (member.key == "*") {
      add_all(member);
    } else if (!arrow || arrow->kind == "-x") {
      kept_.push_back(member);  // told by the table's check
    } else if (is_known(*arrow, member.key_at)) {
      const int level = arrow->kind == "<->" ? 1 : 2;
      add_pair({arrow->from, arrow->to}, level, member);
      if (level == 1) add_pair({arrow->to, arrow->from}, level, member);
    }
  }

  std::vector<Member> take() {
    std::vector<Member> members;
    for (const Direction& direction : directions_) members.push_back(merged(direction));
    for (Member& member : kept_) members.push_back(std::move(member));
    return members;
  }

 private:
  bool is_known(const Arrow& arrow, Location at) {
    for (const std::string& host : {arrow.from, arrow.to}) {
      if (outline_.has_host(host)) continue;
      Diagnostic unknown = unknown_among(at, "host", host, outline_.hosts, mistakes_.size());
      if (const ActorOutline* actor = outline_.find(host)) {
        unknown.details = {fmt::format("the actor '{}' is on the host '{}'", host, actor->host)};
      }
      mistakes_.push_back(std::move(unknown));
      return false;
    }
    if (arrow.from != arrow.to) return true;
    mistakes_.push_back({at, "a host's packets to itself do not cross the network", {}});
    return false;
  }

  void add_all(const Member& member) {
    const std::vector<std::string>& hosts = outline_.hosts;
    if (hosts.size() * (hosts.size() - 1) > kLinksMax) {
      mistakes_.push_back({member.key_at,
                           fmt::format("{} hosts have too many directions, {} are the limit",
                                       hosts.size(), kLinksMax),
                           {}});
      return;
    }
    for (const std::string& from : hosts) {
      for (const std::string& to : hosts) {
        if (from != to) add_pair({from, to}, 0, member);
      }
    }
  }

  void add_pair(const Pair& hosts, int level, const Member& member) {
    auto [entry, fresh] = index_.emplace(hosts, directions_.size());
    if (fresh) directions_.push_back({hosts, {}});
    const Member*& source = directions_[entry->second].sources[level];
    if (source != nullptr) {
      mistakes_.push_back({member.key_at,
                           fmt::format("'{} -> {}' is described twice", hosts.first, hosts.second),
                           {fmt::format("the other is in line {}", source->key_at.line)}});
      return;
    }
    source = &member;
  }

  static Member merged(const Direction& direction) {
    std::map<std::string, const Member*> values;
    Location at;
    Location key_at;
    for (const Member* source : direction.sources) {
      if (source == nullptr) continue;
      at = source->value.at;
      key_at = source->key_at;
      for (const Member& member : source->value.members) {
        // These two exclude each other: the later one is meant.
        if (member.key == "rate" && source->value.find("trace") == nullptr) values.erase("trace");
        if (member.key == "trace" && source->value.find("rate") == nullptr) values.erase("rate");
        values[member.key] = &member;
      }
    }
    std::vector<Member> members;
    for (const KeyFormat& key : format_of(Part::kLink).keys) {
      if (auto found = values.extract(key.name)) members.push_back(*found.mapped());
    }
    return {fmt::format("{} -> {}", direction.hosts.first, direction.hosts.second), key_at,
            object_node(std::move(members), at)};
  }

  const Outline& outline_;
  std::vector<Diagnostic>& mistakes_;
  std::vector<Direction> directions_;
  std::map<Pair, size_t> index_;
  std::vector<Member> kept_;
};

}  // namespace

namespace {

bool is_link(const Member& member) {
  return member.key == "*" || parse_arrow(member.key).has_value();
}

// The links among the members of `object` become one a direction, before what else it holds.
void expand_links(Node& object, const Outline& outline, std::vector<Diagnostic>& mistakes) {
  NetworkExpansion expansion(outline, mistakes);
  std::vector<Member> others;
  for (const Member& member : object.members) {
    if (is_link(member)) {
      expansion.add(member);
    } else {
      others.push_back(member);
    }
  }
  std::vector<Member> members = expansion.take();
  members.insert(members.end(), others.begin(), others.end());
  object.members = std::move(members);
}

}  // namespace

void expand_network(Node& root, std::vector<Diagnostic>& mistakes) {
  Member* network = root.find("network");
  if (network == nullptr || network->value.kind != Node::Kind::kObject) return;
  const Outline outline = outline_of(root);
  expand_links(network->value, outline, mistakes);
  Member* events = network->value.find("events");
  if (events == nullptr) return;
  size_t links = 0;
  for (Node& event : events->value.elements) {
    Member* set = event.find("set");
    if (set == nullptr || set->value.kind != Node::Kind::kObject) continue;
    expand_links(set->value, outline, mistakes);
    links += set->value.members.size();
    if (links <= kLinkChangesMax) continue;
    mistakes.push_back(
        {set->key_at, fmt::format("more than {} changes of links", kLinkChangesMax), {}});
    return;
  }
}

Node text_node(std::string text, Location at) {
  Node node;
  node.at = at;
  node.kind = Node::Kind::kString;
  node.string = std::move(text);
  return node;
}

Node integer_node(int64_t value, Location at) {
  Node node;
  node.at = at;
  node.kind = Node::Kind::kInteger;
  node.integer = value;
  return node;
}

Node object_node(std::vector<Member> members, Location at) {
  Node node;
  node.at = at;
  node.kind = Node::Kind::kObject;
  node.members = std::move(members);
  return node;
}

Node array_node(std::vector<Node> elements, Location at) {
  Node node;
  node.at = at;
  node.kind = Node::Kind::kArray;
  node.elements = std::move(elements);
  return node;
}

}  // namespace netrig
