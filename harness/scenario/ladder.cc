#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "harness/base/quantity.h"
#include "harness/scenario/expand.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/outline.h"
#include "harness/scenario/suggest.h"

namespace netrig {

namespace {

struct Rung {
  size_t number = 0;  // from 1
  Location at;        // of "a -> b"
  const ActorOutline* from = nullptr;
  const ActorOutline* to = nullptr;
  const Node* payload = nullptr;
  const Member* takes = nullptr;
  const Node* note = nullptr;
  bool dropped = false;  // "a -x b"
  Duration flight{0};
};

// A datagram that its receiver has not taken yet.
struct UnderWay {
  const Rung* rung = nullptr;
  std::string sent_by_step;
};

class LadderExpansion {
 public:
  LadderExpansion(const Outline& outline, bool sound, std::vector<Diagnostic>& mistakes)
      : outline_(outline), sound_(sound), mistakes_(mistakes) {}

  void read(const Node& ladder);
  void expand();
  void write(Node& root);

 private:
  void mistake(Location at, std::string message, std::vector<std::string> details = {}) {
    mistakes_.push_back({at, std::move(message), std::move(details)});
  }
  const ActorOutline* find_actor(const std::string& name, Location at);
  bool read_rung(const Node& node, Rung& rung);
  bool can_cross(const Rung& rung);
  bool is_lossy(const Rung& rung) const;
  void add_rules(const Rung& rung);
  std::string add_send(const Rung& rung);
  void add_receive(const Rung& rung, const std::string& sent_by_step);
  void add_barrier(const Rung& rung, std::vector<const ActorOutline*> parties);
  void receive_until(const ActorOutline* receiver, Duration until);
  // A program or a relay does what it does: its half of a rung is only awaited by others.
  void add_step(const ActorOutline& actor, Node step) {
    if (actor.kind == ActorOutline::Kind::kActor) steps_[actor.name].push_back(std::move(step));
  }

  const Outline& outline_;
  bool sound_;
  std::vector<Diagnostic>& mistakes_;
  std::vector<Rung> rungs_;
  std::map<std::string, std::vector<Node>> steps_;
  std::vector<Node> rules_;
  // By receiver, then by arrival; what arrives together in order of sending.
  std::map<std::string, std::multimap<Duration, UnderWay>> under_way_;
  Duration now_{0};
  std::map<std::tuple<std::string, std::string, Transport>, int64_t> datagrams_;  // sent so far
  std::map<std::string, std::string> last_sender_;  // to a bound socket: whom it would answer
  std::map<std::string, Location> needs_address_;   // connected unix_dgram actors that get answers
};

const Node* find_value(const Node& node, std::string_view key) {
  const Member* member = node.find(key);
  return member == nullptr ? nullptr : &member->value;
}

const ActorOutline* LadderExpansion::find_actor(const std::string& name, Location at) {
  const ActorOutline* actor = outline_.find(name);
  if (actor != nullptr) return actor;
  mistakes_.push_back(unknown_among(at, "actor", name, outline_.actor_names, mistakes_.size()));
  return nullptr;
}

void LadderExpansion::read(const Node& ladder) {
  for (size_t i = 0; i < ladder.elements.size() && mistakes_.size() < 1000; ++i) {
    Rung rung;
    rung.number = i + 1;
    if (read_rung(ladder.elements[i], rung)) rungs_.push_back(rung);
  }
}

bool LadderExpansion::read_rung(const Node& node, Rung& rung) {
  std::optional<Arrow> arrow;
  for (const Member& member : node.members) {
    std::optional<Arrow> found = parse_arrow(member.key);
    if (!found || arrow) continue;
    arrow = found;
    rung.at = member.key_at;
    rung.payload = &member.value;
  }
  if (!arrow || arrow->kind == "<->") return false;
  rung.dropped = arrow->kind == "-x";
  rung.takes = node.find("takes");
  rung.note = find_value(node, "note");
  rung.from = find_actor(arrow->from, rung.at);
  rung.to = find_actor(arrow->to, rung.at);
  if (rung.takes != nullptr) {
    Parsed<Duration> flight = parse_duration(rung.takes->value.string);
    if (flight) rung.flight = *flight;
  }
  return rung.from != nullptr && rung.to != nullptr && can_cross(rung);
}

// Whether something that `from` sends can come to `to` at all.
bool LadderExpansion::can_cross(const Rung& rung) {
  const ActorOutline& from = *rung.from;
  const ActorOutline& to = *rung.to;
  if (&from == &to) {
    mistake(rung.at, fmt::format("'{}' sends to itself", from.name));
    return false;
  }
  if (!sound_) return true;
  const bool datagrams = to.opening == Opening::kBind && from.opening == Opening::kBind;
  auto connects = [](const ActorOutline& a, const ActorOutline& b) {
    return a.opening == Opening::kConnect && a.peer == b.name;
  };
  if (!datagrams && !connects(from, to) && !connects(to, from)) {
    mistake(rung.at, fmt::format("'{}' and '{}' are not connected", from.name, to.name),
            {fmt::format("one of them needs \"connect\" with the other's name")});
    return false;
  }
  if (is_lossy(rung)) {
    const bool faulty = rung.dropped || rung.takes != nullptr;
    if (!faulty || from.host != to.host) return true;
    mistake(rung.at, fmt::format("'{}' and '{}' are on one host, with no network between",
                                 from.name, to.name));
    return false;
  }
  if (rung.dropped) {
    mistake(rung.at, "a stream loses nothing: '-x' is for datagrams",
            {"faults below a stream are the network's: \"network\": { \"rules\": [...] }"});
  } else if (rung.takes != nullptr) {
    mistake(rung.takes->key_at, "'takes' is for datagrams: a stream has no messages",
            {"\"network\" delays the packets of a stream"});
  }
  return true;
}

bool LadderExpansion::is_lossy(const Rung& rung) const {
  const std::optional<Transport>& transport = rung.from->transport;
  return transport == Transport::kUdp || transport == Transport::kUnixDgram;
}

void LadderExpansion::expand() {
  for (size_t i = 0; i < rungs_.size(); ++i) {
    const Rung& rung = rungs_[i];
    const ActorOutline* next = i + 1 < rungs_.size() ? rungs_[i + 1].from : nullptr;
    receive_until(rung.from, Duration::max());
    add_rules(rung);
    const std::string step = add_send(rung);
    std::vector<const ActorOutline*> parties = {rung.from};
    const bool flies = rung.takes != nullptr && is_lossy(rung);
    if (rung.dropped) {
      // Nobody receives it.
    } else if (flies) {
      const Duration room = Duration::max() - now_;
      under_way_[rung.to->name].emplace(now_ + std::min(rung.flight, room), UnderWay{&rung, step});
      if (next == rung.to) next = nullptr;  // waits for the datagram itself
    } else {
      receive_until(rung.to, now_);
      add_receive(rung, step);
      parties.push_back(rung.to);
    }
    // Who acts next must know that this rung is over, even if it took no part in it.
    if (next != nullptr && std::find(parties.begin(), parties.end(), next) == parties.end()) {
      parties.push_back(next);
    }
    add_barrier(rung, parties);
  }
  for (const ActorOutline& actor : outline_.actors) receive_until(&actor, Duration::max());
}

// The receiver takes what has arrived by then.
void LadderExpansion::receive_until(const ActorOutline* receiver, Duration until) {
  std::multimap<Duration, UnderWay>& arriving = under_way_[receiver->name];
  while (!arriving.empty() && arriving.begin()->first <= until) {
    auto datagram = arriving.extract(arriving.begin());
    add_receive(*datagram.mapped().rung, datagram.mapped().sent_by_step);
    now_ = std::max(now_, datagram.key());
  }
}

void LadderExpansion::add_rules(const Rung& rung) {
  if (!is_lossy(rung)) return;
  const Transport transport = *rung.from->transport;
  const int64_t nth = ++datagrams_[{rung.from->host, rung.to->host, transport}];
  auto add = [&](Node what, Location at) {
    rules_.push_back(object_node(
        {{"on", at, text_node(fmt::format("{} -> {}", rung.from->host, rung.to->host), at)},
         {"match", at, text_node(std::string(transport_name(transport)), at)},
         {"nth", at, integer_node(nth, at)},
         {"do", at, std::move(what)}},
        at));
  };
  if (rung.dropped) add(text_node("drop", rung.at), rung.at);
  if (rung.takes != nullptr && !rung.dropped) {
    add(object_node({*rung.takes}, rung.takes->value.at), rung.takes->value.at);
    rules_.back().members.back().value.members[0].key = "delay";
  }
}

// Answers the path of the step that sends.
std::string LadderExpansion::add_send(const Rung& rung) {
  const ActorOutline& from = *rung.from;
  std::vector<Member> members;
  const bool by_address = is_lossy(rung) && from.opening == Opening::kBind;
  if (by_address && rung.to->opening == Opening::kBind) {
    members = {{"send_to", rung.at, *rung.payload},
               {"to", rung.at, text_node(rung.to->name, rung.at)}};
  } else {
    members = {{"send", rung.at, *rung.payload}};
  }
  if (by_address && rung.to->opening == Opening::kConnect && sound_) {
    const std::string& last = last_sender_[from.name];
    if (last.empty()) {
      mistake(rung.at, fmt::format("'{}' has received nothing yet and does not know where '{}' is",
                                   from.name, rung.to->name));
    } else if (last != rung.to->name) {
      mistake(rung.at,
              fmt::format("'{}' answers whoever sent last, which is '{}'", from.name, last));
    }
    if (!rung.to->has_from) needs_address_.emplace(rung.to->name, rung.at);
  }
  if (rung.note != nullptr) members.push_back({"note", rung.at, *rung.note});
  add_step(from, object_node(std::move(members), rung.at));
  return fmt::format("{}.{}", from.name, steps_[from.name].size());
}

// Random octets are known by the step that made them.
void name_their_maker(Node& payload, const std::string& step) {
  for (Node& element : payload.elements) name_their_maker(element, step);
  if (payload.find("random") == nullptr || payload.find("like") != nullptr) return;
  payload.members.push_back({"like", payload.at, text_node(step, payload.at)});
}

void LadderExpansion::add_receive(const Rung& rung, const std::string& sent_by_step) {
  std::vector<Member> members = {{"recv", rung.at, *rung.payload}};
  name_their_maker(members[0].value, sent_by_step);
  if (rung.note != nullptr) members.push_back({"note", rung.at, *rung.note});
  add_step(*rung.to, object_node(std::move(members), rung.at));
  last_sender_[rung.to->name] = rung.from->name;
}

void LadderExpansion::add_barrier(const Rung& rung, std::vector<const ActorOutline*> parties) {
  std::erase_if(parties,
                [](const ActorOutline* one) { return one->kind != ActorOutline::Kind::kActor; });
  if (parties.size() < 2) return;
  const std::string name = fmt::format("rung {}", rung.number);
  for (const ActorOutline* actor : parties) {
    add_step(*actor, object_node({{"barrier", rung.at, text_node(name, rung.at)}}, rung.at));
  }
}

void LadderExpansion::write(Node& root) {
  for (auto& [name, name_at, actor] : root.find("actors")->value.members) {
    if (actor.kind != Node::Kind::kObject) continue;
    auto unnamed = needs_address_.find(name);
    const ActorOutline* outline = outline_.find(name);
    if (unnamed != needs_address_.end() && outline->transport == Transport::kUnixDgram) {
      // unix(7): a datagram socket without an address can be sent nothing.
      actor.members.push_back({"from", unnamed->second, text_node("unix_dgram", unnamed->second)});
    }
    if (actor.find("steps") != nullptr) continue;
    actor.members.push_back({"steps", name_at, array_node(std::move(steps_[name]), name_at)});
  }
  std::erase_if(root.members, [](const Member& member) { return member.key == "ladder"; });
  if (rules_.empty()) return;
  if (root.find("network") == nullptr) {
    auto actors = std::find_if(root.members.begin(), root.members.end(),
                               [](const Member& member) { return member.key == "actors"; });
    root.members.insert(actors, {"network", rules_[0].at, object_node({}, rules_[0].at)});
  }
  Node& network = root.find("network")->value;
  if (network.find("rules") == nullptr) {
    network.members.push_back({"rules", network.at, array_node({}, network.at)});
  }
  std::vector<Node>& rules = network.find("rules")->value.elements;
  std::move(rules_.begin(), rules_.end(), std::back_inserter(rules));
}

// A ladder's actors have openings only.
void judge_actors(const Outline& outline, const Node& actors, std::vector<Diagnostic>& mistakes) {
  std::map<std::string, std::string> connected;  // listening actor -> who connects
  for (const auto& [name, name_at, actor] : actors.members) {
    for (const char* key : {"steps", "each"}) {
      if (const Member* steps = actor.find(key)) {
        mistakes.push_back({steps->key_at,
                            fmt::format("'{}' and \"ladder\" cannot stand in one file", key),
                            {"the ladder says what its actors do"}});
      }
    }
    const ActorOutline* outlined = outline.find(name);
    if (outlined != nullptr && outlined->many) {
      mistakes.push_back(
          {actor.find("count")->key_at, "a ladder's actor is one, without 'count'", {}});
    }
    const ActorOutline* peer = outlined == nullptr ? nullptr : outline.find(outlined->peer);
    if (peer == nullptr || peer->opening != Opening::kListen) continue;
    auto [entry, fresh] = connected.emplace(peer->name, name);
    if (fresh) continue;
    mistakes.push_back({name_at,
                        fmt::format("'{}' accepts one connection, and '{}' connects already",
                                    peer->name, entry->second),
                        {"two connections to one listener want actors with steps, not a ladder"}});
  }
}

}  // namespace

void expand_ladder(Node& root, bool sound, std::vector<Diagnostic>& mistakes) {
  const Member* ladder = root.find("ladder");
  const Member* actors = root.find("actors");
  if (ladder == nullptr || actors == nullptr) return;
  const Outline outline = outline_of(root);
  judge_actors(outline, actors->value, mistakes);
  LadderExpansion expansion(outline, sound, mistakes);
  expansion.read(ladder->value);
  expansion.expand();
  expansion.write(root);
}

}  // namespace netrig
