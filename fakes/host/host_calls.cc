// FakeHost: bind, listen, accept, connect, shutdown, names, options.

#include <cerrno>
#include <limits>
#include <poll.h>

#include "fakes/host/host_parts.h"

namespace netrig {
namespace {

constexpr size_t kOptionBytesMax = 65536;
constexpr size_t kSunPath = 108;

bool is_timeout(int level, int name) {
  return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

// What never becomes a sockaddr_un.
bool is_impossible(const Endpoint& endpoint) {
  if (endpoint.kind() != Endpoint::Kind::kUnix) return false;
  if (endpoint.path().size() > kSunPath) return true;
  return !endpoint.is_abstract() && endpoint.path().find('\0') != std::string::npos;
}

}  // namespace

Result<void> FakeHost::bind(Socket socket, const Endpoint& local) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  if (is_impossible(local)) return fail_with(EINVAL);
  return found->bind(local);
}

Result<void> FakeHost::listen(Socket socket, int backlog) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  return found->listen(backlog);
}

Result<Accepted> FakeHost::accept(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  Parts& parts = *parts_;
  const Parts::Call call(parts);
  const auto limit = parts.limit_of(found->options().receive_timeout);
  bool at_once = false;
  while (true) {
    Accepted accepted;
    auto made = found->accept(accepted.peer);
    if (made) {
      const auto handle = parts.add_handle(*made, false);
      if (!handle) return fail_with(handle.error());
      accepted.socket = *handle;
      return accepted;
    }
    if (made.error() != Errno(EAGAIN) || !parts.may_block(*found, 0)) {
      return fail_with(made.error());
    }
    if (auto ready = parts.wait(found, POLLIN, limit, at_once); !ready) {
      return fail_with(ready.error());
    }
  }
}

Result<void> FakeHost::connect(Socket socket, const Endpoint& peer) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  Parts& parts = *parts_;
  const Parts::Call call(parts);
  const auto limit = parts.limit_of(found->options().send_timeout);
  const bool is_ip = found->domain() != AF_UNIX;
  if (is_ip != (peer.kind() == Endpoint::Kind::kIp)) return fail_with(EAFNOSUPPORT);
  if (is_impossible(peer)) return fail_with(EINVAL);
  while (true) {
    auto done = found->connect(peer);
    if (done || !parts.may_block(*found, 0)) return done;
    if (done.error() == Errno(EINPROGRESS) || done.error() == Errno(EALREADY)) break;
    if (done.error() != Errno(EAGAIN) || is_ip) return done;
    // unix(7): the listener's backlog is full.
    if (auto woken = parts.park(found, limit); !woken) return woken;
  }
  while (true) {
    parts.settle();
    auto done = found->connect_finished();
    if (done || done.error() != Errno(EINPROGRESS)) return done;
    auto woken = parts.park(found, limit);
    // socket(7): after SO_SNDTIMEO connect answers EINPROGRESS.
    if (!woken && woken.error() == Errno(EAGAIN)) return fail_with(EINPROGRESS);
    if (!woken) return woken;
  }
}

Result<void> FakeHost::shutdown(Socket socket, int how) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  return found->shutdown(how);
}

Result<Endpoint> FakeHost::getsockname(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  return found->local_endpoint();
}

Result<Endpoint> FakeHost::getpeername(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  return found->peer_endpoint();
}

// FIONREAD; EINVAL for a listener (tcp_ioctl, unix_inq_len).
Result<size_t> FakeHost::readable_octets(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  if (found->get_option(SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0) return fail_with(EINVAL);
  return found->readable_octets();
}

Result<int64_t> FakeHost::getsockopt(Socket socket, int level, int name) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  if (is_timeout(level, name)) {
    const auto& options = found->options();
    const auto& timeout = name == SO_RCVTIMEO ? options.receive_timeout : options.send_timeout;
    return timeout.value_or(Duration{0}) / 1us;
  }
  return found->get_option(level, name);
}

Result<void> FakeHost::setsockopt(Socket socket, int level, int name, int64_t value) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  if (is_timeout(level, name)) {
    // socket(7): zero means no timeout; Linux answers EDOM for negative microseconds.
    if (value < 0 || value > std::numeric_limits<int64_t>::max() / 2000) return fail_with(EDOM);
    auto& options = found->options();
    auto& timeout = name == SO_RCVTIMEO ? options.receive_timeout : options.send_timeout;
    timeout = value == 0 ? std::nullopt : std::optional<Duration>(value * 1us);
    return {};
  }
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    return fail_with(EINVAL);
  }
  auto done = found->set_option(level, name, value);
  found->changed();  // SO_RCVLOWAT and the like decide who waits
  return done;
}

Result<void> FakeHost::set_linger(Socket socket, LingerOption linger) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  found->set_linger(linger);
  return {};
}

Result<LingerOption> FakeHost::get_linger(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  return found->options().linger;
}

Result<Bytes> FakeHost::getsockopt_bytes(Socket socket, int level, int name, size_t size) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  return found->get_option_bytes(level, name, std::min(size, kOptionBytesMax));
}

Result<void> FakeHost::setsockopt_bytes(Socket socket, int level, int name, ByteView value) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  if (value.size() > kOptionBytesMax) return fail_with(EINVAL);
  return found->set_option_bytes(level, name, value);
}

Result<Credentials> FakeHost::peer_credentials(Socket socket) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  return found->peer_credentials();
}

}  // namespace netrig
