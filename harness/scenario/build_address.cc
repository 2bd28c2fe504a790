#include <fmt/format.h>

#include "harness/scenario/address_text.h"
#include "harness/scenario/build.h"

namespace netrig {

namespace {

// A host is named by itself or by an actor on it.
void resolve_host(Reading& reading, Address& address) {
  if (address.host.empty() || reading.outline().has_host(address.host)) return;
  if (const ActorOutline* actor = reading.outline().find(address.host)) {
    address.host = actor->host;
    return;
  }
  reading.unknown(address.at, "host", address.host, reading.outline().hosts);
}

}  // namespace

Address build_address(Reading& reading, const Node& node) {
  if (node.kind != Node::Kind::kString) {
    reading.malformed(node.at, "an address is expected here");
    return {};
  }
  auto address = parse_address(node.string, node.at);
  if (!address) {
    const AddressMistake& mistake = address.error();
    std::vector<std::string> details;
    if (!mistake.hint.empty()) details.push_back(mistake.hint);
    reading.mistake(node.at, mistake.message, std::move(details));
    return {};
  }
  resolve_host(reading, *address);
  for (const Template::Segment& segment : address->path.segments) {
    if (!segment.variable.empty()) reading.use_variable(node.at, segment.variable);
  }
  return *address;
}

Target build_target(Reading& reading, const Node& node, TargetUse use) {
  Target target;
  target.at = node.at;
  if (node.kind == Node::Kind::kString && !looks_like_address(node.string)) {
    const std::string name = build_text(reading, node);
    const ActorOutline* actor = reading.outline().find(name);
    if (actor == nullptr) {
      reading.unknown(node.at, "actor", name, reading.outline().actor_names);
    } else if (use == TargetUse::kReach && !actor->has_service && !actor->has_from) {
      // Shown only if the table's check found nothing: "lisen" would be told already.
      reading.malformed(node.at, fmt::format("'{}' cannot be reached: it binds no address", name));
    }
    target.actor = name;
    return target;
  }
  target.address = build_address(reading, node);
  const Address& address = target.address;
  if (use == TargetUse::kOrigin || node.kind != Node::Kind::kString) return target;
  if (!parse_address(node.string)) return target;  // told already
  if (is_unix(address.transport) ? address.path.segments.empty() : !address.port) {
    reading.mistake(node.at,
                    fmt::format("'{}' needs a {} here", node.string,
                                is_unix(address.transport) ? "path" : "host and a port"),
                    {"the name of an actor would do as well"});
  }
  return target;
}

}  // namespace netrig
