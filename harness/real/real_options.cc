// RealSockets: options, names and poll.

#include <algorithm>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness/real/real_sockets.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

constexpr size_t kOptionBytesMax = 65536;

bool is_timeout(int level, int name) {
  return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

}  // namespace

Result<int64_t> RealSockets::getsockopt(Socket socket, int level, int name) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  SocketState& state = **found;
  if (is_timeout(level, name)) {
    const auto& timeout = name == SO_RCVTIMEO ? state.receive_timeout : state.send_timeout;
    return timeout.value_or(Duration{0}).count() / 1000;
  }
  if (level == SOL_SOCKET && name == SO_ERROR && state.deferred_error) {
    return std::exchange(state.deferred_error, {})->value();
  }
  int64_t wide = 0;  // some options are 64 bits wide (SO_COOKIE); most use the first four octets
  socklen_t length = sizeof(wide);
  if (::getsockopt(state.fd.get(), level, name, &wide, &length) != 0) return fail_with(errno);
  if (length == sizeof(wide)) return wide;
  return int64_t{static_cast<int32_t>(wide)};
}

Result<void> RealSockets::setsockopt(Socket socket, int level, int name, int64_t value) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  SocketState& state = **found;
  if (is_timeout(level, name)) {
    // socket(7): zero means no timeout; Linux answers EDOM for negative microseconds.
    if (value < 0) return fail_with(EDOM);
    if (value > std::numeric_limits<int64_t>::max() / 2000) return fail_with(EDOM);
    auto& timeout = name == SO_RCVTIMEO ? state.receive_timeout : state.send_timeout;
    timeout = value == 0 ? std::nullopt : std::optional(Duration(value * 1000));
    return {};
  }
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    return fail_with(EINVAL);
  }
  const int narrow = static_cast<int>(value);
  if (::setsockopt(state.fd.get(), level, name, &narrow, sizeof(narrow)) != 0) {
    return fail_with(errno);
  }
  return {};
}

Result<void> RealSockets::set_linger(Socket socket, LingerOption linger) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  const ::linger value{linger.on ? 1 : 0, linger.seconds};
  if (::setsockopt((*found)->fd.get(), SOL_SOCKET, SO_LINGER, &value, sizeof(value)) != 0) {
    return fail_with(errno);
  }
  return {};
}

Result<LingerOption> RealSockets::get_linger(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  ::linger value{};
  socklen_t length = sizeof(value);
  if (::getsockopt((*found)->fd.get(), SOL_SOCKET, SO_LINGER, &value, &length) != 0) {
    return fail_with(errno);
  }
  return LingerOption{value.l_onoff != 0, value.l_linger};
}

Result<Bytes> RealSockets::getsockopt_bytes(Socket socket, int level, int name, size_t size) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  Bytes value(std::min(size, kOptionBytesMax), '\0');
  auto length = static_cast<socklen_t>(value.size());
  if (::getsockopt((*found)->fd.get(), level, name, value.data(), &length) != 0) {
    return fail_with(errno);
  }
  value.resize(std::min<size_t>(length, value.size()));
  return value;
}

Result<void> RealSockets::setsockopt_bytes(Socket socket, int level, int name, ByteView value) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  if (value.size() > kOptionBytesMax) return fail_with(EINVAL);
  if (::setsockopt((*found)->fd.get(), level, name, value.data(),
                   static_cast<socklen_t>(value.size())) != 0) {
    return fail_with(errno);
  }
  return {};
}

Result<Credentials> RealSockets::peer_credentials(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  ucred value{};
  socklen_t length = sizeof(value);
  if (::getsockopt((*found)->fd.get(), SOL_SOCKET, SO_PEERCRED, &value, &length) != 0) {
    return fail_with(errno);
  }
  return Credentials{value.pid, int64_t{value.uid}, int64_t{value.gid}};
}

Result<Endpoint> RealSockets::getsockname(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  return local_endpoint((*found)->fd.get());
}

Result<Endpoint> RealSockets::getpeername(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  return peer_endpoint((*found)->fd.get());
}

Result<size_t> RealSockets::readable_octets(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  int size = 0;
  if (::ioctl((*found)->fd.get(), FIONREAD, &size) != 0) return fail_with(errno);
  return static_cast<size_t>(std::max(size, 0));
}

Result<int> RealSockets::poll(std::span<PollEntry> entries, Duration timeout) {
  RealLoop& loop = context_.loop;
  const Instant forever = Instant::max();
  const Instant limit =
      timeout < Duration{0} || timeout > forever - loop.now() ? forever : loop.now() + timeout;
  while (true) {
    std::vector<pollfd> polled;
    std::vector<RealLoop::Interest> interests;
    for (const PollEntry& entry : entries) {
      const auto found = find(entry.socket);
      const int fd = found ? (*found)->fd.get() : -1;
      polled.push_back({fd, entry.events, 0});
      // poll(2)'s bits and epoll(7)'s are the same.
      if (found) interests.push_back({fd, static_cast<uint32_t>(entry.events)});
    }
    if (::poll(polled.data(), polled.size(), 0) < 0 && errno != EINTR) return fail_with(errno);
    int ready = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      const auto found = find(entries[i].socket);
      entries[i].revents = found ? polled[i].revents : short{POLLNVAL};
      if (found && (*found)->deferred_error) entries[i].revents |= POLLERR;
      if (entries[i].revents != 0) ++ready;
    }
    if (ready > 0 || timeout == Duration{0} || !loop.inside_fiber()) return ready;
    if (loop.wait_ready_any(interests, limit) == Loop::Woken::kWoken) continue;
    if (loop.now() >= limit && limit <= loop.deadline()) return 0;
    return fail_with(Errno::timeout());
  }
}

}  // namespace netrig
