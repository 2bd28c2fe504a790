#pragma once
// FakeHost's inside, shared by its files: handles, waiting, and the ways between the sockets, the
// TCP stack and the network.

#include <functional>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "fakes/host/fake_host.h"
#include "fakes/host/inet_socket.h"
#include "fakes/host/inet_table.h"
#include "fakes/host/tcp_routes.h"
#include "fakes/tcp/stack.h"

namespace netrig {

class UdpSocket;

struct FakeHost::Parts final : tcp::Output {
  Parts(FakeHost& itself, Network& its_network, UnixNames& its_names, Network::HostId its_id,
        const FakeHostOptions& its_options);

  // Ends a call: what it sent arrives where links let it, and the timer is set.
  class Call {
   public:
    explicit Call(Parts& parts) : parts_(parts) {}
    ~Call() { parts_.settle(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Parts& parts_;
  };
  void settle();
  void arm();  // the stack's next deadline

  // ---- handles
  SocketRef find(Socket socket) const;  // null: EBADF
  Result<Socket> add_handle(const SocketRef& socket, bool counted);
  void release(const SocketRef& socket, bool may_wait);
  void linger(const SocketRef& socket);

  // ---- waiting
  Loop& loop() const { return network.loop(); }
  bool may_block(FakeSocket& socket, int flags) const;
  // Instant::max(): none.
  Instant limit_of(const std::optional<Duration>& timeout) const;
  // Parks until somebody changed the socket. The error says why a try must not be repeated: EAGAIN
  // after the socket's own time-out, TIMEOUT at the fiber's deadline, EBADF if it was closed.
  Result<void> park(const SocketRef& socket, Instant limit);
  // The same until poll would answer one of `events`; at once if it does, but not twice in a row
  // (`at_once`, false before the first).
  Result<void> wait(const SocketRef& socket, short events, Instant limit, bool& at_once);

  // ---- messages (host_messages.cc)
  Result<size_t> send_message(const SocketRef& socket, OutgoingMessage& message);
  Result<size_t> send_stream(const SocketRef& socket, OutgoingMessage& message);
  Result<void> receive(const SocketRef& socket, std::span<const std::span<char>> parts, int flags,
                       IncomingMessage& message);
  // MSG_WAITALL on a stream.
  Result<void> receive_all(const SocketRef& socket, std::span<const std::span<char>> parts,
                           int flags, IncomingMessage& message);
  Result<void> encode_control(const ControlData& control, OutgoingMessage& message) const;
  Result<void> decode_control(IncomingMessage& from, ControlData& control);
  void drop_rights(IncomingMessage& from);

  // ---- packets (host_packets.cc, host_icmp.cc)
  void transmit(const IpAddress& source, const IpAddress& destination, tcp::Segment&& segment,
                const std::string& activity) override;
  uint32_t mtu(const IpAddress& source, const IpAddress& destination) const override;
  TcpRoute* tcp_route(const tcp::FourTuple& tuple, bool make);
  void deliver_udp(FakePacket&& packet);
  void send_port_unreachable(const FakePacket& about);
  void deliver_icmp(const FakePacket& packet, const FakeIcmpError& error);

  FakeHost& self;
  Network& network;
  UnixNames& unix_names;
  Network::HostId id;
  FakeHostOptions options;
  uint64_t sockets_made = 0;
  std::vector<SocketRef> handles;  // from kFirstHandle on; null: free
  std::priority_queue<int, std::vector<int>, std::greater<>> free_handles;
  std::vector<InetSocket*> live;
  TcpRoutes tcp_routes;
  SharedText last_activity;  // of a captured segment
  InetTable inet;
  tcp::Stack stack;
  Alarm alarm;
};

}  // namespace netrig
