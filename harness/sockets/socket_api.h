#pragma once
// The socket interface that the whole house is written against: POSIX's calls with POSIX's meaning
// (POSIX.1-2017 section 2.10 and Linux's socket(7), tcp(7), udp(7), unix(7)), on one host of a
// world. Real and simulated sockets differ behind it, never in front of it.
//
// A call on a blocking socket suspends the calling fiber, never the thread; outside a fiber only
// non-blocking calls are allowed. A blocked call whose fiber's deadline passes (Loop::set_deadline)
// answers Errno::timeout() and has done nothing, or says how much it did. A socket made here is
// blocking until set_nonblocking. No call raises SIGPIPE. Handles are small integers of this host,
// not descriptors of the process; using a closed one answers EBADF.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/net/endpoint.h"

namespace netrig {

struct Socket {
  int handle = -1;
  friend auto operator<=>(Socket, Socket) = default;
};

// Ancillary data of sendmsg and recvmsg (cmsg(3), unix(7)).
struct Credentials {
  int64_t pid = 0;
  int64_t uid = 0;
  int64_t gid = 0;
};
struct ControlData {
  std::vector<Socket> rights;  // SCM_RIGHTS; on receipt new handles owned by the caller
  // SCM_CREDENTIALS, zero or one. On sending a pid of 0 stands for this process's own.
  std::vector<Credentials> credentials;
};

struct ReceivedFrom {
  size_t size = 0;  // with MSG_TRUNC on a datagram: its real length, which may exceed the buffer
  Endpoint from;    // unset kinds of sender: Endpoint::unix_unnamed()
};

struct ReceivedMessage {
  size_t size = 0;
  Endpoint from;
  int flags = 0;  // MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...
  ControlData control;
};

struct Accepted {
  Socket socket;
  Endpoint peer;
};

struct PollEntry {
  Socket socket;
  short events = 0;   // POLLIN ...
  short revents = 0;  // out
};

struct LingerOption {
  bool on = false;
  int seconds = 0;
};

class SocketApi {
 public:
  virtual ~SocketApi() = default;

  // domain AF_INET, AF_INET6, AF_UNIX; type SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET (no flags or'ed
  // in).
  virtual Result<Socket> socket(int domain, int type, int protocol) = 0;
  virtual Result<std::pair<Socket, Socket>> socketpair(int domain, int type, int protocol) = 0;
  virtual Result<void> close(Socket socket) = 0;
  virtual Result<void> set_nonblocking(Socket socket, bool on) = 0;  // O_NONBLOCK

  virtual Result<void> bind(Socket socket, const Endpoint& local) = 0;
  virtual Result<void> listen(Socket socket, int backlog) = 0;
  virtual Result<Accepted> accept(Socket socket) = 0;  // the new socket is blocking
  virtual Result<void> connect(Socket socket, const Endpoint& peer) = 0;
  virtual Result<void> shutdown(Socket socket, int how) = 0;  // SHUT_RD, SHUT_WR, SHUT_RDWR

  // `flags`: MSG_PEEK, MSG_DONTWAIT, MSG_TRUNC, MSG_WAITALL, MSG_OOB...; MSG_NOSIGNAL is implied.
  // A blocking stream send returns once all octets are accepted, as Linux does.
  virtual Result<size_t> send(Socket socket, ByteView data, int flags) = 0;
  virtual Result<size_t> recv(Socket socket, std::span<char> buffer, int flags) = 0;
  virtual Result<size_t> sendto(Socket socket, ByteView data, int flags, const Endpoint& to) = 0;
  virtual Result<ReceivedFrom> recvfrom(Socket socket, std::span<char> buffer, int flags) = 0;
  // Scatter/gather with ancillary data. `to` null: the connected peer.
  virtual Result<size_t> sendmsg(Socket socket, std::span<const ByteView> parts, int flags,
                                 const Endpoint* to, const ControlData& control) = 0;
  virtual Result<ReceivedMessage> recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                          int flags) = 0;

  // Options whose value is an int (most), at (level, name) as in <sys/socket.h>, <netinet/tcp.h>.
  // SO_RCVTIMEO and SO_SNDTIMEO are given in microseconds.
  virtual Result<int64_t> getsockopt(Socket socket, int level, int name) = 0;
  virtual Result<void> setsockopt(Socket socket, int level, int name, int64_t value) = 0;
  virtual Result<void> set_linger(Socket socket, LingerOption linger) = 0;  // SO_LINGER
  virtual Result<LingerOption> get_linger(Socket socket) = 0;
  virtual Result<Bytes> getsockopt_bytes(Socket socket, int level, int name, size_t size) = 0;
  virtual Result<void> setsockopt_bytes(Socket socket, int level, int name, ByteView value) = 0;
  virtual Result<Credentials> peer_credentials(Socket socket) = 0;  // SO_PEERCRED

  virtual Result<Endpoint> getsockname(Socket socket) = 0;
  virtual Result<Endpoint> getpeername(Socket socket) = 0;

  // Octets that wait to be read (FIONREAD): a stream's total, a datagram socket's next datagram.
  virtual Result<size_t> readable_octets(Socket socket) = 0;

  // Waits until an entry is ready or `timeout` passes (negative: for ever; zero: at once). Returns
  // how many entries have revents set. A closed handle gets POLLNVAL.
  virtual Result<int> poll(std::span<PollEntry> entries, Duration timeout) = 0;
};

}  // namespace netrig
