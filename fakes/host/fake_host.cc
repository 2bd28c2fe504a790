#include "fakes/host/fake_host.h"

#include <cerrno>

#include "fakes/host/host_parts.h"
#include "fakes/host/tcp_socket.h"
#include "fakes/host/udp_socket.h"
#include "fakes/host/unix_sockets.h"
#include "harness/sockets/socket_kind.h"

namespace netrig {
namespace {

tcp::StackOptions stack_options(const FakeHostOptions& options) {
  tcp::StackOptions made;
  made.seed = options.seed;
  return made;
}

}  // namespace

FakeHost::Parts::Parts(FakeHost& itself, Network& its_network, UnixNames& its_names,
                       Network::HostId its_id, const FakeHostOptions& its_options)
    : self(itself),
      network(its_network),
      unix_names(its_names),
      id(its_id),
      options(its_options),
      inet(
          {its_options.ephemeral_first, its_options.ephemeral_last},
          [this](const Endpoint& local, const Endpoint& peer) { return stack.holds(local, peer); }),
      stack(*this, its_network.pool(), stack_options(its_options)),
      alarm(its_network.loop().events(), EventClass::kTimer, its_id, [this] {
        stack.expire(network.loop().now());
        settle();
      }) {}

void FakeHost::Parts::settle() {
  network.settle();
  arm();
}

void FakeHost::Parts::arm() {
  const Instant next = stack.next_deadline();
  const Instant set = alarm.is_set() ? alarm.when() : Instant::max();
  if (next != set) alarm.set(next);
}

FakeHost::FakeHost(Network& network, UnixNames& unix_names, Network::HostId id,
                   const FakeHostOptions& options)
    : parts_(std::make_unique<Parts>(*this, network, unix_names, id, options)) {
  network.attach(id, *this);
}

FakeHost::~FakeHost() {
  parts_->unix_names.purge();
  for (InetSocket* socket : parts_->live) socket->detach();
}

Network& FakeHost::network() {
  return parts_->network;
}
FakeLoop& FakeHost::loop() {
  return parts_->network.loop();
}
Network::HostId FakeHost::id() const {
  return parts_->id;
}
const FakeHostOptions& FakeHost::options() const {
  return parts_->options;
}
InetTable& FakeHost::inet() {
  return parts_->inet;
}
UnixNames& FakeHost::unix_names() {
  return parts_->unix_names;
}
tcp::Stack& FakeHost::tcp() {
  return parts_->stack;
}
uint64_t FakeHost::next_socket_id() {
  return ++parts_->sockets_made;
}
void FakeHost::inet_changed() {
  parts_->inet.changed();
}

void FakeHost::add_live(InetSocket& socket) {
  socket.live_place_ = parts_->live.size();
  parts_->live.push_back(&socket);
}

void FakeHost::remove_live(InetSocket& socket) {
  InetSocket* last = parts_->live.back();
  parts_->live[socket.live_place_] = last;
  last->live_place_ = socket.live_place_;
  parts_->live.pop_back();
}

Result<Socket> FakeHost::socket(int domain, int type, int protocol) {
  if ((type & (SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail_with(EINVAL);
  const auto transport = transport_of(domain, type);
  if (!transport) return fail_with(transport.error());
  if (!protocol_allowed(*transport, protocol)) return fail_with(EPROTONOSUPPORT);
  SocketRef made;
  if (*transport == Transport::kTcp) {
    made = std::make_shared<TcpSocket>(*this, domain);
  } else if (*transport == Transport::kUdp) {
    made = std::make_shared<UdpSocket>(*this, domain);
  } else {
    made = make_unix_socket(*this, type);
  }
  return parts_->add_handle(made, false);
}

Result<std::pair<Socket, Socket>> FakeHost::socketpair(int domain, int type, int protocol) {
  if ((type & (SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail_with(EINVAL);
  const auto transport = transport_of(domain, type);
  if (!transport) return fail_with(transport.error());
  if (domain != AF_UNIX) {
    return fail_with(protocol_allowed(*transport, protocol) ? EOPNOTSUPP : EPROTONOSUPPORT);
  }
  if (!protocol_allowed(*transport, protocol)) return fail_with(EPROTONOSUPPORT);
  const Parts::Call call(*parts_);
  auto [a, b] = make_unix_pair(*this, type);
  const auto first = parts_->add_handle(a, false);
  if (!first) return fail_with(first.error());
  const auto second = parts_->add_handle(b, false);
  if (!second) {
    static_cast<void>(close(*first));
    return fail_with(second.error());
  }
  return std::pair(*first, *second);
}

Result<void> FakeHost::set_nonblocking(Socket socket, bool on) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  found->options().nonblocking = on;
  return {};
}

void FakeHost::close_all() {
  Parts& parts = *parts_;
  for (const SocketRef& socket : parts.handles) {
    if (socket) socket->drain_unread();
  }
  for (size_t i = 0; i < parts.handles.size(); ++i) {
    if (const SocketRef socket = std::exchange(parts.handles[i], nullptr)) {
      parts.free_handles.push(static_cast<int>(i));
      parts.release(socket, false);
    }
  }
  parts.settle();
}

}  // namespace netrig
