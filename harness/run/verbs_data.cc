// The socket API's data calls, one call a step: read write recv_from send_to recv_msg send_msg.

#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/run/verbs.h"
#include "harness/scenario/reader.h"
#include "harness/sockets/socket_names.h"

namespace netrig {
namespace {

std::expected<Bytes, std::string> make_buffer(Branch& branch, const Number& size) {
  const auto octets = evaluate(size, branch.scope);
  if (!octets) return std::unexpected(octets.error());
  if (*octets < 0 || static_cast<uint64_t>(*octets) > kScenarioPayloadMax) {
    return std::unexpected(fmt::format("a buffer of {} octets is not possible", *octets));
  }
  return Bytes(static_cast<size_t>(*octets), '\0');
}

// What `data` and `from` say of what was read.
std::optional<Mismatch> judge(Branch& branch, const Step& step, const Bytes& data,
                              const std::optional<Endpoint>& from) {
  const auto& arguments = std::get<ReadArguments>(step.arguments);
  if (arguments.from && from) {
    const auto expected = resolve_target(branch, *arguments.from);
    if (!expected) return Mismatch{expected.error(), {}};
    const auto& blackboard = branch.run.stage.blackboard;
    if (*expected != *from) {
      return Mismatch{fmt::format("expected a sender at {}, got one at {}", expected->to_string(),
                                  from->to_string()),
                      {fmt::format("that is {}", blackboard.who(*from))}};
    }
  }
  if (!arguments.data) return std::nullopt;
  return check_octets(branch, step, *arguments.data, data);
}

void book_read(Branch& branch, const Step& step, OpenSocket& socket, const Bytes& data,
               const std::optional<Endpoint>& from) {
  if ((step.flags & MSG_PEEK) != 0) return;
  if (from && !socket.connected) socket.last_sender = *from;
  branch.run.book_transfer(step, socket, false, data, from);
}

}  // namespace

Answer do_read(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ReadArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  auto buffer = make_buffer(branch, arguments.sizes.at(0));
  if (!buffer) return Answer::wrong(buffer.error());
  const auto got = branch.run.api.recv(socket->socket, *buffer, call_flags(step));
  if (!got) return Answer::of(got.error());
  buffer->resize(std::min(buffer->size(), *got));
  if (*got > 0) book_read(branch, step, *socket, *buffer, std::nullopt);
  Answer answer{.returned = static_cast<int64_t>(*got)};
  answer.mismatch = judge(branch, step, *buffer, std::nullopt);
  answer.data = std::move(*buffer);
  return answer;
}

Answer do_write(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SendArguments>(step.arguments);
  const auto data = render(arguments.payload, branch.scope, branch.run.stage.seed);
  if (!data) return Answer::wrong(data.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const auto sent = branch.run.api.send(socket->socket, *data, call_flags(step));
  if (!sent) return Answer::of(sent.error());
  branch.run.book_transfer(step, *socket, true, ByteView(*data).substr(0, *sent));
  return {.returned = static_cast<int64_t>(*sent), .data = *data};
}

Answer do_send_to(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SendArguments>(step.arguments);
  const auto data = render(arguments.payload, branch.scope, branch.run.stage.seed);
  if (!data) return Answer::wrong(data.error());
  const auto to = resolve_target(branch, *arguments.to);
  if (!to) return Answer::wrong(to.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  const auto sent = branch.run.api.sendto(socket->socket, *data, call_flags(step), *to);
  if (!sent) return Answer::of(sent.error());
  branch.run.book_transfer(step, *socket, true, ByteView(*data).substr(0, *sent), *to);
  return {.returned = static_cast<int64_t>(*sent), .data = *data};
}

Answer do_recv_from(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ReadArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  auto buffer = make_buffer(branch, arguments.sizes.at(0));
  if (!buffer) return Answer::wrong(buffer.error());
  const auto got = branch.run.api.recvfrom(socket->socket, *buffer, call_flags(step));
  if (!got) return Answer::of(got.error());
  buffer->resize(std::min(buffer->size(), got->size));
  book_read(branch, step, *socket, *buffer, got->from);
  Answer answer{.returned = static_cast<int64_t>(got->size)};
  answer.mismatch = judge(branch, step, *buffer, got->from);
  answer.data = std::move(*buffer);
  return answer;
}

Answer do_send_msg(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SendArguments>(step.arguments);
  const auto* list = std::get_if<std::vector<Payload>>(&arguments.payload.form);
  const auto rendered = render_parts(list != nullptr ? *list : std::vector{arguments.payload},
                                     branch.scope, branch.run.stage.seed);
  if (!rendered) return Answer::wrong(rendered.error());
  std::optional<Endpoint> to;
  if (arguments.to) {
    auto endpoint = resolve_target(branch, *arguments.to);
    if (!endpoint) return Answer::wrong(endpoint.error());
    to = *endpoint;
  }
  ControlData control;
  for (const std::string& name : arguments.rights) {
    const auto passed = branch.run.find(name);
    if (passed == nullptr) return Answer::wrong(fmt::format("no open socket is named '{}'", name));
    control.rights.push_back(passed->socket);
  }
  // The kernel checks them: the sender's own, whatever stands here (unix(7)).
  if (arguments.credentials) control.credentials.emplace_back();
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  std::vector<ByteView> parts(rendered->begin(), rendered->end());
  Bytes all;
  for (const Bytes& part : *rendered) all += part;
  const auto sent =
      branch.run.api.sendmsg(socket->socket, parts, call_flags(step), to ? &*to : nullptr, control);
  if (!sent) return Answer::of(sent.error());
  for (const std::string& name : arguments.rights) branch.run.find(name)->passed_on = true;
  branch.run.book_transfer(step, *socket, true, ByteView(all).substr(0, *sent), to);
  return {.returned = static_cast<int64_t>(*sent), .data = all};
}

namespace {

// Message flags, rights and credentials of a received message.
std::optional<Mismatch> judge_message(Branch& branch, const ReadArguments& arguments,
                                      const ReceivedMessage& got) {
  int wanted = 0;
  for (const std::string& name : arguments.message_flags)
    wanted |= find_bit(message_flags(), name).value_or(0);
  if ((got.flags & wanted) != wanted) {
    return Mismatch{
        fmt::format("expected message flags {}, got {}", format_bits(message_flags(), wanted),
                    format_bits(message_flags(), got.flags)),
        {}};
  }
  if (got.control.rights.size() != arguments.rights.size()) {
    return Mismatch{
        fmt::format("expected {}, got {}", plural(arguments.rights.size(), "passed socket"),
                    got.control.rights.size()),
        {}};
  }
  for (size_t i = 0; i < arguments.rights.size(); ++i) {
    OpenSocket passed{.socket = got.control.rights[i]};
    const auto domain = branch.run.api.getsockopt(passed.socket, SOL_SOCKET, SO_DOMAIN);
    const auto type = branch.run.api.getsockopt(passed.socket, SOL_SOCKET, SO_TYPE);
    if (domain && type) {
      const auto transport = transport_of({static_cast<int>(*domain), static_cast<int>(*type), 0});
      passed.transport_known = transport.has_value();
      passed.transport = transport.value_or(Transport::kTcp);
      // Who reads and writes by it keeps the books of the connection from now on.
      if (const auto remote = branch.run.api.getpeername(passed.socket)) {
        passed.connected = true;
        passed.remote = *remote;
      }
      if (const auto local = branch.run.api.getsockname(passed.socket)) passed.local = *local;
    }
    branch.run.add(arguments.rights[i], passed);
  }
  if (arguments.credentials && got.control.credentials.empty()) {
    return Mismatch{"expected the sender's credentials, got none (SO_PASSCRED asks for them)", {}};
  }
  return std::nullopt;
}

}  // namespace

Answer do_recv_msg(Branch& branch, const Step& step) {
  const auto& arguments = std::get<ReadArguments>(step.arguments);
  std::vector<Bytes> buffers;
  for (const Number& size : arguments.sizes) {
    auto buffer = make_buffer(branch, size);
    if (!buffer) return Answer::wrong(buffer.error());
    buffers.push_back(std::move(*buffer));
  }
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return Answer::of(Errno(EBADF));
  std::vector<std::span<char>> parts(buffers.begin(), buffers.end());
  const auto got = branch.run.api.recvmsg(socket->socket, parts, call_flags(step));
  if (!got) return Answer::of(got.error());
  Bytes data;
  for (const Bytes& buffer : buffers) data += buffer;
  data.resize(std::min(data.size(), got->size));
  book_read(branch, step, *socket, data,
            keeps_boundaries(socket->transport) ? std::optional(got->from) : std::nullopt);
  Answer answer{.returned = static_cast<int64_t>(got->size)};
  answer.mismatch = judge_message(branch, arguments, *got);
  if (!answer.mismatch) answer.mismatch = judge(branch, step, data, got->from);
  answer.data = std::move(data);
  return answer;
}

}  // namespace netrig
