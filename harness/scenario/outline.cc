#include "harness/scenario/outline.h"

#include "harness/scenario/address_text.h"

namespace netrig {

namespace {

// The first `bind` among steps, however deep.
const Node* find_bind(const Node& steps) {
  for (const Node& step : steps.elements) {
    if (const Member* bind = step.find("bind")) return &bind->value;
    if (const Node* inner = find_bind(step))
      return inner;  // a branch of `together` is a list itself
    for (const Member& member : step.members) {
      if (const Node* inner = find_bind(member.value)) return inner;
    }
  }
  return nullptr;
}

void outline_service(const Node& node, ActorOutline& actor) {
  if (actor.opening == Opening::kListen || actor.opening == Opening::kBind) {
    actor.has_service = true;
    actor.service = actor.transport;
    return;
  }
  const Member* steps = node.find("steps");
  const Node* bind = steps == nullptr ? nullptr : find_bind(steps->value);
  if (bind == nullptr) return;
  actor.has_service = true;
  if (auto address = parse_address(bind->string)) actor.service = address->transport;
}

ActorOutline outline_actor(const Member& member) {
  ActorOutline actor;
  actor.name = member.key;
  actor.at = member.key_at;
  actor.host = member.key;
  const Node& node = member.value;
  const Member* host = node.find("host");
  if (host != nullptr && host->value.kind == Node::Kind::kString) actor.host = host->value.string;
  actor.has_from = node.find("from") != nullptr;
  actor.has_each = node.find("each") != nullptr;
  const Member* count = node.find("count");
  actor.many = count != nullptr && count->value.integer != 1;
  struct {
    const char* key;
    Opening opening;
  } openings[] = {
      {"listen", Opening::kListen}, {"bind", Opening::kBind}, {"connect", Opening::kConnect}};
  for (const auto& [key, opening] : openings) {
    const Member* found = node.find(key);
    if (found == nullptr || actor.opening != Opening::kNone) continue;
    actor.opening = opening;
    if (found->value.kind != Node::Kind::kString) continue;
    if (opening == Opening::kConnect && !looks_like_address(found->value.string)) {
      actor.peer = found->value.string;
    } else if (auto address = parse_address(found->value.string, found->value.at)) {
      actor.address = *address;
      actor.transport = address->transport;
    }
  }
  outline_service(node, actor);
  return actor;
}

}  // namespace

const ActorOutline* Outline::find(std::string_view name) const {
  auto found = index.find(name);
  return found == index.end() ? nullptr : &actors[found->second];
}

Outline outline_of(const Node& root) {
  Outline outline;
  const Member* actors = root.find("actors");
  if (actors == nullptr) return outline;
  for (const Member& member : actors->value.members) {
    if (!outline.index.emplace(member.key, outline.actors.size()).second) continue;  // given twice
    outline.actors.push_back(outline_actor(member));
    outline.actor_names.push_back(member.key);
    const std::string& host = outline.actors.back().host;
    if (outline.host_index.emplace(host, outline.hosts.size()).second)
      outline.hosts.push_back(host);
  }
  for (ActorOutline& actor : outline.actors) {
    const ActorOutline* peer = actor.peer.empty() ? nullptr : outline.find(actor.peer);
    if (peer != nullptr) actor.transport = peer->service;
  }
  return outline;
}

}  // namespace netrig
