#pragma once
// The ports of one host's TCP and UDP sockets: who may bind what (Linux's inet_csk_get_port and
// udp_lib_get_port), which port the host chooses, and which UDP socket gets a datagram. It knows no
// connection (tcp::Stack does) and sends nothing. Choices are the same in every run: ports are
// taken in ascending order, and nothing is iterated in the order of a hash.

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "fakes/tcp/stack.h"
#include "harness/base/errno.h"
#include "harness/net/endpoint.h"

namespace netrig {

class InetSocket;

struct PortRange {
  uint16_t first = 32768;  // ip_local_port_range
  uint16_t last = 60999;
};

class InetTable {
 public:
  using StackUse = std::function<tcp::Stack::PortUse(const Endpoint& local)>;

  // `stack_use`: what is left of connections whose sockets were closed (Stack::port_use).
  InetTable(PortRange ephemeral, StackUse stack_use)
      : ephemeral_(ephemeral), stack_use_(std::move(stack_use)) {}

  // Gives the socket `port` at its local address; 0: a free one is chosen. EADDRINUSE.
  Result<void> bind(InetSocket& socket, uint16_t port);
  // Whether a bound socket may start to listen where it is: others that share its port may have
  // been first.
  Result<void> may_listen(const InetSocket& socket) const;
  // Ports for connect(), one after the other: `attempt` answers EADDRNOTAVAIL to be asked with
  // another. Ports are shared by connections to different peers, but never with a bound socket.
  Result<void> bind_for_connect(InetSocket& socket, const std::function<Result<void>()>& attempt);
  // A child of a listener shares its port.
  void adopt(InetSocket& child);
  // `lingers`: its connection stays in the stack (TIME_WAIT, FIN_WAIT), and with it the port.
  void release(InetSocket& socket, bool lingers);

  // The best: connected to `from` before bound to the address before bound to all; IPv4 sockets
  // before IPv6 ones; then the one bound last, or by a hash of `from` with SO_REUSEPORT.
  InetSocket* udp_receiver(const Endpoint& to, const Endpoint& from) const;
  // A TCP socket that has the endpoint, the first of several: sockets of one port are of a kind.
  InetSocket* tcp_socket(const Endpoint& to) const;

  // Changes with every change of who is bound or connected to what.
  uint64_t generation() const { return generation_; }
  void changed() { ++generation_; }

 private:
  // Ports that closed sockets' connections still hold, joined by address.
  struct Orphans {
    IpAddress address;
    bool reuse_address = true;
    bool reuse_port = true;
  };
  struct Slot {
    std::vector<InetSocket*> sockets;  // each knows its place
    std::vector<Orphans> orphans;
    size_t bound = 0;  // of sockets: not by connect() alone
  };
  static uint32_t key(const InetSocket& socket, uint16_t port);
  const Slot* slot(bool tcp, uint16_t port) const;
  bool conflicts(const InetSocket& socket, uint16_t port, bool chosen, bool listening) const;
  bool orphans_conflict(const InetSocket& socket, const Slot& slot, uint16_t port) const;
  void insert(InetSocket& socket, uint16_t port, bool by_connect);
  uint16_t next_port(bool tcp);

  PortRange ephemeral_;
  StackUse stack_use_;
  std::unordered_map<uint32_t, Slot> slots_;  // by protocol and port; never iterated
  uint32_t next_[2] = {0, 0};                 // offsets into the range, of UDP and TCP
  uint64_t generation_ = 1;
  uint64_t next_order_ = 0;
};

}  // namespace netrig
