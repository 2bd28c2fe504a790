// Options, addresses and readiness of sockets, one call a step.

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "harness/run/verbs.h"
#include "harness/sockets/socket_names.h"

namespace netrig {
namespace {

// TCP_CONGESTION names have at most 16 octets (TCP_CA_NAME_MAX).
constexpr size_t kOptionTextMax = 64;

Answer judge_address(Branch& branch, const Step& step, const Result<Endpoint>& endpoint) {
  const auto& arguments = std::get<AddressArguments>(step.arguments);
  if (!endpoint) return Answer::of(endpoint.error());
  Answer answer{.data = endpoint->to_string()};
  const auto differs = [&](const Template& expected, const std::string& actual) {
    const auto text = render(expected, branch.scope);
    if (!text) {
      answer.mismatch = Mismatch{text.error(), {}};
    } else if (*text != actual) {
      answer.mismatch = Mismatch{fmt::format("expected {}, got {}", *text, actual), {}};
    }
    return answer.mismatch.has_value();
  };
  if (arguments.text && differs(*arguments.text, answer.data)) return answer;
  if (arguments.address && differs(*arguments.address, endpoint->address().to_string()))
    return answer;
  if (arguments.port && !arguments.port->contains(endpoint->port())) {
    answer.mismatch = Mismatch{
        fmt::format("expected port {}, got {}", format_range(*arguments.port), endpoint->port()),
        {}};
  }
  return answer;
}

}  // namespace

Answer do_get_option(Branch& branch, const Step& step) {
  const auto& arguments = std::get<GetOptionArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const SocketOption* option = find_socket_option(arguments.name);
  if (option == nullptr) return Answer::of(Errno(ENOPROTOOPT));
  SocketApi& api = branch.run.api;
  if (option->kind == SocketOption::Kind::kLinger) {
    const auto linger = api.get_linger(socket->socket);
    if (!linger) return Answer::of(linger.error());
    return {.returned = linger->on ? linger->seconds : -1};
  }
  if (option->kind != SocketOption::Kind::kBytes) {
    const auto value = api.getsockopt(socket->socket, option->level, option->option);
    if (!value) return Answer::of(value.error());
    Answer answer{.returned = *value};
    if (option->option == SO_ERROR && *value != 0)
      answer.details = {Errno(static_cast<int>(*value)).name()};
    return answer;
  }
  auto octets = api.getsockopt_bytes(socket->socket, option->level, option->option, kOptionTextMax);
  if (!octets) return Answer::of(octets.error());
  octets->resize(octets->find_last_not_of('\0') + 1);
  Answer answer{.returned = static_cast<int64_t>(octets->size()), .data = *octets};
  if (arguments.text && *arguments.text != *octets) {
    answer.mismatch = Mismatch{
        fmt::format("expected {}, got {}", format_quoted(*arguments.text), format_quoted(*octets)),
        {}};
  }
  return answer;
}

Answer do_set_option(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SetOptionArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  for (const OptionSetting& setting : arguments.options) {
    const auto set = apply_option(branch, socket->socket, setting);
    if (!set) return Answer::of(set.error());
  }
  return {};
}

Answer do_local_address(Branch& branch, const Step& step) {
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  return judge_address(branch, step, branch.run.api.getsockname(socket->socket));
}

Answer do_peer_address(Branch& branch, const Step& step) {
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  return judge_address(branch, step, branch.run.api.getpeername(socket->socket));
}

Answer do_poll(Branch& branch, const Step& step) {
  const auto& arguments = std::get<PollArguments>(step.arguments);
  std::vector<PollEntry> entries;
  for (const auto& entry : arguments.entries) {
    const auto socket = branch.run.find(entry.socket);
    // A name that was closed polls as a closed descriptor does: POLLNVAL.
    entries.push_back({socket ? socket->socket : Socket{-1}, entry.events, 0});
    if (!socket) entries.back().socket.handle = std::numeric_limits<int>::max();
  }
  const auto ready = branch.run.api.poll(entries, arguments.timeout.value_or(Duration{-1}));
  if (!ready) return Answer::of(ready.error());
  Answer answer{.returned = *ready};
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string got = format_bits(poll_events(), entries[i].revents);
    answer.details.push_back(fmt::format("{}: {}", arguments.entries[i].socket, got));
    const auto& wanted = arguments.entries[i].ready;
    if (!wanted || *wanted == entries[i].revents || answer.mismatch) continue;
    answer.mismatch =
        Mismatch{fmt::format("expected {} to be {}, got {}", arguments.entries[i].socket,
                             format_bits(poll_events(), *wanted), got),
                 {}};
  }
  return answer;
}

}  // namespace netrig
