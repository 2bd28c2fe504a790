// FakeHost: sending and receiving, blocking as harness/real does it: tried first, waited for then.

#include <algorithm>
#include <cerrno>
#include <poll.h>

#include "fakes/host/host_parts.h"

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
  std::vector<ByteView> rest;
  bool at_once = false;
  size_t sent = 0;
  do {
    const auto took = socket->send(message);
    if (took) {
      sent += *took;
      if (sent >= total) break;
      message.rights.clear();  // they went with the first octet
      message.credentials.reset();
      rest = rest_of(all, sent);
      message.parts = rest;
      message.size = total - sent;
      if (!may_block(*socket, message.flags) && *took == 0) break;
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
  const auto received = recvfrom(socket, buffer, flags);
  if (!received) return fail_with(received.error());
  return received->size;
}

Result<ReceivedFrom> FakeHost::recvfrom(Socket socket, std::span<char> buffer, int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  auto received = parts_->receive(found, {&buffer, 1}, flags);
  if (!received) return fail_with(received.error());
  parts_->drop_rights(*received);
  return ReceivedFrom{received->size,
                      received->has_from ? received->from : Endpoint::unix_unnamed()};
}

Result<ReceivedMessage> FakeHost::recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                          int flags) {
  const SocketRef found = parts_->find(socket);
  if (!found) return fail_with(EBADF);
  const Parts::Call call(*parts_);
  auto received = parts_->receive(found, parts, flags);
  if (!received) return fail_with(received.error());
  ReceivedMessage message;
  message.size = received->size;
  message.from = received->has_from ? received->from : Endpoint::unix_unnamed();
  message.flags = received->flags;
  auto decoded = parts_->decode_control(*received, message.control);
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

// recv(2): MSG_WAITALL waits for the whole amount on streams, unless the stream ends, breaks or an
// ancillary message stands in between.
Result<IncomingMessage> FakeHost::Parts::receive(const SocketRef& socket,
                                                 std::span<const std::span<char>> parts,
                                                 int flags) {
  const bool all = (flags & MSG_WAITALL) != 0 && !keeps_boundaries(socket->transport());
  const bool peek = (flags & MSG_PEEK) != 0;
  const auto limit = limit_of(socket->options().receive_timeout);
  const size_t capacity = all ? capacity_of(parts) : 0;
  const auto events = static_cast<short>((flags & MSG_OOB) != 0 ? POLLPRI : POLLIN);
  const int once = flags & ~MSG_WAITALL;
  std::vector<std::span<char>> rest;
  IncomingMessage whole;
  bool at_once = false;
  while (true) {
    const bool partly = whole.size > 0;
    if (partly && !peek) rest = rest_of(parts, whole.size);
    auto part = socket->receive(partly && !peek ? rest : parts, once);
    if (part) {
      if (!all) return part;
      const bool ended = part->size == 0 || (peek && part->size == whole.size);
      if (!peek) part->size += whole.size;
      const bool end_of_peek = peek && ended && whole.size > 0;
      whole = std::move(*part);
      const bool interrupted = !whole.rights.empty() || !whole.credentials.empty();
      const bool done = ended && !end_of_peek;
      if (done || interrupted || whole.size >= capacity || !may_block(*socket, flags)) return whole;
      if (end_of_peek) {
        if ((socket->poll_events() & (POLLRDHUP | POLLERR | POLLHUP)) != 0) return whole;
        if (auto woken = park(socket, limit); !woken) return whole;
      } else {
        settle();
      }
      continue;
    }
    if (part.error() != Errno(EAGAIN) || !may_block(*socket, flags)) {
      return partly ? Result<IncomingMessage>(std::move(whole)) : fail_with(part.error());
    }
    if (auto ready = wait(socket, events, limit, at_once); !ready) {
      return partly ? Result<IncomingMessage>(std::move(whole)) : fail_with(ready.error());
    }
    // What is left after a part was read and is not data is an error: it belongs to the next call.
    if (partly && !peek && socket->readable_octets() == 0) return whole;
  }
}

}  // namespace netrig
