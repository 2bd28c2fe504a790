#include "harness/real/real_sockets.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness/net/mapped_address.h"
#include "harness/real/sockaddr.h"
#include "harness/sockets/socket_kind.h"

namespace netrig {
namespace {

constexpr int kFirstHandle = 3;  // as a process's first descriptor usually is
constexpr Duration kLingerPoll = 1ms;

template <typename T>
Result<T> get_option(int fd, int level, int name) {
  T value{};
  socklen_t length = sizeof(value);
  if (::getsockopt(fd, level, name, &value, &length) != 0) return fail_with(errno);
  return value;
}

}  // namespace

Result<Socket> RealSockets::socket(int domain, int type, int protocol) {
  if ((type & (SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail_with(EINVAL);
  const auto transport = transport_of(domain, type);
  if (!transport) return fail_with(transport.error());
  if (!protocol_allowed(*transport, protocol)) return fail_with(EPROTONOSUPPORT);
  context_.enter(host_, domain);
  Fd fd(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd) return fail_with(errno);
  if (*transport == Transport::kTcp) choose_congestion(fd.get());
  auto state = adopt(std::move(fd));
  if (!state) return fail_with(state.error());
  return add_handle(*state);
}

// tcp(7): with CAP_NET_ADMIN also one that the namespace may not have as its default.
void RealSockets::choose_congestion(int fd) {
  const std::string& name = context_.congestion;
  if (name.empty()) return;
  if (::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                   static_cast<socklen_t>(name.size())) == 0) {
    return;
  }
  auto sentence = "this kernel has no congestion control '" + name + "' for us";
  auto& told = context_.unsupported;
  if (std::ranges::find(told, sentence) == told.end()) told.push_back(std::move(sentence));
}

Result<std::pair<Socket, Socket>> RealSockets::socketpair(int domain, int type, int protocol) {
  if ((type & (SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail_with(EINVAL);
  const auto transport = transport_of(domain, type);
  if (!transport) return fail_with(transport.error());
  int ends[2] = {-1, -1};
  if (::socketpair(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, ends) != 0) {
    return fail_with(errno);
  }
  auto first = adopt(Fd(ends[0]));
  auto second = adopt(Fd(ends[1]));
  if (!first) return fail_with(first.error());
  if (!second) return fail_with(second.error());
  (*first)->pair_peer = (*second)->id;
  (*second)->pair_peer = (*first)->id;
  if (has_connections(*transport)) {
    const uint64_t connection = context_.next_connection++;
    for (const State& state : {*first, *second}) {
      state->connection = connection;
      state->service = "socketpair";
    }
    (*first)->is_client = true;
    if (*transport == Transport::kUnixStream) {
      context_.tap.unix_connected(connection, "socketpair", context_.loop.activity());
    }
  }
  const Socket a = add_handle(*first);
  return std::pair(a, add_handle(*second));
}

Result<void> RealSockets::close(Socket socket) {
  const auto found = handles_.find(socket.handle);
  if (found == handles_.end()) return fail_with(EBADF);
  const State state = found->second;
  handles_.erase(found);
  if (--state->handles == 0) close_state(state, true);
  return {};
}

void RealSockets::close_all() {
  while (!handles_.empty()) {
    const State state = handles_.begin()->second;
    handles_.erase(handles_.begin());
    if (--state->handles == 0) close_state(state, false);
  }
}

Result<void> RealSockets::set_nonblocking(Socket socket, bool on) {
  auto state = find(socket);
  if (!state) return fail_with(state.error());
  (*state)->nonblocking = on;
  return {};
}

Result<void> RealSockets::bind(Socket socket, const Endpoint& local) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  SocketState& state = **found;
  if (auto allowed = context_.policy.may_bind(host_, local); !allowed) return allowed;
  const auto address = to_socket_address(local);
  if (!address) return fail_with(address.error());
  if (::bind(state.fd.get(), address->get(), address->length) != 0) return fail_with(errno);
  state.bound = true;
  state.has_source = true;
  if (const auto name = local_endpoint(state.fd.get())) {
    state.local = unmapped(*name);
    if (state.local.kind() == Endpoint::Kind::kUnix && !state.local.is_abstract()) {
      state.local = Endpoint::unix_path(normalised_path(state.local.path()));
    }
    if (!is_unix(state.transport)) context_.tap.comments().port_used(state.local.port());
  }
  context_.sockets.refresh(state);
  return {};
}

Result<void> RealSockets::listen(Socket socket, int backlog) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  SocketState& state = **found;
  // listen() on an unbound TCP socket binds it to all addresses, here to the host's own.
  if (::listen(state.fd.get(), backlog) != 0) return fail_with(errno);
  state.listening = true;
  if (state.transport == Transport::kTcp) {
    if (const auto name = local_endpoint(state.fd.get())) state.local = unmapped(*name);
    context_.tap.comments().tcp_listening(state.local, context_.loop.activity());
  }
  context_.sockets.refresh(state);
  return {};
}

Result<Accepted> RealSockets::accept(Socket socket) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  const State& listener = *found;
  const auto limit = limit_of(listener->receive_timeout);
  SocketAddress peer;
  Fd fd;
  while (true) {
    peer.length = sizeof(peer.storage);
    fd = Fd(::accept4(listener->fd.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) break;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !may_block(*listener, 0)) return fail_with(errno);
    if (is_unix(listener->transport) && reading_ended(listener->fd.get())) return fail_with(EINVAL);
    if (auto ready = wait(listener, EPOLLIN, limit); !ready) return fail_with(ready.error());
  }
  listener->room->wake_all(context_.loop);
  auto made = adopt(std::move(fd));
  if (!made) return fail_with(made.error());
  SocketState& state = **made;
  const Endpoint from = from_socket_address(peer);
  state.peer = unmapped(from);
  state.has_source = true;
  if (is_unix(state.transport)) {
    // The kernel's backlog is in order of connect; only connections of this process stand in ours.
    const auto credentials = get_option<ucred>(state.fd.get(), SOL_SOCKET, SO_PEERCRED);
    const bool ours = credentials && credentials->pid == ::getpid() && !listener->backlog.empty();
    state.service = listener->local.to_string();
    if (ours) {
      state.connection = listener->backlog.front();
      listener->backlog.pop_front();
    } else {
      state.connection = context_.next_connection++;
      state.peer_outside = true;
      if (state.transport == Transport::kUnixStream) {
        context_.tap.unix_connected(state.connection, state.service, context_.loop.activity());
      }
    }
  }
  return Accepted{add_handle(*made), from};
}

Result<void> RealSockets::shutdown(Socket socket, int how) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  SocketState& state = **found;
  if (::shutdown(state.fd.get(), how) != 0) return fail_with(errno);
  if (how == SHUT_WR || how == SHUT_RDWR) tell_closing(state, false);
  if (state.transport == Transport::kTcp) context_.carry(host_);
  return {};
}

Result<RealSockets::State> RealSockets::find(Socket socket) const {
  const auto found = handles_.find(socket.handle);
  if (found == handles_.end()) return fail_with(EBADF);
  return found->second;
}

Socket RealSockets::add_handle(const State& state) {
  int handle = kFirstHandle;
  for (const auto& [used, other] : handles_) {  // the lowest free number, as POSIX has it
    if (used != handle) break;
    ++handle;
  }
  handles_.emplace(handle, state);
  ++state->handles;
  return Socket{handle};
}

Result<RealSockets::State> RealSockets::adopt(Fd fd) {
  const auto id = get_option<uint64_t>(fd.get(), SOL_SOCKET, SO_COOKIE);
  auto state = std::make_shared<SocketState>();
  state->host = host_;
  if (!id) {
    // Not a socket: it can be held, passed on and closed.
    state->is_socket = false;
    state->transport = Transport::kUnixStream;
    state->fd = std::move(fd);
    return state;
  }
  if (auto known = context_.sockets.by_id(*id); known && known->fd) return known;
  if (auto kept = context_.sockets.take_passed(*id)) {
    kept->fd = std::move(fd);
    kept->host = host_;
    if (const auto name = local_endpoint(kept->fd.get())) kept->local = unmapped(*name);
    context_.sockets.add(kept);
    return kept;
  }
  state->id = *id;
  state->domain = get_option<int>(fd.get(), SOL_SOCKET, SO_DOMAIN).value_or(0);
  state->type = get_option<int>(fd.get(), SOL_SOCKET, SO_TYPE).value_or(0);
  const auto transport = transport_of(state->domain, state->type);
  if (!transport) return fail_with(transport.error());
  state->transport = *transport;
  state->listening = get_option<int>(fd.get(), SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0;
  state->local = unmapped(local_endpoint(fd.get()).value_or(Endpoint()));
  if (const auto peer = peer_endpoint(fd.get())) state->peer = unmapped(*peer);
  state->fd = std::move(fd);
  context_.sockets.add(state);
  return state;
}

void RealSockets::close_state(const State& state, bool may_wait) {
  if (!state->is_socket) return state->fd.reset();
  tell_closing(*state, true);
  context_.datagrams.drain_unread(*state);
  if (may_wait) linger(*state);
  context_.loop.forget(state->fd.get());
  state->room->wake_all(context_.loop);
  context_.sockets.remove(*state);
  state->fd.reset();
  if (state->passed) context_.sockets.keep_passed(state);
  if (state->transport == Transport::kTcp) context_.carry(host_);
}

// SO_LINGER makes the kernel's close() wait, O_NONBLOCK or not, and with it the whole thread. So
// the fiber waits until everything is acknowledged or the time is up, and close() finds nothing to
// wait for.
void RealSockets::linger(SocketState& state) {
  if (state.transport != Transport::kTcp || !state.fd) return;
  const auto option = get_option<::linger>(state.fd.get(), SOL_SOCKET, SO_LINGER);
  if (!option || option->l_onoff == 0 || option->l_linger == 0) return;
  Loop& loop = context_.loop;
  const ::linger off{};
  ::setsockopt(state.fd.get(), SOL_SOCKET, SO_LINGER, &off, sizeof(off));
  if (state.nonblocking || !loop.inside_fiber() || loop.unwinding()) return;
  const Instant limit = loop.now() + std::chrono::seconds(option->l_linger);
  int unsent = 0;
  while (loop.now() < limit && ::ioctl(state.fd.get(), SIOCOUTQ, &unsent) == 0 && unsent > 0) {
    const Instant next = loop.now() + kLingerPoll;
    if (loop.sleep_until(std::min(limit, next)) == Loop::Woken::kDeadline) return;
  }
}

// For the capture: whose FIN it is.
void RealSockets::tell_closing(SocketState& state, bool closed) {
  if (state.listening) return;
  const std::string& activity = context_.loop.activity();
  const std::string words = activity.empty() ? "end of the run" : activity;
  if (state.transport == Transport::kTcp) {
    if (!state.peer) return;
    context_.tap.comments().tcp_closing(state.local, *state.peer, words);
    context_.tap.gave(0);
    return;
  }
  if (state.transport != Transport::kUnixStream || state.connection == 0) return;
  int unread = 0;
  // unix(7): closing with unread octets resets the connection.
  const bool reset = closed && ::ioctl(state.fd.get(), FIONREAD, &unread) == 0 && unread > 0;
  if (reset) {
    context_.tap.unix_reset(state.connection, state.is_client, words);
  } else {
    context_.tap.unix_finished(state.connection, state.is_client, words);
  }
}

Result<void> RealSockets::wait(const State& state, uint32_t epoll_events,
                               std::optional<Instant> limit) {
  const int fd = state->fd.get();
  if (fd < 0) return fail_with(EBADF);
  const auto result = context_.loop.wait_ready(fd, epoll_events, limit.value_or(Instant::max()));
  if (!state->fd) return fail_with(EBADF);  // closed by another fiber
  return woken(result, limit);
}

Result<void> RealSockets::wait_for_room(const State& state, SocketState* full,
                                        std::optional<Instant> limit) {
  Loop& loop = context_.loop;
  Loop::Woken result = Loop::Woken::kWoken;
  if (full != nullptr) {
    const auto room = full->room;  // outlives its socket while we wait
    result = room->wait(loop, limit.value_or(Instant::max()));
  } else {
    // The receiver is another process: nobody will tell us.
    const Instant next = loop.now() + 1ms;
    if (loop.park(std::min(next, limit.value_or(next))) == Loop::Woken::kDeadline &&
        (loop.now() >= loop.deadline() || (limit && loop.now() >= *limit))) {
      result = Loop::Woken::kDeadline;
    }
  }
  if (!state->fd) return fail_with(EBADF);
  return woken(result, limit);
}

Result<void> RealSockets::woken(Loop::Woken woken, std::optional<Instant> limit) const {
  if (woken == Loop::Woken::kWoken) return {};
  const Loop& loop = context_.loop;
  if (limit && loop.now() >= *limit && *limit <= loop.deadline()) return fail_with(EAGAIN);
  return fail_with(Errno::timeout());
}

std::optional<Instant> RealSockets::limit_of(const std::optional<Duration>& timeout) const {
  if (!timeout) return std::nullopt;
  return context_.loop.now() + *timeout;
}

bool RealSockets::may_block(const SocketState& state, int flags) const {
  return !state.nonblocking && (flags & MSG_DONTWAIT) == 0 && context_.loop.inside_fiber();
}

}  // namespace netrig
