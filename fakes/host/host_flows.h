#pragma once
// Names of flows between sockets of hosts, as harness/real's flow_names.cc makes them: the service
// is the end that was bound by hand, and a port that the host chose is 0 in the name.

#include <cstdint>

#include "fakes/network/network.h"

namespace netrig {

struct FlowEnds {
  Transport transport = Transport::kUdp;
  Network::HostId from = 0;
  Network::HostId to = 0;
  Endpoint source;  // as the receiver sees it; plain
  Endpoint destination;
  uint64_t sender = 0;  // id of the socket; 0: the source endpoint stands for it (TCP)
  bool sender_bound = false;
};
Network::FlowId flow_of(Network& network, const FlowEnds& ends);

}  // namespace netrig
