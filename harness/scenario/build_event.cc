#include "harness/scenario/build_event.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "harness/scenario/expand.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

// A partition of one direction; it may be healed before its end.
struct Cut {
  Duration begin{0};
  Duration end = Duration::max();
};

struct Event {
  Duration at{0};
  const Node* node = nullptr;
};

// Later members replace those of the same key; a rate and a trace replace each other.
void overlay(std::vector<Member>& members, const Node& changed) {
  for (const Member& change : changed.members) {
    const std::string displaced = change.key == "rate"    ? "trace"
                                  : change.key == "trace" ? "rate"
                                                          : "";
    std::erase_if(members, [&](const Member& member) {
      return member.key == change.key || (!displaced.empty() && member.key == displaced);
    });
    members.push_back(change);
  }
}

// The instants at which a direction with these cuts begins and ceases to be cut.
std::vector<LinkChange> changes_by(std::vector<Cut> cuts) {
  std::ranges::stable_sort(cuts, {}, &Cut::begin);
  std::vector<Cut> merged;
  for (const Cut& cut : cuts) {
    if (cut.end <= cut.begin) continue;
    if (!merged.empty() && cut.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, cut.end);
    } else {
      merged.push_back(cut);
    }
  }
  std::vector<LinkChange> changes;
  for (const Cut& cut : merged) {
    changes.push_back({.at = cut.begin, .cut = true});
    if (cut.end != Duration::max()) changes.push_back({.at = cut.end, .cut = false});
  }
  return changes;
}

class EventsBuilder {
 public:
  EventsBuilder(Reading& reading, std::map<HostPair, std::vector<Member>> links, LinkFiles& files)
      : reading_(reading), links_(std::move(links)), files_(files) {}

  void add(const Event& event) {
    if (const Node* sides = value_of(*event.node, "partition")) {
      Cut cut{.begin = event.at};
      if (const Node* lasting = value_of(*event.node, "for")) {
        const Duration time = build_duration(reading_, *lasting);
        cut.end = time > Duration::max() - cut.begin ? Duration::max() : cut.begin + time;
        if (time == Duration{0}) {
          reading_.mistake(lasting->at, "a partition for no time cuts nothing");
        }
      }
      for (const HostPair& pair : pairs_between(*sides)) {
        if (has_room(sides->at)) cuts_[pair].push_back(cut);
      }
    } else if (const Node* healed = value_of(*event.node, "heal")) {
      heal(event.at, *healed);
    } else if (const Node* set = value_of(*event.node, "set")) {
      for (const Member& link : set->members) change(event.at, link);
    }
  }

  std::map<HostPair, std::vector<LinkChange>> take() {
    for (auto& [pair, cuts] : cuts_) {
      std::ranges::move(changes_by(std::move(cuts)), std::back_inserter(changes_[pair]));
    }
    for (auto& [pair, changes] : changes_) {
      std::ranges::stable_sort(changes, {}, &LinkChange::at);
    }
    return std::move(changes_);
  }

 private:
  bool has_room(Location at) {
    if (++made_ <= kLinkChangesMax) return true;
    if (made_ == kLinkChangesMax + 1) {
      reading_.mistake(at, fmt::format("more than {} changes of links", kLinkChangesMax));
    }
    return false;
  }

  // Both directions between hosts of different elements.
  std::vector<HostPair> pairs_between(const Node& sides) {
    std::vector<std::vector<std::string>> groups;
    std::set<std::string> seen;
    for (const Node& side : sides.elements) {
      std::vector<std::string>& group = groups.emplace_back();
      const bool single = side.kind != Node::Kind::kArray;
      const std::vector<Node> one = {side};
      for (const Node& host : single ? one : side.elements) {
        if (!reading_.outline().has_host(host.string)) {
          reading_.unknown(host.at, "host", host.string, reading_.outline().hosts);
        } else if (!seen.insert(host.string).second) {
          reading_.mistake(host.at, fmt::format("'{}' cannot be on two sides", host.string));
        } else {
          group.push_back(host.string);
        }
      }
    }
    if (groups.size() < 2) {
      reading_.mistake(sides.at, "two sides are needed at least", {"[\"client\", \"server\"]"});
    }
    if (seen.size() * seen.size() > kLinksMax) {
      reading_.mistake(sides.at, fmt::format("{} hosts have too many directions, {} are the limit",
                                             seen.size(), kLinksMax));
      return {};
    }
    std::vector<HostPair> pairs;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t j = 0; j < groups.size(); ++j) {
        if (i == j) continue;
        for (const std::string& from : groups[i]) {
          for (const std::string& to : groups[j]) pairs.emplace_back(from, to);
        }
      }
    }
    return pairs;
  }

  void heal(Duration at, const Node& healed) {
    bool any = false;
    auto end = [&](std::vector<Cut>& cuts) {
      for (Cut& cut : cuts) {
        if (cut.end <= at) continue;
        cut.end = at;
        any = true;
      }
    };
    if (healed.kind == Node::Kind::kArray) {
      for (const HostPair& pair : pairs_between(healed)) {
        if (const auto found = cuts_.find(pair); found != cuts_.end()) end(found->second);
      }
    } else {
      for (auto& [pair, cuts] : cuts_) end(cuts);
    }
    if (!any) reading_.mistake(healed.at, "nothing is cut then that could be healed");
  }

  void change(Duration at, const Member& link) {
    const std::optional<Arrow> arrow = parse_arrow(link.key);
    if (!arrow || arrow->kind != "->") return;  // told by expand_network() or the table's check
    if (!has_room(link.key_at)) return;
    const HostPair pair(arrow->from, arrow->to);
    std::vector<Member>& members = links_[pair];
    overlay(members, link.value);
    const Node whole = object_node(members, link.value.at);
    changes_[pair].push_back(
        {.at = at,
         .parameters = std::make_shared<const LinkConfig>(build_link(reading_, whole, files_))});
  }

  Reading& reading_;
  std::map<HostPair, std::vector<Member>> links_;
  LinkFiles& files_;
  std::map<HostPair, std::vector<Cut>> cuts_;
  std::map<HostPair, std::vector<LinkChange>> changes_;
  size_t made_ = 0;
};

}  // namespace

std::map<HostPair, std::vector<LinkChange>> build_events(
    Reading& reading, const Node& events, std::map<HostPair, std::vector<Member>> links,
    LinkFiles& files) {
  std::vector<Event> sorted;
  for (const Node& node : events.elements) {
    const Node* at = value_of(node, "at");
    if (at == nullptr) continue;  // told by the table's check
    sorted.push_back({build_duration(reading, *at), &node});
  }
  std::ranges::stable_sort(sorted, {}, &Event::at);
  EventsBuilder builder(reading, std::move(links), files);
  for (const Event& event : sorted) builder.add(event);
  return builder.take();
}

}  // namespace netrig
