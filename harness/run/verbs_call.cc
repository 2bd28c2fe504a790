// The socket API's calls that make, name, join and end sockets, one call a step.

#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/run/verbs.h"

namespace netrig {
namespace {

// O_NONBLOCK for one call: accept and connect have no MSG_DONTWAIT.
class NonblockingScope {
 public:
  NonblockingScope(SocketApi& api, Socket socket, bool on) : api_(api), socket_(socket), on_(on) {
    if (on_) (void)api_.set_nonblocking(socket_, true);
  }
  ~NonblockingScope() {
    if (on_) (void)api_.set_nonblocking(socket_, false);
  }
  NonblockingScope(const NonblockingScope&) = delete;
  NonblockingScope& operator=(const NonblockingScope&) = delete;

 private:
  SocketApi& api_;
  Socket socket_;
  bool on_;
};

std::string first_name(const Step& step) {
  return step.as.empty() ? "" : step.as.front();
}

OpenSocket opened(Socket socket, const SocketArguments& arguments) {
  const auto transport = transport_of(arguments);
  return {.socket = socket,
          .transport = transport.value_or(Transport::kTcp),
          .transport_known = transport.has_value()};
}

}  // namespace

Answer do_socket(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SocketArguments>(step.arguments);
  const auto made = branch.run.api.socket(arguments.domain, arguments.type, arguments.protocol);
  if (!made) return Answer::of(made.error());
  branch.run.add(first_name(step), opened(*made, arguments));
  return {};
}

Answer do_pair(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SocketArguments>(step.arguments);
  const auto made = branch.run.api.socketpair(arguments.domain, arguments.type, arguments.protocol);
  if (!made) return Answer::of(made.error());
  const Socket ends[] = {made->first, made->second};
  for (size_t i = 0; i < 2; ++i) {
    OpenSocket& socket =
        branch.run.add(i < step.as.size() ? step.as[i] : "", opened(ends[i], arguments));
    socket.connected = true;
  }
  return {};
}

Answer do_bind(Branch& branch, const Step& step) {
  const auto& arguments = std::get<BindArguments>(step.arguments);
  const auto endpoint =
      branch.run.stage.resolve(arguments.address, branch.run.actor.host, branch.scope);
  if (!endpoint) return Answer::wrong(endpoint.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const auto bound = branch.run.api.bind(socket->socket, *endpoint);
  if (!bound) return Answer::of(bound.error());
  // A stream socket is a service once it listens.
  const auto local = branch.run.api.getsockname(socket->socket);
  if (local && !has_connections(socket->transport)) announce_service(branch.run, *local);
  return {};
}

Answer do_listen(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ListenArguments>(step.arguments);
  const auto backlog = evaluate(arguments.backlog, branch.scope);
  if (!backlog) return Answer::wrong(backlog.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const auto listening = branch.run.api.listen(socket->socket, static_cast<int>(*backlog));
  if (!listening) return Answer::of(listening.error());
  if (const auto local = branch.run.api.getsockname(socket->socket))
    announce_service(branch.run, *local);
  return {};
}

Answer do_accept(Branch& branch, const Step& step) {
  auto listener = branch.run.find(step.on.empty() ? "listener" : step.on);
  if (listener == nullptr) listener = branch.run.find(step.on);
  if (listener == nullptr) return Answer::of(Errno(EBADF));
  const NonblockingScope nonblocking(branch.run.api, listener->socket, step.nonblocking);
  const auto accepted = branch.run.api.accept(listener->socket);
  if (!accepted) return Answer::of(accepted.error());
  OpenSocket& socket = branch.run.add(step.as.empty() ? "connection" : step.as.front(),
                                      {.socket = accepted->socket,
                                       .transport = listener->transport,
                                       .transport_known = listener->transport_known});
  branch.run.book_connection(socket, true);
  return {};
}

Answer do_connect(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ConnectArguments>(step.arguments);
  const auto endpoint = resolve_target(branch, arguments.target);
  if (!endpoint) return Answer::wrong(endpoint.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const NonblockingScope nonblocking(branch.run.api, socket->socket, step.nonblocking);
  const auto connected = branch.run.api.connect(socket->socket, *endpoint);
  // A non-blocking connect goes on by itself: it is booked as open, its end tells the rest.
  const bool in_progress = !connected && connected.error() == Errno(EINPROGRESS);
  if (!connected && !in_progress) return Answer::of(connected.error());
  if (connected) {
    branch.run.book_connection(*socket, false);
    return {};
  }
  socket->connected = true;
  if (const auto local = branch.run.api.getsockname(socket->socket)) {
    socket->local = *local;
    socket->remote = *endpoint;
    branch.run.stage.blackboard.sits_at(*local, branch.run.name);
    if (socket->transport == Transport::kTcp) {
      branch.run.stage.ledger.opened(*local, *endpoint, branch.run.name);
    }
  }
  return Answer::of(connected.error());
}

Answer do_shutdown(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ShutdownArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const auto shut = branch.run.api.shutdown(socket->socket, arguments.how);
  return shut ? Answer{} : Answer::of(shut.error());
}

Answer do_close(Branch& branch, const Step& step) {
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  auto leftover = branch.run.close_socket(step.on, "close");
  Answer answer;
  answer.inner = std::move(leftover);
  return answer;
}

Answer do_reset(Branch& branch, const Step& step) {
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  // SO_LINGER with zero seconds: close sends RST (RFC 9293 3.10.5, tcp(7)).
  const auto set = branch.run.api.set_linger(socket->socket, {.on = true, .seconds = 0});
  if (!set) return Answer::of(set.error());
  Answer answer;
  answer.inner = branch.run.close_socket(step.on, "reset");
  return answer;
}

}  // namespace netrig
