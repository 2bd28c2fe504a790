#pragma once
// What the world knows of one kernel socket, whoever holds a handle to it, and the register of all
// of them: which socket of the world a datagram is for, and which state a received descriptor
// belongs to.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/base/time.h"
#include "harness/link/fate.h"
#include "harness/net/endpoint.h"
#include "harness/sockets/loop.h"
#include "harness/sockets/wait_list.h"

namespace netrig {

// A datagram that the kernel took for a socket, not read yet.
struct ExpectedDatagram {
  PacketName packet;
  uint32_t copy = 0;
  bool corrupted = false;
  uint64_t hash = 0;
  Instant sent_at;
  Instant arrived_at;
};

struct SocketState {
  // Unread datagrams remembered; a kernel receive buffer holds far fewer.
  static constexpr size_t kExpectedMax = 100'000;

  Fd fd;            // O_NONBLOCK; what blocks is the fiber
  uint64_t id = 0;  // SO_COOKIE: one number a kernel socket
  size_t host = 0;
  int domain = 0;
  int type = 0;
  Transport transport = Transport::kTcp;
  bool is_socket = true;  // false: another descriptor, received by SCM_RIGHTS

  // What a socket option or fcntl(2) set, and the kernel does not do for us.
  bool nonblocking = false;
  std::optional<Duration> receive_timeout;
  std::optional<Duration> send_timeout;

  bool bound = false;       // by bind()
  bool has_source = false;  // bound to an address, by bind() or by us
  bool listening = false;
  Endpoint local;  // IPv4-mapped addresses as IPv4; Unix paths normalised
  std::optional<Endpoint> peer;
  size_t handles = 0;
  bool passed = false;  // a descriptor of it was sent to somebody

  // Unix sockets.
  uint64_t connection = 0;    // in the synthetic capture; 0: none
  bool is_client = false;     // of that connection
  bool peer_outside = false;  // the other end is not of this world: what it sends is recorded here
  std::string service;        // name of the service in the capture
  std::deque<uint64_t> backlog;  // of a listener: connections of this world not accepted yet
  uint64_t pair_peer = 0;        // id of the other end of a socketpair
  // Who waits until this socket has room: its listener's backlog, its receive queue.
  std::shared_ptr<WaitList> room = std::make_shared<WaitList>();

  std::deque<ExpectedDatagram> expected;
  void expect(ExpectedDatagram datagram) {
    expected.push_back(std::move(datagram));
    if (expected.size() > kExpectedMax) expected.pop_front();
  }
  // An error (ECONNREFUSED by ICMP) that a delayed emission met and the next call has to answer.
  std::optional<Errno> deferred_error;
};

class SocketRegister {
 public:
  void add(const std::shared_ptr<SocketState>& state);
  // After `local` changed.
  void refresh(SocketState& state);
  void remove(SocketState& state);

  std::shared_ptr<SocketState> by_id(uint64_t id) const;
  // A closed one whose descriptor is still under way as ancillary data keeps its settings.
  void keep_passed(std::shared_ptr<SocketState> state);
  std::shared_ptr<SocketState> take_passed(uint64_t id);

  // The open socket that gets what `from` sends to `to`: one connected to `from` before one that is
  // not, one bound to the address before one bound to all. Null if it is none of this world's.
  SocketState* receiver(Transport transport, const Endpoint& to, const Endpoint& from) const;
  SocketState* listener(const Endpoint& local) const;
  // The open socket that sends from `from` to `to`, be it connected to there, elsewhere or not.
  SocketState* sender(Transport transport, const Endpoint& from, const Endpoint& to) const;
  // Others bound to the same endpoint (SO_REUSEPORT): the kernel may give them each other's
  // datagrams.
  std::vector<SocketState*> sharing(const SocketState& state) const;
  std::vector<std::shared_ptr<SocketState>> all() const;

 private:
  std::map<uint64_t, std::weak_ptr<SocketState>> by_id_;
  std::multimap<Endpoint, SocketState*> by_endpoint_;
  std::map<const SocketState*, Endpoint> registered_;
  std::map<uint64_t, std::shared_ptr<SocketState>> passed_;
};

// FNV-1a, for telling datagrams apart; not for untrusted keys.
class OctetHash {
 public:
  void add(std::string_view octets) {
    for (const char c : octets) {
      value_ = (value_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    }
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

// RCV_SHUTDOWN, which ends a blocking call of a socket whose non-blocking ones answer EAGAIN.
bool reading_ended(int fd);

}  // namespace netrig
