// RealSockets: connect(2) and what goes before it: which source address, which link.

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "harness/net/mapped_address.h"
#include "harness/real/kernel_datagram.h"
#include "harness/real/real_sockets.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

bool decided(int fd) {
  pollfd entry{fd, POLLOUT, 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace

Result<void> RealSockets::connect(Socket socket, const Endpoint& peer) {
  auto found = find(socket);
  if (!found) return fail_with(found.error());
  const State& state = *found;
  if (auto allowed = context_.policy.may_reach(peer); !allowed) return allowed;
  const bool ip_socket = state->domain != AF_UNIX;
  if (ip_socket != (peer.kind() == Endpoint::Kind::kIp)) return fail_with(EAFNOSUPPORT);
  if (auto ready = prepare_source(*state, peer); !ready) return ready;
  if (!has_connections(state->transport)) return connect_datagram(*state, peer);
  if (auto passes = check_link(*state, peer); !passes) return passes;
  return connect_stream(state, peer);
}

// All hosts' addresses are on one device, so the kernel would take the destination's own address as
// the source. The port is left to connect(2), which knows the whole connection (ip(7),
// IP_BIND_ADDRESS_NO_PORT).
Result<void> RealSockets::prepare_source(SocketState& state, const Endpoint& peer) {
  if (state.has_source || peer.kind() != Endpoint::Kind::kIp) return {};
  const IpAddress target = unmapped(peer.address());
  const bool of_world = context_.hosts.by_address(target).has_value() ||
                        (context_.hosts.host_network() && !target.is_v6() && target.is_loopback());
  if (!of_world) return {};
  IpAddress source = context_.hosts.address(host_, target.is_v6());
  if (!source.is_v6() && state.domain == AF_INET6) source = mapped(source);
  const int on = 1;
  ::setsockopt(state.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  const auto address = to_socket_address(Endpoint(source, 0));
  if (::bind(state.fd.get(), address->get(), address->length) != 0) {
    // EINVAL: the kernel bound it already, when it first sent something. It keeps that address.
    return errno == EINVAL ? Result<void>() : fail_with(errno);
  }
  state.has_source = true;
  state.local = Endpoint(unmapped(source), 0);
  return {};
}

Result<void> RealSockets::check_link(const SocketState& state, const Endpoint& peer) {
  const size_t host = context_.datagrams.names().host_of(state, unmapped(peer));
  const auto fault = context_.datagrams.stream_fault(state.transport, host_, host);
  if (!fault) return {};
  auto sentence = fmt::format("{} cannot be applied to {} streams on real{}", *fault,
                              transport_name(state.transport),
                              state.transport == Transport::kTcp ? ": fake and wire can" : "");
  auto& told = context_.unsupported;
  if (std::ranges::find(told, sentence) == told.end()) told.push_back(std::move(sentence));
  return fail_with(ENOTSUP);
}

Result<void> RealSockets::connect_stream(const State& state, const Endpoint& peer) {
  const auto address = to_socket_address(peer);
  if (!address) return fail_with(address.error());
  const auto limit = limit_of(state->send_timeout);
  const bool port_known = state->transport == Transport::kTcp && state->local.port() != 0;
  if (port_known && !state->peer) {
    // The two endpoints may have been connected before: what is left of that comes first.
    context_.tap.drain();
    connecting_tcp(*state, peer);
  }
  context_.enter(host_, state->domain);
  while (::connect(state->fd.get(), address->get(), address->length) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EINPROGRESS || error == EALREADY) {
      if (!port_known && error == EINPROGRESS) connecting_tcp(*state, peer);
      if (state->transport == Transport::kTcp) context_.carry(host_);
      if (!may_block(*state, 0)) return fail_with(error);
      return await_connection(state, *address);
    }
    // unix(7): the listener's backlog is full.
    if (error != EAGAIN || !may_block(*state, 0)) return fail_with(error);
    auto room = wait_for_room(state, context_.sockets.listener(peer), limit);
    if (!room) return room;
  }
  connected(*state, peer);
  return {};
}

Result<void> RealSockets::await_connection(const State& state, const SocketAddress& peer) {
  const auto limit = limit_of(state->send_timeout);
  while (!decided(state->fd.get())) {
    auto ready = wait(state, EPOLLOUT, limit);
    // socket(7): after SO_SNDTIMEO connect answers EINPROGRESS.
    if (!ready && ready.error() == Errno(EAGAIN)) return fail_with(EINPROGRESS);
    if (!ready) return ready;
  }
  // Asked once more, connect tells the outcome and leaves the socket as a blocking call would:
  // after success the next one answers EISCONN, after failure it tries again. SO_ERROR would leave
  // it "in progress", and the next connect would answer 0 or ECONNABORTED.
  if (::connect(state->fd.get(), peer.get(), peer.length) == 0 || errno == EISCONN) return {};
  const int error = errno;
  state->peer.reset();
  if (const auto local = local_endpoint(state->fd.get())) state->local = unmapped(*local);
  return fail_with(error);
}

void RealSockets::connecting_tcp(SocketState& state, const Endpoint& peer) {
  if (state.transport != Transport::kTcp) return;
  if (const auto local = local_endpoint(state.fd.get())) state.local = unmapped(*local);
  state.peer = unmapped(peer);
  context_.tap.comments().tcp_connecting(state.local, *state.peer, context_.loop.activity());
  context_.tap.gave(0);
}

void RealSockets::connected(SocketState& state, const Endpoint& peer) {
  if (!is_unix(state.transport)) {
    // connect() answers success again for one that was in progress (EISCONN only after that).
    if (!state.peer) connecting_tcp(state, peer);
    return;
  }
  state.peer = peer;
  state.is_client = true;
  state.connection = context_.next_connection++;
  state.service = peer.to_string();
  if (SocketState* listener = context_.sockets.listener(peer)) {
    listener->backlog.push_back(state.connection);
  } else {
    state.peer_outside = true;
  }
  if (state.transport == Transport::kUnixStream) {
    context_.tap.unix_connected(state.connection, state.service, context_.loop.activity());
  }
}

Result<void> RealSockets::connect_datagram(SocketState& state, const Endpoint& peer) {
  const auto address = to_socket_address(peer);
  if (!address) return fail_with(address.error());
  if (::connect(state.fd.get(), address->get(), address->length) != 0) return fail_with(errno);
  state.peer = unmapped(peer);
  if (const auto local = local_endpoint(state.fd.get());
      local && local->kind() == Endpoint::Kind::kIp) {
    state.local = unmapped(*local);
    state.has_source = true;
    context_.tap.comments().port_used(state.local.port());
  }
  context_.sockets.refresh(state);
  return {};
}

}  // namespace netrig
