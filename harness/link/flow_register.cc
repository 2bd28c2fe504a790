#include "harness/link/flow_register.h"

#include "harness/base/quantity.h"
#include "harness/link/link.h"

namespace netrig {
namespace {

// "udp|server:53" is 53; Unix sockets have paths there.
uint16_t port_of(std::string_view service) {
  if (!service.starts_with("udp|") && !service.starts_with("tcp|")) return 0;
  const Parsed<int64_t> port = parse_integer(service.substr(service.rfind(':') + 1));
  return port && *port > 0 && *port < 65536 ? static_cast<uint16_t>(*port) : uint16_t{0};
}

}  // namespace

FlowRegister::FlowId FlowRegister::flow(const std::string& direction, const std::string& service,
                                        const std::string& ends) {
  auto& group = *groups_.try_emplace({direction, service}).first;
  if (group.second.direction.empty()) group.second.direction = direction;
  const auto [known, is_new] = group.second.flows.try_emplace(ends, flows_.size() + 1);
  if (is_new) {
    flows_.push_back({.group = &group,
                      .number = group.second.flows.size(),
                      .service = stable_hash(service),
                      .port = port_of(service)});
    flows_.back().stream = flow_stream(direction, name(known->second));
  }
  return known->second;
}

std::string FlowRegister::name(FlowId flow) const {
  const Flow& known = at(flow);
  return known.group->first.second + '|' + std::to_string(known.number);
}

PacketName FlowRegister::packet_name(FlowId flow, uint64_t ordinal) {
  Flow& known = at(flow);
  if (known.name.empty()) known.name = name(flow);
  return {direction(flow), known.name, ordinal};
}

}  // namespace netrig
