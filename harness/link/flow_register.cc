#include "harness/link/flow_register.h"

#include "harness/link/link.h"

namespace netrig {

FlowRegister::FlowId FlowRegister::flow(const std::string& direction, const std::string& service,
                                        const std::string& ends) {
  auto& group = *groups_.try_emplace({direction, service}).first;
  const auto [known, is_new] = group.second.try_emplace(ends, flows_.size() + 1);
  if (is_new) {
    flows_.push_back({.group = &group, .number = group.second.size()});
    flows_.back().stream = flow_stream(direction, name(known->second));
  }
  return known->second;
}

std::string FlowRegister::name(FlowId flow) const {
  const Flow& known = at(flow);
  return known.group->first.second + '|' + std::to_string(known.number);
}

PacketName FlowRegister::packet_name(FlowId flow, uint64_t ordinal) const {
  return {direction(flow), name(flow), ordinal};
}

}  // namespace netrig
