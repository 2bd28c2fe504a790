#include "harness/run/actor_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/run/run_variables.h"

namespace netrig {
namespace {

constexpr size_t kShownLeftover = 64;

// Octets that wait in a connected socket, without taking them.
Bytes peek(SocketApi& api, Socket socket) {
  Bytes buffer(kShownLeftover, '\0');
  const auto size = api.recv(socket, buffer, MSG_PEEK | MSG_DONTWAIT);
  buffer.resize(size ? *size : 0);
  return buffer;
}

bool is_datagram(const OpenSocket& socket) {
  return socket.transport_known && !has_connections(socket.transport);
}

}  // namespace

ActorRun::ActorRun(Stage& stage_in, const Actor& actor_in, std::string name_in, int64_t index)
    : stage(stage_in),
      actor(actor_in),
      name(std::move(name_in)),
      api(stage_in.world.host(actor_in.host)) {
  variables["i"] = index;
}

std::shared_ptr<OpenSocket> ActorRun::find(const std::string& socket_name) {
  if (socket_name.empty()) return order_.empty() ? nullptr : sockets_.at(order_.back());
  auto found = sockets_.find(socket_name);
  return found == sockets_.end() ? nullptr : found->second;
}

OpenSocket& ActorRun::add(const std::string& socket_name, OpenSocket socket) {
  std::string key = socket_name.empty() ? fmt::format("#{}", ++unnamed_) : socket_name;
  if (auto old = sockets_.extract(key)) {
    // The name is taken over; the older socket stays open under a number.
    std::string moved = fmt::format("#{}", ++unnamed_);
    std::ranges::replace(order_, key, moved);
    old.key() = moved;
    sockets_.insert(std::move(old));
  }
  order_.push_back(key);
  return *sockets_.emplace(key, std::make_shared<OpenSocket>(std::move(socket))).first->second;
}

void ActorRun::forget(const std::string& socket_name) {
  const std::string key = socket_name.empty() ? order_.back() : socket_name;
  sockets_.erase(key);
  std::erase(order_, key);
}

void ActorRun::book_connection(OpenSocket& socket, bool accepted) {
  socket.connected = true;
  if (auto local = api.getsockname(socket.socket)) socket.local = *local;
  if (auto remote = api.getpeername(socket.socket)) socket.remote = *remote;
  if (socket.local.kind() == Endpoint::Kind::kIp) stage.blackboard.sits_at(socket.local, name);
  if (!has_connections(socket.transport)) return;
  socket.connection = stage.ledger.next_connection();
  if (socket.transport == Transport::kTcp) stage.ledger.opened(socket.local, socket.remote, name);
  stage.journal.record(name, ConnectionOpened{.connection = socket.connection,
                                              .accepted = accepted,
                                              .transport = socket.transport,
                                              .peer = stage.blackboard.who(socket.remote),
                                              .local = socket.local,
                                              .remote = socket.remote});
}

void ActorRun::book_transfer(const Step& step, OpenSocket& socket, bool sent, ByteView data,
                             const std::optional<Endpoint>& peer) {
  if (socket.transport == Transport::kTcp) {
    if (sent) {
      stage.ledger.wrote(socket.local, socket.remote, data.size());
    } else {
      stage.ledger.read(socket.local, socket.remote, data.size());
    }
  }
  const Endpoint& other = peer ? *peer : socket.remote;
  stage.journal.record(name, Transfer{.sent = sent,
                                      .path = step.path,
                                      .at = step.at,
                                      .transport = socket.transport,
                                      .peer = stage.blackboard.who(other),
                                      .octets = data.size(),
                                      .preview = Bytes(data.substr(0, kPreviewOctets))});
  stage.ledger.saw(name, fmt::format("{} {}", step.path, sent ? "sent" : "got"), data);
}

std::optional<Finding> ActorRun::close_socket(const std::string& socket_name, const char* how) {
  const std::string key = socket_name.empty() ? order_.back() : socket_name;
  const auto socket = find(key);
  std::optional<Finding> leftover;
  if (!actor.ignore_leftover) leftover = check_leftover(key, *socket);
  if (socket->connection != 0) {
    stage.journal.record(name, ConnectionClosed{.connection = socket->connection, .how = how});
  }
  (void)api.close(socket->socket);
  forget(key);
  return leftover;
}

std::vector<Finding> ActorRun::end(const char* how, bool datagrams) {
  std::vector<Finding> findings;
  const std::vector<std::string> names(order_.rbegin(), order_.rend());
  for (const std::string& socket_name : names) {
    if (is_datagram(*find(socket_name)) && !datagrams) continue;
    if (auto leftover = close_socket(socket_name, how)) findings.push_back(std::move(*leftover));
  }
  return findings;
}

std::optional<Finding> ActorRun::check_leftover(const std::string& socket_name,
                                                OpenSocket& socket) {
  // Datagrams that nobody read are known to the world, by name (ArrivalRecord::read).
  if (is_datagram(socket) || socket.passed_on) return std::nullopt;
  const auto finding = [&](std::string message, std::string detail) {
    return Finding{{actor.at,
                    std::move(message),
                    {std::move(detail), "\"leftover\": \"ignore\" on the actor allows it"}},
                   name,
                   ""};
  };
  if (!socket.connected) {
    (void)api.set_nonblocking(socket.socket, true);
    const auto unaccepted = api.accept(socket.socket);
    if (!unaccepted) return std::nullopt;
    (void)api.close(unaccepted->socket);
    return finding(fmt::format("{} ended with a connection that it never accepted", name),
                   fmt::format("from {}", stage.blackboard.who(unaccepted->peer)));
  }
  // What comes later than this is found in the books of both ends (Ledger), which no timing can
  // fool.
  const auto waiting = api.readable_octets(socket.socket);
  if (!waiting || *waiting == 0) return std::nullopt;
  return finding(fmt::format("{} ended with {} left unread on '{}'", name,
                             plural(*waiting, "octet"), socket_name),
                 fmt::format("the first of them: {}", format_quoted(peek(api, socket.socket))));
}

std::expected<Value, std::string> Scope::lookup(const std::string& name) {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const Value* value = scope->find_own(name)) return *value;
  }
  if (auto found = run_.variables.find(name); found != run_.variables.end()) return found->second;
  return RunVariables(run_.stage).lookup(name);
}

const Value* Scope::find_own(const std::string& name) const {
  auto found = own_.find(name);
  return found == own_.end() ? nullptr : &found->second;
}

}  // namespace netrig
