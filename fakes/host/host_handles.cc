// FakeHost: handles, and how a fiber waits for a socket.

#include <cerrno>
#include <poll.h>

#include "fakes/host/host_parts.h"

namespace netrig {
namespace {

constexpr int kFirstHandle = 3;  // as a process's first descriptor usually is

}  // namespace

SocketRef FakeHost::Parts::find(Socket socket) const {
  const auto place = static_cast<size_t>(static_cast<int64_t>(socket.handle) - kFirstHandle);
  return place < handles.size() ? handles[place] : nullptr;
}

// The lowest free number, as POSIX has it. `counted`: SCM_RIGHTS counts as a handle already.
Result<Socket> FakeHost::Parts::add_handle(const SocketRef& socket, bool counted) {
  if (!counted) ++socket->handles;
  size_t place = handles.size();
  if (!free_handles.empty()) {
    place = static_cast<size_t>(free_handles.top());
    free_handles.pop();
    handles[place] = socket;
  } else if (handles.size() < options.handles_max) {
    handles.push_back(socket);
  } else {
    release(socket, false);
    return fail_with(EMFILE);
  }
  return Socket{static_cast<int>(place) + kFirstHandle};
}

void FakeHost::Parts::release(const SocketRef& socket, bool may_wait) {
  if (--socket->handles > 0) return;
  const bool waits = socket->closed();
  socket->changed();
  if (waits && may_wait) linger(socket);
}

// close(2) with SO_LINGER waits for the last acknowledgement; the fiber does, not the thread.
void FakeHost::Parts::linger(const SocketRef& socket) {
  if (!loop().inside_fiber() || loop().unwinding()) return;
  const Instant limit = loop().now() + std::chrono::seconds(socket->options().linger.seconds);
  settle();
  while (!socket->lingered() && loop().now() < limit) {
    if (socket->waiters().wait(loop(), limit) == Loop::Woken::kDeadline) return;
  }
}

Result<void> FakeHost::close(Socket socket) {
  Parts& parts = *parts_;
  const Parts::Call call(parts);
  const SocketRef found = parts.find(socket);
  if (!found) return fail_with(EBADF);
  const int place = socket.handle - kFirstHandle;
  parts.handles[static_cast<size_t>(place)].reset();
  parts.free_handles.push(place);
  parts.release(found, true);
  return {};
}

bool FakeHost::Parts::may_block(FakeSocket& socket, int flags) const {
  return !socket.options().nonblocking && (flags & MSG_DONTWAIT) == 0 && loop().inside_fiber();
}

Instant FakeHost::Parts::limit_of(const std::optional<Duration>& timeout) const {
  if (!timeout) return Instant::max();
  const Instant now = loop().now();
  return *timeout > Instant::max() - now ? Instant::max() : now + *timeout;
}

Result<void> FakeHost::Parts::park(const SocketRef& socket, Instant limit) {
  const auto woken = socket->waiters().wait(loop(), limit);
  if (socket->handles == 0) return fail_with(EBADF);  // closed by another fiber
  if (woken == Loop::Woken::kWoken) return {};
  if (loop().now() >= limit && limit <= loop().deadline()) return fail_with(EAGAIN);
  return fail_with(Errno::timeout());
}

Result<void> FakeHost::Parts::wait(const SocketRef& socket, short events, Instant limit,
                                   bool& at_once) {
  settle();
  const auto mask = static_cast<short>(events | POLLERR | POLLHUP);
  const auto ready = [&] { return (socket->poll_events() & mask) != 0; };
  // A socket that is ready though the call would block again (a datagram socket that is shut down)
  // must not keep the fiber from waiting.
  if (!at_once && ready()) {
    at_once = true;
    return {};
  }
  do {
    if (auto woken = park(socket, limit); !woken) return woken;
  } while (!ready());
  at_once = false;
  return {};
}

}  // namespace netrig
