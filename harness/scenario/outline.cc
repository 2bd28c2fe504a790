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

// The first address at which a process listens when it is ready.
const Node* first_listening(const Node& process) {
  const Member* ready = process.find("ready");
  const Member* listening = ready == nullptr ? nullptr : ready->value.find("listening");
  if (listening == nullptr) return nullptr;
  const Node& value = listening->value;
  if (value.kind != Node::Kind::kArray) return &value;
  return value.elements.empty() ? nullptr : &value.elements.front();
}

// A process or a relay: `service` is where others reach it.
ActorOutline outline_service_of(const Member& member, ActorOutline::Kind kind,
                                const Node* service) {
  ActorOutline outline;
  outline.kind = kind;
  outline.name = member.key;
  outline.at = member.key_at;
  outline.host = member.key;
  const Member* host = member.value.find("host");
  if (host != nullptr && host->value.kind == Node::Kind::kString) outline.host = host->value.string;
  if (service == nullptr || service->kind != Node::Kind::kString) return outline;
  if (auto address = parse_address(service->string, service->at)) {
    outline.address = *address;
    outline.transport = outline.service = address->transport;
    outline.has_service = true;
    outline.opening = has_connections(address->transport) ? Opening::kListen : Opening::kBind;
  }
  return outline;
}

void add(Outline& outline, ActorOutline one) {
  if (!outline.index.emplace(one.name, outline.actors.size()).second) return;  // given twice
  if (outline.host_index.emplace(one.host, outline.hosts.size()).second) {
    outline.hosts.push_back(one.host);
  }
  outline.actor_names.push_back(one.name);
  outline.actors.push_back(std::move(one));
}

}  // namespace

const ActorOutline* Outline::find(std::string_view name) const {
  auto found = index.find(name);
  return found == index.end() ? nullptr : &actors[found->second];
}

Outline outline_of(const Node& root) {
  Outline outline;
  if (const Member* actors = root.find("actors")) {
    for (const Member& member : actors->value.members) add(outline, outline_actor(member));
  }
  if (const Member* processes = root.find("processes")) {
    for (const Member& member : processes->value.members) {
      add(outline,
          outline_service_of(member, ActorOutline::Kind::kProcess, first_listening(member.value)));
    }
  }
  if (const Member* relays = root.find("relays")) {
    for (const Member& member : relays->value.members) {
      const Member* listen = member.value.find("listen");
      add(outline, outline_service_of(member, ActorOutline::Kind::kRelay,
                                      listen == nullptr ? nullptr : &listen->value));
    }
  }
  for (ActorOutline& actor : outline.actors) {
    const ActorOutline* peer = actor.peer.empty() ? nullptr : outline.find(actor.peer);
    if (peer != nullptr) actor.transport = peer->service;
  }
  return outline;
}

}  // namespace netrig
