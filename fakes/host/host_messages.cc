// FakeHost: sending and receiving, blocking as harness/real does it: tried first, waited for then.

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include "fakes/host/host_parts.h"
#include "harness/sockets/stream_call.h"

namespace netrig {
namespace {

constexpr size_t kRightsMax = 253;  // SCM_MAX_FD

size_t size_of(std::span<const ByteView> parts) {
  size_t total = 0;
  for (const ByteView part : parts) total += part.size();
  return total;
}

size_t capacity_of(std::span<const std::span<char>> parts) {
  size_t total = 0;
  for (const auto part : parts) total += part.size();
  return total;
}

// What of `parts` is left after `offset` octets.
template <typename Part>
std::vector<Part> rest_of(std::span<const Part> parts, size_t offset) {
  std::vector<Part> rest;
  for (const Part& part : parts) {
    const size_t skip = std::min(offset, part.size());
    offset -= skip;
    if (skip < part.size()) rest.push_back(Part(part.begin() + skip, part.end()));
  }
  return rest;
}

}  // namespace

Result<size_t> FakeHost::send(Socket socket, ByteView data, int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  OutgoingMessage message{.parts = {&data, 1}, .size = data.size(), .flags = flags};
  return parts_->send_message(found, message);
}

Result<size_t> FakeHost::sendto(Socket socket, ByteView data, int flags, const Endpoint& to) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  OutgoingMessage message{.parts = {&data, 1}, .size = data.size(), .flags = flags, .to = to};
  return parts_->send_message(found, message);
}

Result<size_t> FakeHost::sendmsg(Socket socket, std::span<const ByteView> parts, int flags,
                                 const Endpoint* to, const ControlData& control) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  OutgoingMessage message{.parts = parts, .size = size_of(parts), .flags = flags};
  if (to != nullptr) message.to = *to;
  if (auto fine = parts_->encode_control(control, message); !fine) return fail_with(fine.error());
  return parts_->send_message(found, message);
}

Result<void> FakeHost::Parts::encode_control(const ControlData& control,
                                             OutgoingMessage& message) const {
  if (control.rights.size() > kRightsMax) return fail_with(EINVAL);
  for (const Socket right : control.rights) {
    SocketRef found = find(right);
    if (!found) return fail_with(EBADF);
    message.rights.push_back(std::move(found));
  }
  for (Credentials who : control.credentials) {
    if (who.pid == 0) who = {options.pid, options.uid, options.gid};
    message.credentials = who;
  }
  return {};
}

Result<size_t> FakeHost::Parts::send_message(const SocketRef& socket, OutgoingMessage& message) {
  if (!keeps_boundaries(socket->transport())) return send_stream(socket, message);
  const auto limit = limit_of(socket->options().send_timeout);
  const bool is_ip = !is_unix(socket->transport());
  bool at_once = false;
  while (true) {
    auto took = socket->send(message);
    if (took || took.error() != Errno(EAGAIN) || !may_block(*socket, message.flags)) return took;
    // Room at a Unix receiver is told by changed(), not by poll.
    auto ready = is_ip ? wait(socket, POLLOUT, limit, at_once) : park(socket, limit);
    if (!ready) return fail_with(ready.error());
  }
}

// send(2): a blocking call returns when all was accepted, or with the part that was when it broke
// off. An error that comes after a part belongs to the next call.
Result<size_t> FakeHost::Parts::send_stream(const SocketRef& socket, OutgoingMessage& message) {
  const std::span<const ByteView> all = message.parts;
  const size_t total = message.size;
  const auto limit = limit_of(socket->options().send_timeout);
  const auto broken = [&] { return (socket->poll_events() & (POLLERR | POLLHUP)) != 0; };
  const int flags = message.flags;
  std::vector<ByteView> rest;
  const auto next_part = [&](size_t done) {
    rest = stream_window(all, done, kStreamCallBytes);
    message.parts = rest;
    message.size = std::min(total - done, kStreamCallBytes);
    // The urgent octet is the last one.
    message.flags = message.size < total - done ? flags & ~MSG_OOB : flags;
  };
  if (total > kStreamCallBytes) next_part(0);
  bool at_once = false;
  size_t sent = 0;
  do {
    const auto took = socket->send(message);
    if (took) {
      sent += *took;
      const bool full = *took < message.size;
      if (sent >= total || (full && !may_block(*socket, message.flags))) break;
      message.rights.clear();  // they went with the first octet
      message.credentials.reset();
      next_part(sent);
      settle();
      if (broken()) return sent;
      continue;
    }
    if (took.error() != Errno(EAGAIN) || !may_block(*socket, message.flags)) {
      return sent > 0 ? Result<size_t>(sent) : took;
    }
    if (auto ready = wait(socket, POLLOUT, limit, at_once); !ready) {
      return sent > 0 ? Result<size_t>(sent) : fail_with(ready.error());
    }
    if (sent > 0 && broken()) return sent;
  } while (sent < total);
  return sent;
}

Result<size_t> FakeHost::recv(Socket socket, std::span<char> buffer, int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  IncomingMessage message;
  const auto received = parts_->receive(found, {&buffer, 1}, flags, message);
  if (!received) return fail_with(received.error());
  parts_->drop_rights(message);
  return message.size;
}

Result<ReceivedFrom> FakeHost::recvfrom(Socket socket, std::span<char> buffer, int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  IncomingMessage message;
  const auto received = parts_->receive(found, {&buffer, 1}, flags, message);
  if (!received) return fail_with(received.error());
  parts_->drop_rights(message);
  return ReceivedFrom{message.size, message.has_from ? message.from : Endpoint::unix_unnamed()};
}

Result<ReceivedMessage> FakeHost::recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                          int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  IncomingMessage incoming;
  const auto received = parts_->receive(found, parts, flags, incoming);
  if (!received) return fail_with(received.error());
  ReceivedMessage message;
  message.size = incoming.size;
  message.from = incoming.has_from ? incoming.from : Endpoint::unix_unnamed();
  message.flags = incoming.flags;
  auto decoded = parts_->decode_control(incoming, message.control);
  if (!decoded) message.flags |= MSG_CTRUNC;
  return message;
}

// The rights are counted as handles already; those for which there is no number are closed.
Result<void> FakeHost::Parts::decode_control(IncomingMessage& from, ControlData& control) {
  Result<void> result;
  for (const SocketRef& right : from.rights) {
    const auto handle = add_handle(right, true);
    if (handle) {
      control.rights.push_back(*handle);
    } else {
      result = fail_with(handle.error());
    }
  }
  from.rights.clear();
  control.credentials = std::move(from.credentials);
  return result;
}

// Handles that came with octets but were not asked for.
void FakeHost::Parts::drop_rights(IncomingMessage& from) {
  if (from.rights.empty()) return;
  ControlData dropped;
  static_cast<void>(decode_control(from, dropped));
  for (const Socket right : dropped.rights) static_cast<void>(self.close(right));
}

Result<void> FakeHost::Parts::receive(const SocketRef& socket,
                                      std::span<const std::span<char>> parts, int flags,
                                      IncomingMessage& message) {
  if ((flags & MSG_WAITALL) != 0 && !keeps_boundaries(socket->transport())) {
    return receive_all(socket, parts, flags, message);
  }
  const Instant limit = limit_of(socket->options().receive_timeout);
  const auto events = static_cast<short>((flags & MSG_OOB) != 0 ? POLLPRI : POLLIN);
  const int once = flags & ~MSG_WAITALL;
  bool at_once = false;
  while (true) {
    const auto done = socket->receive(parts, once, message);
    if (done || done.error() != Errno(EAGAIN) || !may_block(*socket, flags)) return done;
    // __skb_wait_for_more_packets(): a call that would wait sees the end.
    if (keeps_boundaries(socket->transport()) && (socket->poll_events() & POLLRDHUP) != 0) {
      return {};
    }
    if (const auto ready = wait(socket, events, limit, at_once); !ready) return ready;
  }
}

// recv(2): MSG_WAITALL waits for the whole amount on streams, unless the stream ends, breaks or an
// ancillary message stands in between.
Result<void> FakeHost::Parts::receive_all(const SocketRef& socket,
                                          std::span<const std::span<char>> parts, int flags,
                                          IncomingMessage& whole) {
  const bool peek = (flags & MSG_PEEK) != 0;
  const Instant limit = limit_of(socket->options().receive_timeout);
  const size_t capacity = capacity_of(parts);
  const auto events = static_cast<short>((flags & MSG_OOB) != 0 ? POLLPRI : POLLIN);
  const int once = flags & ~MSG_WAITALL;
  std::vector<std::span<char>> rest;
  bool at_once = false;
  while (true) {
    const bool partly = whole.size > 0;
    if (partly && !peek) rest = rest_of(parts, whole.size);
    IncomingMessage part;
    const auto got = socket->receive(partly && !peek ? rest : parts, once, part);
    if (got) {
      const bool ended = part.size == 0 || (peek && part.size == whole.size);
      if (!peek) part.size += whole.size;
      const bool end_of_peek = peek && ended && whole.size > 0;
      whole = std::move(part);
      const bool interrupted = !whole.rights.empty() || !whole.credentials.empty();
      const bool done = ended && !end_of_peek;
      if (done || interrupted || whole.size >= capacity || !may_block(*socket, flags)) return {};
      if (end_of_peek) {
        if ((socket->poll_events() & (POLLRDHUP | POLLERR | POLLHUP)) != 0) return {};
        if (auto woken = park(socket, limit); !woken) return {};
      } else {
        settle();
      }
      continue;
    }
    if (got.error() != Errno(EAGAIN) || !may_block(*socket, flags)) {
      return partly ? Result<void>() : got;
    }
    if (auto ready = wait(socket, events, limit, at_once); !ready) {
      return partly ? Result<void>() : ready;
    }
    // What is left after a part was read and is not data is an error: it belongs to the next call.
    if (partly && !peek && socket->readable_octets() == 0) return {};
  }
}

}  // namespace netrig
