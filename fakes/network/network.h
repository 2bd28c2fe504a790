#pragma once
// The simulated network: hosts by number and address, one Link for each direction between two of
// them, what is under way, and the capture's view of it. Packets within a host, and over links that
// do nothing, arrive when settle() is next called, in order; the others when their link lets them
// go. It knows no socket.
//
// settle() is what a kernel's softirq is to loopback: every socket call ends with it, so a datagram
// sent over a transparent link can be read by the next call, and an ICMP error answers it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/network/fake_loop.h"
#include "fakes/network/fake_packet.h"
#include "harness/base/shared_bytes.h"
#include "harness/link/link.h"

namespace netrig {

class FakeCapture;

inline constexpr uint32_t kFakeMtu = 1500;  // of every link, and within a host: as on `real`

// Packets that arrive in one settle(). Two hosts that answer each other for ever without a link in
// between would else stop time; so the rest comes kSettlePause later, and a run's limits hold.
inline constexpr size_t kSettleMax = 100'000;
inline constexpr Duration kSettlePause = 1ms;

// Who gets packets: a host.
class PacketReceiver {
 public:
  virtual ~PacketReceiver() = default;
  virtual void deliver(FakePacket&& packet) = 0;
  // For the names of flows (fate.h): which socket would get a packet, and whether bind() was called
  // on it. Ids are unique in the world; empty if nobody would get it.
  struct Addressee {
    uint64_t socket = 0;
    bool bound = false;
  };
  virtual std::optional<Addressee> addressee(Transport, const Endpoint& /*to*/,
                                             const Endpoint& /*from*/) const {
    return std::nullopt;
  }
  // Changes whenever what addressee() answers may have changed.
  virtual uint64_t addressee_generation() const { return 0; }
};

struct NetworkOptions {
  std::vector<std::string> hosts;           // unique; the k-th gets host_address(k)
  std::map<std::string, LinkConfig> links;  // by direction; the rest are transparent
  uint64_t seed = 1;
  LinkObserver* observer = nullptr;  // may be null
  FakeCapture* capture = nullptr;    // may be null
  // Told of every packet when it is sent, in order, from 0; may be empty.
  std::function<void(uint64_t index, const FakePacket&, const Fate&)> trace;
  // Hosts that have other addresses than host_address(k), IPv4 and IPv6.
  std::map<uint32_t, std::pair<IpAddress, IpAddress>> addresses;
  // Who gets packets to addresses of nobody; without one there is no way to them.
  std::optional<uint32_t> gateway;
};

struct NetworkCounters {
  uint64_t packets_sent = 0, packets_delivered = 0, packets_dropped = 0;
  uint64_t tcp_segments_sent = 0, tcp_segments_dropped = 0;
  uint64_t tcp_acks_dropped = 0;  // of them, those that nobody sends again: no sequence space
  uint64_t datagrams_sent = 0, datagrams_dropped = 0;
  Instant last_arrival{};  // of a packet with payload
};

class Network {
 public:
  using HostId = uint32_t;
  using FlowId = uint64_t;

  // References must outlive it.
  Network(FakeLoop& loop, BytePool& pool, NetworkOptions options);
  ~Network();
  void attach(HostId host, PacketReceiver& receiver);
  const PacketReceiver* receiver(HostId host) const;  // null if none is attached

  size_t host_count() const;
  const std::string& name(HostId host) const;
  IpAddress address(HostId host, bool v6) const;
  // Also loopback addresses, which are `asking`'s own, and IPv4-mapped ones.
  std::optional<HostId> host_by_address(const IpAddress& address, HostId asking) const;
  uint32_t mtu(HostId from, HostId to) const;

  // The flow of packets from one host to another for a service ("udp|server:53"; fate.h), told
  // apart from others of that service by `ends`. The same arguments give the same flow.
  FlowId flow(HostId from, HostId to, const std::string& service, const std::string& ends);
  // `packet.flow` decides its name. `from`, `to`, `source`, `destination` and `body` must be set.
  void send(FakePacket&& packet);
  // The same without a move, for those who send much: a fresh packet, where it stays until it is
  // delivered. It is to be filled in, and sent before anything else is.
  FakePacket& draft();
  void send_draft();
  // Lets everything that is due now arrive. Not reentrant: calls from within a delivery do nothing.
  void settle();
  // Whether the link between two hosts might touch packets of `transport`: false where it is
  // transparent, or has only rules for other protocols.
  bool crosses_faults(HostId from, HostId to, Transport transport) const;
  // True while a packet is on a link or waits for settle().
  bool under_way() const;

  // Forgets what is under way, for the end of a world: packets hold what belongs to sockets.
  void abandon();

  // A datagram was read, or was found unread at the end; told to the observer.
  void arrived(const PacketTrace& packet, Instant arrived_at, bool read);
  const NetworkCounters& counters() const;
  FakeLoop& loop();
  BytePool& pool();
  bool captures() const { return capture() != nullptr; }  // somebody wants octets and activities
  FakeCapture* capture() const;                           // for Unix traffic; may be null
  bool wants_activities() const;  // somebody would see FakePacket::activity of a datagram
  // Parts of what was sent, in order, hashed: "time", "link" (ways and fates), "headers",
  // "payload".
  std::map<std::string, uint64_t> fingerprints() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig
