// RealSockets: the receiving calls.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "harness/real/real_sockets.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

constexpr size_t kRightsMax = 253;  // SCM_MAX_FD
constexpr size_t kScratchBytes = 65536;
constexpr Duration kPeekPoll = 1ms;

size_t waiting_octets(int fd) {
  int size = 0;
  return ::ioctl(fd, FIONREAD, &size) == 0 && size > 0 ? static_cast<size_t>(size) : 0;
}

size_t capacity_of(std::span<const std::span<char>> parts) {
  size_t total = 0;
  for (const auto part : parts) total += part.size();
  return total;
}

// What of `parts` is left after `offset` octets.
std::vector<std::span<char>> rest_of(std::span<const std::span<char>> parts, size_t offset) {
  std::vector<std::span<char>> rest;
  for (auto part : parts) {
    const size_t skip = std::min(offset, part.size());
    offset -= skip;
    if (skip < part.size()) rest.push_back(part.subspan(skip));
  }
  return rest;
}

}  // namespace

Result<size_t> RealSockets::recv(Socket socket, std::span<char> buffer, int flags) {
  const auto received = recvfrom(socket, buffer, flags);
  if (!received) return fail_with(received.error());
  return received->size;
}

Result<ReceivedFrom> RealSockets::recvfrom(Socket socket, std::span<char> buffer, int flags) {
  auto state = find(socket);
  if (!state) return fail_with(state.error());
  auto received = receive(*state, {&buffer, 1}, flags, false);
  if (!received) return fail_with(received.error());
  return ReceivedFrom{received->size, received->from};
}

Result<ReceivedMessage> RealSockets::recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                             int flags) {
  auto state = find(socket);
  if (!state) return fail_with(state.error());
  return receive(*state, parts, flags, true);
}

// recv(2): MSG_WAITALL waits for the whole amount on streams, unless the stream ends, breaks or an
// ancillary message stands in between.
Result<ReceivedMessage> RealSockets::receive(const State& state,
                                             std::span<const std::span<char>> parts, int flags,
                                             bool wants_control) {
  if (!state->is_socket) return fail_with(ENOTSOCK);
  const size_t capacity = capacity_of(parts);
  const bool all = (flags & MSG_WAITALL) != 0 && !keeps_boundaries(state->transport);
  const bool peek = (flags & MSG_PEEK) != 0;
  const auto limit = limit_of(state->receive_timeout);
  ReceivedMessage whole;
  while (true) {
    if (state->deferred_error) return fail_with(*std::exchange(state->deferred_error, {}));
    const auto rest = rest_of(parts, peek ? 0 : whole.size);
    auto part = receive_once(state, rest, flags & ~MSG_WAITALL, wants_control);
    if (part) {
      // What is read makes room for as much more of what the peer's kernel has not sent yet.
      if (state->transport == Transport::kTcp && !peek) context_.tap.gave(part->size);
      const size_t before = peek ? 0 : whole.size;
      const bool ended = part->size == 0 || (peek && part->size == whole.size);
      part->size += before;
      whole = std::move(*part);
      // Ancillary data that nobody asked for is only told of.
      const bool interrupted = !whole.control.rights.empty() ||
                               !whole.control.credentials.empty() ||
                               (whole.flags & MSG_CTRUNC) != 0;
      if (!all || ended || interrupted || whole.size >= capacity) return whole;
      if (!may_block(*state, flags)) return whole;
      if (peek &&
          context_.loop.sleep_until(context_.loop.now() + kPeekPoll) == Loop::Woken::kDeadline) {
        return whole;
      }
      continue;
    }
    if (part.error() == Errno(EINTR)) continue;
    const bool partly = whole.size > 0;
    if (part.error() != Errno(EAGAIN) || !may_block(*state, flags)) {
      return partly ? Result<ReceivedMessage>(std::move(whole)) : fail_with(part.error());
    }
    // __skb_wait_for_more_packets()
    if (keeps_boundaries(state->transport) && reading_ended(state->fd.get())) return whole;
    const uint32_t events = (flags & MSG_OOB) != 0 ? EPOLLPRI : EPOLLIN;
    if (auto ready = wait(state, events, limit); !ready) {
      return partly ? Result<ReceivedMessage>(std::move(whole)) : fail_with(ready.error());
    }
    // What is left after a part was read and is not data is an error: it belongs to the next call.
    if (partly && !peek && waiting_octets(state->fd.get()) == 0) return whole;
  }
}

Result<ReceivedMessage> RealSockets::receive_once(const State& state,
                                                  std::span<const std::span<char>> parts, int flags,
                                                  bool wants_control) {
  const size_t capacity = capacity_of(parts);
  const bool datagram = keeps_boundaries(state->transport);
  const bool watched = datagram && (flags & MSG_PEEK) == 0;
  std::vector<iovec> vectors;
  for (const auto part : parts) vectors.push_back({part.data(), part.size()});
  // A datagram is recognised by all its octets, also those that the caller has no room for.
  Bytes scratch;
  if (watched && !state->expected.empty()) {
    scratch.resize(kScratchBytes);
    vectors.push_back({scratch.data(), scratch.size()});
  }
  SocketAddress from;
  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(kRightsMax * sizeof(int)) + CMSG_SPACE(sizeof(ucred))>
          control{};
  msghdr message{};
  message.msg_name = from.get();
  message.msg_namelen = sizeof(from.storage);
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  message.msg_control = wants_control ? control.data() : nullptr;
  message.msg_controllen = wants_control ? control.size() : 0;
  const int truncating = datagram ? MSG_TRUNC : 0;
  const ssize_t size =
      ::recvmsg(state->fd.get(), &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC | truncating);
  if (size < 0) return fail_with(errno);
  const auto length = static_cast<size_t>(size);

  ReceivedMessage received;
  from.length = message.msg_namelen;
  received.from = from_socket_address(from);
  received.flags = message.msg_flags & ~MSG_CMSG_CLOEXEC;
  received.size = length;
  if (datagram && length > capacity) {
    received.flags |= MSG_TRUNC;
    if ((flags & MSG_TRUNC) == 0) received.size = capacity;
  }
  if (wants_control) decode_control(message, received);
  if ((flags & MSG_PEEK) != 0) return received;

  if (watched && !scratch.empty()) {
    OctetHash hash;
    size_t left = length;
    for (const iovec& vector : vectors) {
      const size_t here = std::min(left, vector.iov_len);
      hash.add(ByteView(static_cast<const char*>(vector.iov_base), here));
      left -= here;
    }
    context_.datagrams.received(*state, hash.value());
  }
  Bytes seen;  // what a peer outside the world sent is recorded here
  if (state->peer_outside) {
    size_t left = std::min(length, capacity);
    for (const auto part : parts) {
      const size_t here = std::min(left, part.size());
      seen.append(part.data(), here);
      left -= here;
    }
  }
  after_reception(*state, seen, length == 0 && capacity > 0 && !datagram);
  return received;
}

void RealSockets::decode_control(msghdr& message, ReceivedMessage& received) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    const size_t size = header->cmsg_len - CMSG_LEN(0);
    if (header->cmsg_type == SCM_RIGHTS) {
      for (size_t i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header) + i, sizeof(int));
        if (auto state = adopt(Fd(descriptor))) {
          received.control.rights.push_back(add_handle(*state));
        }
      }
    } else if (header->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
      received.control.credentials.push_back(
          {credentials.pid, int64_t{credentials.uid}, int64_t{credentials.gid}});
    }
  }
}

void RealSockets::after_reception(SocketState& state, ByteView data, bool at_end) {
  if (!is_unix(state.transport)) return;
  state.room->wake_all(context_.loop);
  if (!state.peer_outside || state.connection == 0) return;
  // A process at the other end tells us nothing: what it sent is recorded when it is read.
  if (state.transport == Transport::kUnixSeqpacket) {
    context_.tap.unix_datagram(state.service, state.connection, !state.is_client, data, "");
  } else if (at_end) {
    context_.tap.unix_finished(state.connection, !state.is_client, "");
  } else {
    context_.tap.unix_data(state.connection, !state.is_client, data, "");
  }
}

}  // namespace netrig
