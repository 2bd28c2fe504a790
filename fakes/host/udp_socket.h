#pragma once
// UDP sockets of a simulated host (udp(7), RFC 768). A datagram that is larger than the MTU is one
// packet here, though it counts as its fragments in the receive buffer: what is lost on a link is
// lost as a whole, as on `real`, where links are applied to datagrams. Multicast, broadcast and the
// error queue (MSG_ERRQUEUE) are not modelled.

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "fakes/host/inet_socket.h"
#include "fakes/network/network.h"
#include "harness/base/ring.h"

namespace netrig {

class UdpSocket final : public InetSocket {
 public:
  UdpSocket(FakeHost& host, int domain);
  ~UdpSocket() override;

  Result<void> listen(int backlog) override;
  Result<SocketRef> accept(Endpoint& peer) override;
  Result<void> connect(const Endpoint& peer) override;
  Result<void> shutdown(int how) override;
  Result<size_t> send(const OutgoingMessage& message) override;
  Result<void> receive(std::span<const std::span<char>> parts, int flags,
                       IncomingMessage& message) override;
  Result<Endpoint> peer_endpoint() const override;
  size_t readable_octets() const override;
  short poll_events() const override;
  Result<int64_t> get_option(int level, int name) override;
  Result<void> set_option(int level, int name, int64_t value) override;
  bool closed() override;
  void drain_unread() override;

  // ---- from the network
  void deliver(FakePacket&& packet);
  // An ICMP error about what it sent; `hard` as udp_err() has it.
  void told_error(Errno error, bool hard);

 private:
  struct Queued {
    SharedBytes payload;
    IpAddress source;
    uint16_t source_port = 0;
    uint32_t true_size = 0;
    PacketTrace trace;
    Instant arrived_at{};
  };
  // The flow to a destination, as long as nobody bound or closed a socket that could matter.
  struct Route {
    Way way;
    Network::HostId to = 0;
    Network::FlowId flow = 0;
    uint64_t own_generation = 0;
    uint64_t peer_generation = 0;
  };
  // A datagram that MSG_MORE or UDP_CORK holds back.
  struct Held {
    Way way;
    Bytes octets;
  };

  Result<Way> destination_of(const OutgoingMessage& message);
  Result<size_t> send_held(const OutgoingMessage& message);
  void transmit(const Route& found, SharedBytes&& payload);
  const Route& route(const Way& way);
  const Route* steady_route(const OutgoingMessage& message) const;
  bool is_current(const Route& route) const;
  void dequeued(uint32_t true_size);
  bool is_closed_state() const override { return !connected_; }
  bool is_connected_state() const override { return connected_; }
  uint8_t hop_limit(bool v6) const;
  uint8_t traffic_class(bool v6) const;

  bool connected_ = false;  // TCP_ESTABLISHED, as the kernel calls it
  bool receive_shutdown_ = false;
  bool send_shutdown_ = false;
  bool corked_ = false;
  uint16_t next_identification_ = 1;
  Ring<Queued> queue_;
  uint64_t memory_ = 0;      // sk_rmem_alloc
  uint64_t deficit_ = 0;     // read, but not yet given back to the buffer
  size_t reader_queue_ = 0;  // of queue_: what the reader has taken over (udp_sock.reader_queue)
  std::optional<Held> held_;
  Route last_route_;
  Endpoint last_asked_;                         // what it was found for
  std::unordered_map<uint64_t, Route> routes_;  // by a hash of the destination; never iterated
};

// skb->truesize of a datagram in a receive buffer, reassembled if it is larger than the MTU.
uint32_t udp_true_size(size_t payload, bool v6);

}  // namespace netrig
