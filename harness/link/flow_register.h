#pragma once
// The names of flows (fate.h), the same in every world: packets of one service on one direction,
// told apart by their ends, are numbered in order of appearance: "udp|server:53|1". It counts their
// packets and keeps the number of their draws. It knows no socket and no address.

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/link/fate.h"

namespace netrig {

class FlowRegister {
 public:
  using FlowId = uint64_t;  // from 1

  FlowRegister() = default;
  FlowRegister(const FlowRegister&) = delete;
  FlowRegister& operator=(const FlowRegister&) = delete;

  // `direction`: "client -> server". `service`: "udp|server:53". `ends` is never shown. The same
  // arguments give the same flow.
  FlowId flow(const std::string& direction, const std::string& service, const std::string& ends);

  // ---- of a flow that flow() answered
  uint64_t next_ordinal(FlowId flow) { return ++at(flow).packets; }
  uint64_t stream(FlowId flow) const { return at(flow).stream; }      // see flow_stream
  uint64_t number(FlowId flow) const { return at(flow).number; }      // of its service, from 1
  uint64_t service(FlowId flow) const { return at(flow).service; }    // the same for all of it
  uint16_t service_port(FlowId flow) const { return at(flow).port; }  // 0: none is known
  const SharedText& direction(FlowId flow) const { return at(flow).group->second.direction; }
  std::string name(FlowId flow) const;  // "udp|server:53|1"
  PacketName packet_name(FlowId flow, uint64_t ordinal);

 private:
  // Of one direction and service: flows by their ends, which are never iterated.
  struct Group {
    SharedText direction;
    std::unordered_map<std::string, FlowId> flows;
  };
  using Groups = std::map<std::pair<std::string, std::string>, Group>;
  struct Flow {
    const Groups::value_type* group = nullptr;
    uint64_t number = 0;   // in its group, from 1
    uint64_t service = 0;  // of the group's name, hashed
    uint16_t port = 0;
    uint64_t stream = 0;
    uint64_t packets = 0;
    SharedText name;  // made for the first that asks
  };
  Flow& at(FlowId flow) { return flows_[flow - 1]; }
  const Flow& at(FlowId flow) const { return flows_[flow - 1]; }

  Groups groups_;
  std::vector<Flow> flows_;
};

}  // namespace netrig
