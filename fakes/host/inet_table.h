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
  // What a socket claims of a port. `address` is plain.
  struct Claim {
    bool v6 = false;
    IpAddress address;
    bool v6only = false;
  };
  using OrphanLives = std::function<bool(const Endpoint& local, const Endpoint& peer)>;

  // `orphan_lives`: whether a connection whose socket was closed still is there (Stack::holds).
  InetTable(PortRange ephemeral, OrphanLives orphan_lives)
      : ephemeral_(ephemeral), orphan_lives_(std::move(orphan_lives)) {}

  // Gives the socket `port` at its local address; 0: a free one is chosen. EADDRINUSE.
  Result<void> bind(InetSocket& socket, uint16_t port);
  // A bound socket starts to listen where it is, if it may: others that share its port may have
  // been first.
  Result<void> start_listening(InetSocket& socket);
  // Ports for connect(), one after the other: `attempt` answers EADDRNOTAVAIL to be asked with
  // another. Ports are shared by connections to different peers, but never with a bound socket.
  Result<void> bind_for_connect(InetSocket& socket, const std::function<Result<void>()>& attempt);
  // A child of a listener shares its port.
  void adopt(InetSocket& child);
  // Called when the socket has let go of its connection: if that stays in the stack (TIME_WAIT,
  // FIN_WAIT), the port stays with it.
  void release(InetSocket& socket);

  // The best: connected to `from` before bound to the address before bound to all; IPv4 sockets
  // before IPv6 ones; then the one bound last, or by a hash of `from` with SO_REUSEPORT.
  InetSocket* udp_receiver(const Endpoint& to, const Endpoint& from) const;
  // A TCP socket that has the endpoint, the first of several: sockets of one port are of a kind.
  InetSocket* tcp_socket(const Endpoint& to) const;

  // The connection of a socket that keeps its port has ended; TIME_WAIT may be left of it.
  void connection_ended(const InetSocket& socket);

  // Changes with every change of who is bound or connected to what.
  uint64_t generation() const { return generation_; }
  void changed() { ++generation_; }

 private:
  // A closed socket's connection that still holds the port.
  struct Orphan {
    Claim claim;
    Endpoint peer;
    bool reuse_address = false;
    bool reuse_port = false;
    Endpoint local(uint16_t port) const { return Endpoint(claim.address, port); }
  };
  enum class FastPort : uint8_t { kNo, kAny, kStrict };  // tb->fastreuseport
  struct Slot {
    std::vector<InetSocket*> sockets;  // each knows its place
    std::vector<Orphan> orphans;       // some of which may have ended
    size_t pruned = 0;                 // how many were left when last looked
    size_t bound = 0;                  // of sockets: not by connect() alone
    bool fast_reuse = false;           // tb->fastreuse
    FastPort fast_port = FastPort::kNo;
    Claim fast_claim;
  };
  static Claim claim_of(const InetSocket& socket);
  static uint32_t key(const InetSocket& socket, uint16_t port);
  const Slot* slot(bool tcp, uint16_t port) const;
  bool conflicts(const InetSocket& socket, uint16_t port, bool chosen, bool listening) const;
  bool tcp_conflicts(const InetSocket& socket, const Slot& place, uint16_t port, bool chosen,
                     bool listening) const;
  static bool udp_conflicts(const InetSocket& socket, const Slot& place, bool chosen);
  static void update_fast(const InetSocket& socket, Slot& place, bool listening);
  void left_behind(const InetSocket& socket, Slot& place);
  void prune(Slot& place, uint16_t port);
  void take(InetSocket& socket, uint16_t port);
  void insert(InetSocket& socket, uint16_t port, bool by_connect);
  uint16_t next_port(bool tcp);

  PortRange ephemeral_;
  OrphanLives orphan_lives_;
  std::unordered_map<uint32_t, Slot> slots_;  // by protocol and port; never iterated
  uint32_t next_[2] = {0, 0};                 // offsets into the range, of UDP and TCP
  uint64_t generation_ = 1;
  uint64_t next_order_ = 0;
};

}  // namespace netrig
