// The message verbs: send, recv, eof, collect. They loop over partial reads and writes.

#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/base/text.h"
#include "harness/run/framing.h"
#include "harness/run/verbs.h"

namespace netrig {
namespace {

Answer no_socket(const Step& step) {
  return Answer::wrong(step.on.empty() ? "there is no open socket here"
                                       : fmt::format("no open socket is named '{}'", step.on));
}

Answer send_datagram(Branch& branch, const Step& step, OpenSocket& socket, const Bytes& data) {
  SocketApi& api = branch.run.api;
  const bool answer_to_last = !socket.connected && socket.last_sender;
  const auto sent = answer_to_last
                        ? api.sendto(socket.socket, data, call_flags(step), *socket.last_sender)
                        : api.send(socket.socket, data, call_flags(step));
  if (!sent) return Answer::of(sent.error());
  branch.run.book_transfer(step, socket, true, data,
                           answer_to_last ? socket.last_sender : std::nullopt);
  return {.returned = static_cast<int64_t>(*sent)};
}

Answer send_stream(Branch& branch, const Step& step, OpenSocket& socket, const Bytes& data) {
  size_t done = 0;
  std::optional<Errno> error;
  while (done < data.size() && !error) {
    const auto sent =
        branch.run.api.send(socket.socket, ByteView(data).substr(done), call_flags(step));
    if (sent) {
      done += *sent;
    } else {
      error = sent.error();
    }
  }
  if (done > 0) branch.run.book_transfer(step, socket, true, ByteView(data).substr(0, done));
  Answer answer{.returned = static_cast<int64_t>(done), .error = error};
  if (error) answer.details = {fmt::format("sent: {} of {}", done, plural(data.size(), "octet"))};
  return answer;
}

bool has_framing(const Matcher& matcher) {
  return matcher.exact || matcher.length || matcher.until || matcher.line || matcher.masked ||
         !matcher.sequence.empty() || !matcher.any_of.empty();
}

// Stops a collect: what came last, or the end of what it waits for.
struct CollectState {
  int64_t messages = 0;
  Bytes octets;  // of all, if they are kept
  std::optional<Errno> error;
  std::optional<Mismatch> mismatch;
};

// `idle` is a limit to what a peer may take, `time` is how long to go on.
Instant next_limit(const CollectArguments& arguments, TimeScale time_scale, Instant now,
                   Instant start) {
  Instant limit = Instant::max();
  if (arguments.idle) limit = std::min(limit, now + time_scale.limit(*arguments.idle));
  if (arguments.time) limit = std::min(limit, start + *arguments.time);
  return limit;
}

// One message or, on a stream without framing, whatever one read gives. False: nothing more will
// come.
bool collect_one(Branch& branch, const Step& step, OpenSocket& socket, Instant limit,
                 CollectState& state) {
  const auto& arguments = std::get<CollectArguments>(step.arguments);
  Framed framed;
  {
    DeadlineScope deadline(branch.run.stage.loop, limit);
    if (!keeps_boundaries(socket.transport) && !has_framing(arguments.matcher)) {
      Bytes& buffer = scratch(branch.run.stage);
      const auto got = branch.run.api.recv(socket.socket, buffer, call_flags(step));
      framed.message.assign(buffer, 0, got ? *got : 0);
      if (!got) framed.error = got.error();
      if (got && *got == 0) framed.error = Errno::eof();
    } else {
      framed = read_message(branch, socket, arguments.matcher, call_flags(step));
    }
  }
  if (framed.error && framed.message.empty()) {
    state.error = framed.error;
    return false;
  }
  branch.run.book_transfer(step, socket, false, framed.message, framed.from);
  if (framed.error) {
    state.mismatch = Mismatch{
        fmt::format("message {} was cut short: {}", state.messages + 1, framed.error->name()),
        framed.details};
    return false;
  }
  ++state.messages;
  if (step.save) state.octets += framed.message;
  state.mismatch = framed.mismatch ? framed.mismatch
                                   : check_octets(branch, step, arguments.matcher, framed.message);
  if (state.mismatch) {
    state.mismatch->message =
        fmt::format("message {}: {}", state.messages, state.mismatch->message);
  }
  return !state.mismatch;
}

}  // namespace

Answer do_send(Branch& branch, const Step& step) {
  const auto& arguments = std::get<SendArguments>(step.arguments);
  const auto data = render(arguments.payload, branch.scope, branch.run.stage.seed);
  if (!data) return Answer::wrong(data.error());
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return no_socket(step);
  return keeps_boundaries(socket->transport) ? send_datagram(branch, step, *socket, *data)
                                             : send_stream(branch, step, *socket, *data);
}

Answer do_recv(Branch& branch, const Step& step) {
  const auto& arguments = std::get<RecvArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return no_socket(step);
  Framed framed = read_message(branch, *socket, arguments.matcher, call_flags(step));
  const bool something = !framed.message.empty() || (!framed.error && framed.from);
  if (something) branch.run.book_transfer(step, *socket, false, framed.message, framed.from);
  Answer answer{.returned = static_cast<int64_t>(framed.message.size()),
                .error = framed.error,
                .mismatch = std::move(framed.mismatch),
                .details = std::move(framed.details)};
  if (!answer.error && !answer.mismatch) {
    answer.mismatch = check_octets(branch, step, arguments.matcher, framed.message);
  }
  answer.data = std::move(framed.message);
  return answer;
}

Answer do_eof(Branch& branch, const Step& step) {
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return no_socket(step);
  Bytes buffer(kPreviewOctets, '\0');
  const auto got = branch.run.api.recv(socket->socket, buffer, call_flags(step));
  if (!got) return Answer::of(got.error());
  if (*got == 0) return {};
  buffer.resize(*got);
  branch.run.book_transfer(step, *socket, false, buffer);
  return Answer::wrong(fmt::format("expected the end of the stream, got {}", plural(*got, "octet")),
                       {format_quoted(buffer)});
}

Answer do_collect(Branch& branch, const Step& step) {
  const auto& arguments = std::get<CollectArguments>(step.arguments);
  const auto socket = branch.run.find(step.on);
  if (socket == nullptr) return no_socket(step);
  int64_t count = std::numeric_limits<int64_t>::max();
  if (arguments.count) {
    const auto wanted = evaluate(*arguments.count, branch.scope);
    if (!wanted) return Answer::wrong(wanted.error());
    count = *wanted;
  }
  Loop& loop = branch.run.stage.loop;
  const Instant outer = loop.deadline();
  const Instant start = loop.now();
  Instant limit = Instant::max();
  CollectState state;
  while (state.messages < count) {
    limit = next_limit(arguments, branch.run.stage.time_scale, loop.now(), start);
    if (!collect_one(branch, step, *socket, limit, state)) break;
  }
  Answer answer{
      .returned = state.messages, .mismatch = state.mismatch, .data = std::move(state.octets)};
  const bool own_limit = state.error == Errno::timeout() && limit < outer;
  const bool ended = own_limit || state.error == Errno::eof();
  if (state.error && !ended) answer.error = state.error;
  if (ended && arguments.count && !arguments.idle && !arguments.time) answer.error = state.error;
  if (answer.error) {
    answer.details = {
        fmt::format("came: {}", plural(static_cast<uint64_t>(state.messages), "message"))};
  }
  return answer;
}

}  // namespace netrig
