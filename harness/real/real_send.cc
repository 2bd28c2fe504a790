// RealSockets: the sending calls.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/real/kernel_datagram.h"
#include "harness/real/real_sockets.h"
#include "harness/real/sockaddr.h"
#include "harness/sockets/stream_call.h"

namespace netrig {
namespace {

// An error waits at the socket: the next send would take it, which belongs to the next call.
bool error_waits(int fd) {
  pollfd entry{fd, POLLOUT, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & (POLLERR | POLLHUP)) != 0;
}

void append_control(Bytes& buffer, int type, const void* data, size_t size) {
  const size_t start = buffer.size();
  buffer.resize(start + CMSG_SPACE(size), '\0');
  cmsghdr header{};
  header.cmsg_level = SOL_SOCKET;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(size);
  std::memcpy(buffer.data() + start, &header, sizeof(header));
  std::memcpy(buffer.data() + start + CMSG_LEN(0), data, size);
}

}  // namespace

struct RealSockets::Message {
  std::span<const ByteView> parts;
  int flags = 0;
  std::optional<Endpoint> to;
  Bytes control;

  size_t size() const {
    size_t total = 0;
    for (const ByteView part : parts) total += part.size();
    return total;
  }
  Bytes whole() const {
    Bytes all;
    all.reserve(size());
    for (const ByteView part : parts) all.append(part);
    return all;
  }
};

Result<size_t> RealSockets::send(Socket socket, ByteView data, int flags) {
  return sendmsg(socket, {&data, 1}, flags, nullptr, {});
}

Result<size_t> RealSockets::sendto(Socket socket, ByteView data, int flags, const Endpoint& to) {
  return sendmsg(socket, {&data, 1}, flags, &to, {});
}

Result<size_t> RealSockets::sendmsg(Socket socket, std::span<const ByteView> parts, int flags,
                                    const Endpoint* to, const ControlData& control) {
  auto state = find(socket);
  if (!state) return fail_with(state.error());
  if (to != nullptr) {
    if (auto allowed = context_.policy.may_reach(*to); !allowed) return fail_with(allowed.error());
  }
  auto encoded = encode_control(control);
  if (!encoded) return fail_with(encoded.error());
  Message message{parts, flags, std::nullopt, std::move(*encoded)};
  if (to != nullptr) message.to = *to;
  return send_message(*state, message);
}

Result<size_t> RealSockets::send_message(const State& state, const Message& message) {
  if (!state->is_socket) return fail_with(ENOTSOCK);
  if (state->deferred_error) return fail_with(*std::exchange(state->deferred_error, {}));
  switch (state->transport) {
    case Transport::kTcp:
    case Transport::kUnixStream:
      return send_stream(state, message);
    case Transport::kUnixSeqpacket:
      return send_record(state, message);
    case Transport::kUdp:
    case Transport::kUnixDgram:
      break;
  }
  return send_datagram_of(state, message);
}

// send(2): a blocking call returns when all was accepted, or with the part that was when it broke
// off.
Result<size_t> RealSockets::send_stream(const State& state, const Message& message) {
  const size_t total = message.size();
  const auto limit = limit_of(state->send_timeout);
  size_t sent = 0;
  do {
    const auto parts = stream_window(message.parts, sent, kStreamCallBytes);
    const bool last = total - sent <= kStreamCallBytes;
    const int flags = last ? message.flags : message.flags & ~MSG_OOB;
    const auto took = send_datagram(state->fd.get(), parts, flags, message.to, std::nullopt,
                                    sent == 0 ? ByteView(message.control) : ByteView());
    if (took) {
      for (ByteView part : stream_window(parts, 0, *took)) sent_stream(*state, part);
      sent += *took;
      const bool full = *took < std::min(total - (sent - *took), kStreamCallBytes);
      if (full && !may_block(*state, message.flags)) return sent;
      if (sent < total && error_waits(state->fd.get())) return sent;
      continue;
    }
    if (took.error() == Errno(EINTR)) continue;
    if (took.error() != Errno(EAGAIN) || !may_block(*state, message.flags)) {
      return sent > 0 ? Result<size_t>(sent) : took;
    }
    if (auto ready = wait(state, EPOLLOUT, limit); !ready) {
      return sent > 0 ? Result<size_t>(sent) : fail_with(ready.error());
    }
    if (sent > 0 && error_waits(state->fd.get())) return sent;
  } while (sent < total);
  return sent;
}

Result<size_t> RealSockets::send_record(const State& state, const Message& message) {
  const auto limit = limit_of(state->send_timeout);
  while (true) {
    const auto took = send_datagram(state->fd.get(), message.parts, message.flags, message.to,
                                    std::nullopt, message.control);
    if (took) {
      context_.tap.unix_datagram(state->service, state->connection, state->is_client,
                                 message.whole(), context_.loop.activity());
      return took;
    }
    if (took.error() == Errno(EINTR)) continue;
    if (took.error() != Errno(EAGAIN) || !may_block(*state, message.flags)) return took;
    if (auto ready = wait(state, EPOLLOUT, limit); !ready) return fail_with(ready.error());
  }
}

Result<size_t> RealSockets::send_datagram_of(const State& state, const Message& message) {
  DatagramPath& path = context_.datagrams;
  const Bytes data = message.whole();
  if (path.crosses_faults(*state, message.to)) {
    if (message.control.empty()) return path.offer(*state, message.to, data);
    context_.unsupported.push_back(
        "a link with faults carries no ancillary data (SCM_RIGHTS) on real");
    return fail_with(ENOTSUP);
  }
  const auto& target = message.to ? message.to : state->peer;
  const auto source = target ? source_for(*state, context_.hosts, *target) : std::nullopt;
  const auto limit = limit_of(state->send_timeout);
  const ByteView view = data;
  while (true) {
    const auto took = send_datagram(state->fd.get(), {&view, 1}, message.flags, message.to, source,
                                    message.control);
    if (took) {
      if (path.is_carried(*state, message.to)) {
        path.learn_port(*state);
        context_.carry(host_);
      } else {
        path.sent_directly(*state, message.to, data);
      }
      return took;
    }
    if (took.error() == Errno(EINTR)) continue;
    if (took.error() != Errno(EAGAIN) || !may_block(*state, message.flags)) return took;
    Result<void> ready;
    if (is_unix(state->transport)) {
      SocketState* full = target
                              ? context_.sockets.receiver(state->transport, *target, state->local)
                              : context_.sockets.by_id(state->pair_peer).get();
      ready = wait_for_room(state, full, limit);
    } else {
      ready = wait(state, EPOLLOUT, limit);
    }
    if (!ready) return fail_with(ready.error());
  }
}

void RealSockets::sent_stream(SocketState& state, ByteView data) {
  const std::string& activity = context_.loop.activity();
  if (state.transport == Transport::kTcp) {
    if (state.peer && context_.tap.enabled()) {
      context_.tap.comments().tcp_wrote(state.local, *state.peer, data.size(), activity);
      context_.tap.gave(data.size());
    }
    context_.carry(host_);
  } else if (state.connection != 0) {
    context_.tap.unix_data(state.connection, state.is_client, data, activity);
  }
}

// unix(7): SCM_RIGHTS and SCM_CREDENTIALS.
Result<Bytes> RealSockets::encode_control(const ControlData& control) {
  Bytes buffer;
  if (!control.rights.empty()) {
    std::vector<int> descriptors;
    for (const Socket socket : control.rights) {
      auto state = find(socket);
      if (!state) return fail_with(state.error());
      (*state)->passed = true;
      descriptors.push_back((*state)->fd.get());
    }
    append_control(buffer, SCM_RIGHTS, descriptors.data(), descriptors.size() * sizeof(int));
  }
  for (const Credentials& who : control.credentials) {
    ucred credentials{static_cast<pid_t>(who.pid), static_cast<uid_t>(who.uid),
                      static_cast<gid_t>(who.gid)};
    if (who.pid == 0) credentials = {::getpid(), ::getuid(), ::getgid()};
    append_control(buffer, SCM_CREDENTIALS, &credentials, sizeof(credentials));
  }
  return buffer;
}

}  // namespace netrig
