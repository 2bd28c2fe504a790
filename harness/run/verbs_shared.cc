// What verbs and openings share: flags, options, targets, services, and the check of what was read.

#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/socket.h>

#include "harness/run/verbs.h"
#include "harness/sockets/socket_names.h"

namespace netrig {

int call_flags(const Step& step) {
  return step.flags | (step.nonblocking ? MSG_DONTWAIT : 0);
}

SocketArguments socket_arguments(Transport transport, bool v6) {
  const int ip = v6 ? AF_INET6 : AF_INET;
  switch (transport) {
    case Transport::kTcp:
      return {ip, SOCK_STREAM, 0};
    case Transport::kUdp:
      return {ip, SOCK_DGRAM, 0};
    case Transport::kUnixStream:
      return {AF_UNIX, SOCK_STREAM, 0};
    case Transport::kUnixDgram:
      return {AF_UNIX, SOCK_DGRAM, 0};
    case Transport::kUnixSeqpacket:
      return {AF_UNIX, SOCK_SEQPACKET, 0};
  }
  return {};
}

Result<Socket> make_socket(SocketApi& api, Transport transport, const Endpoint& endpoint) {
  const bool v6 = endpoint.kind() == Endpoint::Kind::kIp && endpoint.address().is_v6();
  const SocketArguments kind = socket_arguments(transport, v6);
  return api.socket(kind.domain, kind.type, kind.protocol);
}

std::optional<Transport> transport_of(const SocketArguments& arguments) {
  if (arguments.domain == AF_UNIX) {
    if (arguments.type == SOCK_STREAM) return Transport::kUnixStream;
    if (arguments.type == SOCK_DGRAM) return Transport::kUnixDgram;
    if (arguments.type == SOCK_SEQPACKET) return Transport::kUnixSeqpacket;
    return std::nullopt;
  }
  if (arguments.type == SOCK_STREAM) return Transport::kTcp;
  if (arguments.type == SOCK_DGRAM) return Transport::kUdp;
  return std::nullopt;
}

void for_each_step(const Steps& steps, const std::function<void(const Step&)>& visit) {
  for (const Step& step : steps) {
    visit(step);
    if (const auto* repeat = std::get_if<RepeatArguments>(&step.arguments))
      for_each_step(repeat->steps, visit);
    if (const auto* loop = std::get_if<ForArguments>(&step.arguments))
      for_each_step(loop->steps, visit);
    const auto* together = std::get_if<TogetherArguments>(&step.arguments);
    if (together == nullptr) continue;
    for (const Steps& branch : together->branches) for_each_step(branch, visit);
  }
}

const Address* service_address(const Actor& actor) {
  if (actor.opening == Opening::kListen || actor.opening == Opening::kBind) return &actor.address;
  if (actor.from) return &*actor.from;
  const Address* found = nullptr;
  for_each_step(actor.steps, [&](const Step& step) {
    const auto* bind = std::get_if<BindArguments>(&step.arguments);
    if (bind != nullptr && found == nullptr) found = &bind->address;
  });
  return found;
}

const Address* find_service(const Scenario& scenario, std::string_view name) {
  if (const Actor* actor = find_actor(scenario, name)) return service_address(*actor);
  if (const Relay* relay = find_relay(scenario, name)) return &relay->address;
  const Process* process = find_process(scenario, name);
  if (process == nullptr || process->ready.listening.empty()) return nullptr;
  return &process->ready.listening.front();
}

void announce_service(Stage& stage, const std::string& name, const std::string& instance,
                      const std::string& host, const Endpoint& local) {
  Blackboard& blackboard = stage.blackboard;
  blackboard.sits_at(local, instance);
  if (blackboard.values().contains(name + ".port") || blackboard.values().contains(name + ".path"))
    return;
  if (local.kind() == Endpoint::Kind::kUnix) {
    blackboard.set(name + ".path", local.path());
    return;
  }
  const IpAddress address = local.address().is_unspecified()
                                ? stage.world.address(host, local.address().is_v6())
                                : local.address();
  blackboard.sits_at(Endpoint(address, local.port()), instance);
  blackboard.set(name + ".address", address.to_string());
  blackboard.set(name + ".port", static_cast<int64_t>(local.port()));
}

std::expected<Endpoint, std::string> service_endpoint(Stage& stage, const std::string& name) {
  const Address* service = find_service(stage.scenario, name);
  if (service != nullptr && is_unix(service->transport)) {
    const auto path = stage.blackboard.get(name + ".path");
    if (!path) return std::unexpected(path.error());
    const Bytes& text = std::get<Bytes>(*path);
    const bool abstract = !text.empty() && text[0] == '\0';
    return abstract ? Endpoint::unix_abstract(text.substr(1)) : Endpoint::unix_path(text);
  }
  const auto port = stage.blackboard.get(name + ".port");
  if (!port) return std::unexpected(port.error());
  const auto address = stage.blackboard.get(name + ".address");
  if (!address) return std::unexpected(address.error());
  const auto ip = IpAddress::parse(std::get<Bytes>(*address));
  return Endpoint(ip.value_or(IpAddress()), static_cast<uint16_t>(std::get<int64_t>(*port)));
}

std::expected<Endpoint, std::string> resolve_target(Branch& branch, const Target& target) {
  Stage& stage = branch.run.stage;
  if (!target.actor.empty()) return service_endpoint(stage, target.actor);
  return stage.resolve(target.address, branch.run.actor.host, branch.scope);
}

Result<void> apply_option(Branch& branch, Socket socket, const OptionSetting& setting) {
  const SocketOption* option = find_socket_option(setting.name);
  if (option == nullptr) return fail_with(ENOPROTOOPT);
  SocketApi& api = branch.run.api;
  if (const auto* linger = std::get_if<LingerOption>(&setting.value))
    return api.set_linger(socket, *linger);
  if (const auto* octets = std::get_if<Bytes>(&setting.value)) {
    return api.setsockopt_bytes(socket, option->level, option->option, *octets);
  }
  const auto value = evaluate(std::get<Number>(setting.value), branch.scope);
  if (!value) return fail_with(EINVAL);
  return api.setsockopt(socket, option->level, option->option, *value);
}

namespace {

void add_saved(const Save& save, std::vector<std::string>& names) {
  if (!save.name.empty()) names.push_back(save.name);
  for (const SaveInteger& integer : save.integers) names.push_back(integer.name);
}

void add_groups(const Matcher& matcher, std::vector<std::string>& names) {
  for (const std::optional<Regex>* pattern : {&matcher.line, &matcher.matches}) {
    if (!*pattern) continue;
    for (const auto& [name, number] : (*pattern)->compiled->NamedCapturingGroups())
      names.push_back(name);
  }
  for (const Matcher& one : matcher.any_of) add_groups(one, names);
  for (const SequencePart& part : matcher.sequence) {
    add_groups(part.matcher, names);
    if (part.save) add_saved(*part.save, names);
  }
}

}  // namespace

std::vector<std::string> kept_names(const Step& step) {
  std::vector<std::string> names;
  if (step.save) add_saved(*step.save, names);
  if (const auto* recv = std::get_if<RecvArguments>(&step.arguments))
    add_groups(recv->matcher, names);
  if (const auto* collect = std::get_if<CollectArguments>(&step.arguments))
    add_groups(collect->matcher, names);
  const auto* read = std::get_if<ReadArguments>(&step.arguments);
  if (read != nullptr && read->data) add_groups(*read->data, names);
  return names;
}

void keep_value(ActorRun& run, const Step& step, const std::string& name, Value value) {
  if (step.exported) run.stage.blackboard.set(name, value);
  run.variables[name] = std::move(value);
}

std::optional<Mismatch> check_octets(Branch& branch, const Step& step, const Matcher& matcher,
                                     ByteView octets) {
  Captures captures;
  auto mismatch = match_message(matcher, octets, branch.scope, branch.run.stage.seed, &captures);
  for (auto& [name, captured] : captures) keep_value(branch.run, step, name, std::move(captured));
  return mismatch;
}

}  // namespace netrig
