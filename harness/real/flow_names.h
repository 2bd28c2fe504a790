#pragma once
// Which way a datagram goes and how it is called there: host to host, and the name of its flow,
// which is the same in every run and every world (fate.h). Sends nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "harness/link/fate.h"
#include "harness/link/flow_register.h"
#include "harness/real/host_table.h"
#include "harness/real/socket_state.h"

namespace netrig {

// Where a datagram goes, and the words for it.
struct DatagramRoute {
  size_t from = 0;
  size_t to = 0;
  Transport transport = Transport::kUdp;
  std::string direction;
  Endpoint source;                      // as the receiver will see it
  std::optional<Endpoint> destination;  // none: the other end of a pair
  uint64_t pair_peer = 0;
  std::string service;  // "udp|server:53"
  std::string ends;     // tells flows of one service apart
};

class FlowNames {
 public:
  // `tmp` is written ${tmp} in names: it differs between runs. The references must outlive it.
  FlowNames(const HostTable& hosts, const SocketRegister& sockets, std::string tmp)
      : hosts_(hosts), sockets_(sockets), tmp_(std::move(tmp)) {}

  // `to` empty: the sender's peer.
  DatagramRoute route(const SocketState& sender, const std::optional<Endpoint>& to) const;
  // By address, or by who bound it; the sender's own host if it is nobody's.
  size_t host_of(const SocketState& sender, const Endpoint& to) const;
  // Names the next packet on the way and counts it; with the stream of its draws.
  struct Named {
    PacketName packet;
    uint64_t stream = 0;
    uint64_t flow_number = 0;  // see OfferedPacket
    uint64_t service = 0;
    uint16_t service_port = 0;
  };
  Named next(const DatagramRoute& route);

 private:
  std::string shown_path(const Endpoint& endpoint) const;

  const HostTable& hosts_;
  const SocketRegister& sockets_;
  std::string tmp_;
  FlowRegister flows_;
};

}  // namespace netrig
