#include <fmt/format.h>
#include <limits>

#include "harness/scenario/address_text.h"
#include "harness/scenario/build.h"
#include "harness/scenario/reader.h"

namespace netrig {

namespace {

void build_service(Reading& reading, const Node& node, Actor& actor) {
  actor.address = build_address(reading, node);
  const Address& address = actor.address;
  if (actor.opening == Opening::kListen && !has_connections(address.transport)) {
    reading.mistake(
        node.at,
        fmt::format("{} cannot listen, it has no connections", transport_name(address.transport)),
        {fmt::format("\"bind\": \"{}\" receives without", transport_name(address.transport))});
  }
  const bool elsewhere = !address.host.empty() && address.host != actor.host;
  if (elsewhere && reading.outline().has_host(address.host)) {
    reading.mistake(node.at,
                    fmt::format("'{}' is on the host '{}' and cannot have an address of '{}'",
                                actor.name, actor.host, address.host));
  }
}

void build_from(Reading& reading, const Node& node, Actor& actor) {
  actor.from = build_address(reading, node);
  const ActorOutline* outline = reading.scope().outline;
  if (outline != nullptr && outline->transport && *outline->transport != actor.from->transport) {
    reading.mistake(node.at, fmt::format("'from' is {}, and the connection is {}",
                                         transport_name(actor.from->transport),
                                         transport_name(*outline->transport)));
  }
  // Only the service's own port matters to others: this one may be the kernel's.
  if (!is_unix(actor.from->transport)) actor.from->port = actor.from->port.value_or(0);
}

void build_opening(Reading& reading, const std::string& key, const Node& value, Actor& actor) {
  if (key == "listen" || key == "bind") {
    actor.opening = key == "listen" ? Opening::kListen : Opening::kBind;
    build_service(reading, value, actor);
  } else {
    actor.opening = Opening::kConnect;
    actor.target = build_target(reading, value, TargetUse::kReach);
    if (actor.target.actor == actor.name) {
      reading.mistake(value.at, fmt::format("'{}' cannot connect to itself by name", actor.name));
    }
  }
  if (actor.opening == Opening::kListen) reading.define_socket("listener");
  reading.define_socket("connection");
}

}  // namespace

Actor build_actor(Reading& reading, const Member& member) {
  Actor actor;
  actor.at = member.key_at;
  actor.name = member.key;
  actor.host = member.key;
  NameScope& scope = reading.scope();
  if (const Node* host = value_of(member.value, "host")) actor.host = build_text(reading, *host);
  if (const Node* count = value_of(member.value, "count")) {
    actor.count = build_integer(reading, *count, 1, kScenarioInstancesMax);
  }
  if (looks_like_address(actor.name)) {
    reading.mistake(actor.at,
                    fmt::format("'{}' is a transport, an actor needs another name", actor.name));
  }
  scope.many = actor.count > 1;
  scope.in_each = member.value.find("each") != nullptr;
  for (const auto& [key, key_at, value] : member.value.members) {
    if (key == "listen" || key == "bind" || key == "connect") {
      if (actor.opening == Opening::kNone) build_opening(reading, key, value, actor);
    } else if (key == "from") {
      build_from(reading, value, actor);
    } else if (key == "backlog") {
      actor.backlog = build_integer(reading, value, 0, std::numeric_limits<int32_t>::max());
    } else if (key == "options") {
      actor.options = build_options(reading, value);
    } else if (key == "steps") {
      actor.steps = build_steps(reading, value, actor.name);
    } else if (key == "each") {
      actor.has_each = true;
      actor.each_at = key_at;
      actor.each = build_steps(reading, value, actor.name);
    } else if (key == "at_once") {
      actor.at_once = build_integer(reading, value, 0, kScenarioInstancesMax);
    } else if (key == "leftover") {
      actor.ignore_leftover = value.string == "ignore";
    }
  }
  reading.step_path.clear();
  return actor;
}

}  // namespace netrig
