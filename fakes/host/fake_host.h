#pragma once
// One simulated host: handles, sockets, ports, and SocketApi over them. It does what the kernel's
// socket layer does around the protocols: handles, blocking, time-outs, gathering, SCM_RIGHTS as
// new handles, poll. Protocols are in udp_socket, tcp_socket (over fakes/tcp) and the unix sockets;
// ports and who gets a packet are in inet_table; names of Unix sockets in unix_names, which hosts
// share, as they share a file system on `real`.
//
// Every call ends with Network::settle().

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "fakes/host/fake_socket.h"
#include "fakes/network/network.h"
#include "harness/sockets/socket_api.h"

namespace netrig {

class InetSocket;
class InetTable;
class UnixNames;
namespace tcp {
class Stack;
}

// Defaults are what `real`'s sandbox sets.
struct FakeHostOptions {
  uint64_t seed = 1;
  std::string tmp =
      "/tmp";  // Unix paths must lie below it (EACCES), and it is written ${tmp} in flows
  uint16_t ephemeral_first = 32768;  // ip_local_port_range
  uint16_t ephemeral_last = 60999;
  size_t handles_max = 100'000;  // EMFILE beyond
  int64_t uid = 0, gid = 0, pid = 2;
  bool tcp_ecn = false;    // the sysctl at 1: connections ask for ECN
  std::string congestion;  // the sysctl tcp_congestion_control; empty: reno
};

class FakeHost final : public SocketApi, public PacketReceiver {
 public:
  // References must outlive it.
  FakeHost(Network& network, UnixNames& unix_names, Network::HostId id,
           const FakeHostOptions& options);
  ~FakeHost() override;

  Result<Socket> socket(int domain, int type, int protocol) override;
  Result<std::pair<Socket, Socket>> socketpair(int domain, int type, int protocol) override;
  Result<void> close(Socket socket) override;
  Result<void> set_nonblocking(Socket socket, bool on) override;
  Result<void> bind(Socket socket, const Endpoint& local) override;
  Result<void> listen(Socket socket, int backlog) override;
  Result<Accepted> accept(Socket socket) override;
  Result<void> connect(Socket socket, const Endpoint& peer) override;
  Result<void> shutdown(Socket socket, int how) override;
  Result<size_t> send(Socket socket, ByteView data, int flags) override;
  Result<size_t> recv(Socket socket, std::span<char> buffer, int flags) override;
  Result<size_t> sendto(Socket socket, ByteView data, int flags, const Endpoint& to) override;
  Result<ReceivedFrom> recvfrom(Socket socket, std::span<char> buffer, int flags) override;
  Result<size_t> sendmsg(Socket socket, std::span<const ByteView> parts, int flags,
                         const Endpoint* to, const ControlData& control) override;
  Result<ReceivedMessage> recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                  int flags) override;
  Result<int64_t> getsockopt(Socket socket, int level, int name) override;
  Result<void> setsockopt(Socket socket, int level, int name, int64_t value) override;
  Result<void> set_linger(Socket socket, LingerOption linger) override;
  Result<LingerOption> get_linger(Socket socket) override;
  Result<Bytes> getsockopt_bytes(Socket socket, int level, int name, size_t size) override;
  Result<void> setsockopt_bytes(Socket socket, int level, int name, ByteView value) override;
  Result<Credentials> peer_credentials(Socket socket) override;
  Result<Endpoint> getsockname(Socket socket) override;
  Result<Endpoint> getpeername(Socket socket) override;
  Result<size_t> readable_octets(Socket socket) override;
  Result<int> poll(std::span<PollEntry> entries, Duration timeout) override;

  void deliver(FakePacket&& packet) override;
  std::optional<Addressee> addressee(Transport transport, const Endpoint& to,
                                     const Endpoint& from) const override;
  uint64_t addressee_generation() const override;

  // ---- for the sockets of this host
  Network& network();
  FakeLoop& loop();
  Network::HostId id() const;
  const FakeHostOptions& options() const;
  InetTable& inet();
  UnixNames& unix_names();
  tcp::Stack& tcp();
  uint64_t next_socket_id();  // unique in the host, in order of creation
  // Every living TCP and UDP socket, so that those that outlive the host know of its end.
  void add_live(InetSocket& socket);
  void remove_live(InetSocket& socket);
  void inet_changed();  // an address, a peer or an option that decides who gets what

  // At the end of the world: unread datagrams are told, then every handle closed, without waiting.
  void close_all();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig
