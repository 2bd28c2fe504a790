#pragma once
// One simulated socket, whoever holds a handle to it. Every operation is tried at once and answers
// EAGAIN where a blocking call would wait; FakeHost does the waiting, on `waiters`.
// Implementations: udp_socket, tcp_socket, unix_stream_socket (with seqpacket),
// unix_datagram_socket. What is common to all (SOL_SOCKET options, pending error) is kept here.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "harness/base/errno.h"
#include "harness/net/endpoint.h"
#include "harness/sockets/loop.h"
#include "harness/sockets/socket_api.h"
#include "harness/sockets/wait_list.h"

namespace netrig {

class FakeHost;
class FakeSocket;
using SocketRef = std::shared_ptr<FakeSocket>;

// SO_RCVTIMEO and the like, of every family. Values as Linux reports them.
struct SocketOptions {
  bool nonblocking = false;
  bool reuse_address = false;
  bool reuse_port = false;
  bool keepalive = false;
  bool broadcast = false;
  bool pass_credentials = false;  // SO_PASSCRED
  std::optional<Duration> receive_timeout;
  std::optional<Duration> send_timeout;
  LingerOption linger;
  int receive_buffer = 212992;  // as getsockopt tells: what was set, doubled
  int send_buffer = 212992;
  int receive_low_water = 1;
};

// A message to send, gathered by FakeHost.
struct OutgoingMessage {
  std::span<const ByteView> parts;
  size_t size = 0;  // of all parts
  int flags = 0;    // MSG_...
  std::optional<Endpoint> to;
  std::vector<SocketRef> rights;  // SCM_RIGHTS
  std::optional<Credentials> credentials;
};

// What was received; `size` octets were put into the caller's parts.
struct IncomingMessage {
  size_t size = 0;  // with MSG_TRUNC of a datagram its real length
  Endpoint from;
  bool has_from = false;
  int flags = 0;  // MSG_TRUNC, MSG_CTRUNC, MSG_EOR
  std::vector<SocketRef> rights;
  std::vector<Credentials> credentials;
};

class FakeSocket : public std::enable_shared_from_this<FakeSocket> {
 public:
  FakeSocket(FakeHost& host, int domain, int type, Transport transport)
      : host_(host), domain_(domain), type_(type), transport_(transport) {}
  virtual ~FakeSocket() = default;
  FakeSocket(const FakeSocket&) = delete;
  FakeSocket& operator=(const FakeSocket&) = delete;

  int domain() const { return domain_; }
  int type() const { return type_; }
  Transport transport() const { return transport_; }
  FakeHost& host() const { return host_; }
  SocketOptions& options() { return options_; }
  WaitList& waiters() { return waiters_; }

  // ---- calls; errno as Linux gives it
  virtual Result<void> bind(const Endpoint& local) = 0;
  virtual Result<void> listen(int backlog) = 0;
  virtual Result<SocketRef> accept(Endpoint& peer) = 0;
  // Starts; EINPROGRESS if it cannot be finished at once, EAGAIN for a Unix backlog that is full. A
  // blocking caller then waits on waiters() and asks connect_finished(). `was_blocking` tells
  // Linux's rules for a repeated connect apart.
  virtual Result<void> connect(const Endpoint& peer) = 0;
  // After EINPROGRESS: EINPROGRESS still, or what became of it.
  virtual Result<void> connect_finished() { return {}; }
  virtual Result<void> shutdown(int how) = 0;
  virtual Result<size_t> send(const OutgoingMessage& message) = 0;
  // Fills in `message`, which is a fresh one.
  virtual Result<void> receive(std::span<const std::span<char>> parts, int flags,
                               IncomingMessage& message) = 0;
  virtual Result<Endpoint> local_endpoint() const = 0;
  virtual Result<Endpoint> peer_endpoint() const = 0;
  virtual size_t readable_octets() const = 0;
  // POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP | POLLPRI, whatever holds now.
  virtual short poll_events() const = 0;
  // Level and name that are not of SOL_SOCKET, or that the family answers in its own way.
  // ENOPROTOOPT where unknown.
  virtual Result<int64_t> get_option(int level, int name);
  virtual Result<void> set_option(int level, int name, int64_t value);
  virtual Result<Bytes> get_option_bytes(int level, int name, size_t size);
  virtual Result<void> set_option_bytes(int level, int name, ByteView value);
  virtual Result<Credentials> peer_credentials() const;
  // The last handle was closed. True if close(2) must wait (SO_LINGER) until `lingered()`.
  virtual bool closed() = 0;
  virtual bool lingered() const { return true; }
  // At the end of the run: datagrams that were never read are told to the network.
  virtual void drain_unread() {}

  // SO_ERROR: answered once.
  std::optional<Errno> take_error() { return std::exchange(error_, std::nullopt); }
  bool has_error() const { return error_.has_value(); }
  void set_error(Errno error) {
    error_ = error;
    changed();
  }
  // Whoever waits looks again.
  void changed();

  size_t handles = 0;                    // of FakeHost, and in SCM_RIGHTS under way
  void set_linger(LingerOption linger);  // SO_LINGER

 protected:
  FakeHost& host_;
  // Options that change nothing here but what is answered later.
  int kept_option(int level, int name, int standard) const;
  Result<void> keep_option(int level, int name, int value);
  void inherit_options(const FakeSocket& from);  // as a listener's child does

  SocketOptions options_;
  bool send_buffer_set_ = false;     // SOCK_SNDBUF_LOCK
  bool receive_buffer_set_ = false;  // SOCK_RCVBUF_LOCK
  std::optional<Errno> error_;

 private:
  WaitList waiters_;
  std::map<std::pair<int, int>, int> kept_options_;  // by level and name
  int domain_;
  int type_;
  Transport transport_;
};

}  // namespace netrig
