#include "harness/run/openings.h"

#include <fmt/format.h>

namespace netrig {

namespace {

// A socket of the transport that fits the endpoint, with the actor's options.
std::expected<Socket, Finding> make_socket(Branch& branch, Transport transport,
                                           const Endpoint& endpoint, Location at) {
  ActorRun& run = branch.run;
  const auto made = make_socket(run.api, transport, endpoint);
  if (!made) return std::unexpected(opening_failed(run, at, "cannot make a socket", made.error()));
  for (const OptionSetting& setting : run.actor.options) {
    const auto set = apply_option(branch, *made, setting);
    if (set) continue;
    return std::unexpected(
        opening_failed(run, setting.at, "cannot set " + setting.name, set.error()));
  }
  return *made;
}

}  // namespace

Finding opening_failed(const ActorRun& run, Location at, const std::string& what, Errno error) {
  return {{at, fmt::format("{} {}: {} ({})", run.name, what, error.name(), error.text()), {}},
          run.name,
          ""};
}

bool accepts_by_itself(const Actor& actor) {
  if (actor.opening != Opening::kListen || actor.has_each || actor.steps.empty()) return false;
  bool explicit_accept = false;
  for_each_step(actor.steps,
                [&](const Step& step) { explicit_accept |= step.verb == Verb::kAccept; });
  return !explicit_accept && has_connections(actor.address.transport);
}

std::optional<Finding> open_service(ActorRun& run) {
  const Actor& actor = run.actor;
  if (actor.opening != Opening::kListen && actor.opening != Opening::kBind) return std::nullopt;
  Scope scope(run, nullptr);
  Branch branch{run, scope};
  const bool listens = actor.opening == Opening::kListen;
  run.stage.loop.set_activity(fmt::format("{} {}", run.name, listens ? "listen" : "bind"));
  const auto endpoint = run.stage.resolve(actor.address, actor.host, scope);
  if (!endpoint) return Finding{{actor.address.at, endpoint.error(), {}}, run.name, ""};
  const auto made = make_socket(branch, actor.address.transport, *endpoint, actor.address.at);
  if (!made) return made.error();
  run.add(listens ? "listener" : "connection",
          {.socket = *made, .transport = actor.address.transport, .transport_known = true});
  const auto bound = run.api.bind(*made, *endpoint);
  const std::string where = endpoint->to_string();
  if (!bound)
    return opening_failed(run, actor.address.at, "cannot bind to " + where, bound.error());
  if (listens) {
    const auto listening = run.api.listen(*made, static_cast<int>(actor.backlog));
    if (!listening)
      return opening_failed(run, actor.address.at, "cannot listen on " + where, listening.error());
  }
  if (const auto local = run.api.getsockname(*made)) announce_service(run, *local);
  return std::nullopt;
}

std::optional<Finding> open_connection(Branch& branch) {
  ActorRun& run = branch.run;
  const Actor& actor = run.actor;
  run.stage.loop.set_activity(run.name + " connect");
  run.stage.waiting[run.stage.loop.current()] = {run.name, actor.target.at, "connect"};
  const auto endpoint = resolve_target(branch, actor.target);
  if (!endpoint) return Finding{{actor.target.at, endpoint.error(), {}}, run.name, ""};
  Transport transport = actor.target.address.transport;
  if (const Address* service = find_service(run.stage.scenario, actor.target.actor)) {
    transport = service->transport;
  }
  const auto made = make_socket(branch, transport, *endpoint, actor.target.at);
  if (!made) return made.error();
  OpenSocket& socket =
      run.add("connection", {.socket = *made, .transport = transport, .transport_known = true});
  if (actor.from) {
    const auto from = run.stage.resolve(*actor.from, actor.host, branch.scope);
    if (!from) return Finding{{actor.from->at, from.error(), {}}, run.name, ""};
    const auto bound = run.api.bind(*made, *from);
    if (!bound)
      return opening_failed(run, actor.from->at, "cannot bind to " + from->to_string(),
                            bound.error());
    if (const auto local = run.api.getsockname(*made)) announce_service(run, *local);
  }
  const auto connected = run.api.connect(*made, *endpoint);
  if (!connected) {
    return opening_failed(run, actor.target.at, "cannot connect to " + endpoint->to_string(),
                          connected.error());
  }
  run.book_connection(socket, false);
  return std::nullopt;
}

std::optional<Finding> accept_first(Branch& branch) {
  ActorRun& run = branch.run;
  run.stage.loop.set_activity(run.name + " accept");
  run.stage.waiting[run.stage.loop.current()] = {run.name, run.actor.address.at,
                                                 "accept of its first connection"};
  const auto listener = run.find("listener");
  const auto accepted = run.api.accept(listener->socket);
  if (!accepted)
    return opening_failed(run, run.actor.address.at, "cannot accept", accepted.error());
  OpenSocket& socket = run.add(
      "connection",
      {.socket = accepted->socket, .transport = listener->transport, .transport_known = true});
  run.book_connection(socket, true);
  return std::nullopt;
}

}  // namespace netrig
