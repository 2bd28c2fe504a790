// TcpSocket: sending and receiving, with what a socket without a connection answers.

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/in.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/tcp_socket.h"

namespace netrig {

// sk_stream_wait_connect(): an error that waits, else EPIPE.
Result<size_t> TcpSocket::send_without_connection() {
  if (const auto error = take_error()) return fail_with(*error);
  return fail_with(EPIPE);
}

Result<size_t> TcpSocket::send(const OutgoingMessage& message) {
  if (connection_ == nullptr) return send_without_connection();
  begin_call();
  if ((message.flags & MSG_OOB) != 0) return connection_->send_urgent(now(), message.parts);
  return connection_->send(now(), message.parts, (message.flags & MSG_MORE) != 0);
}

// tcp_recvmsg_locked() in LISTEN and CLOSE.
Result<void> TcpSocket::receive_without_connection(int flags) {
  if (listener_ != nullptr) return fail_with(ENOTCONN);
  if ((flags & MSG_OOB) != 0) return fail_with(EINVAL);
  if (const auto error = take_error()) return fail_with(*error);
  if (receive_shutdown_) return {};
  return fail_with(ENOTCONN);
}

Result<void> TcpSocket::receive(std::span<const std::span<char>> parts, int flags,
                                IncomingMessage& message) {
  if ((flags & MSG_ERRQUEUE) != 0) return fail_with(EAGAIN);
  if (connection_ == nullptr) return receive_without_connection(flags);
  begin_call();
  if ((flags & MSG_OOB) != 0) return receive_urgent(parts, flags, message);
  Result<size_t> size = 0;
  if ((flags & MSG_TRUNC) != 0 && (flags & MSG_PEEK) == 0) {
    size_t capacity = 0;
    for (const auto part : parts) capacity += part.size();
    size = discard(capacity);
  } else {
    size = connection_->receive(now(), parts, (flags & MSG_PEEK) != 0);
  }
  if (!size) return fail_with(size.error());
  message.size = *size;
  return {};
}

// tcp(7): with MSG_TRUNC octets are thrown away, not copied.
Result<size_t> TcpSocket::discard(size_t octets) {
  std::array<char, 4096> scratch;
  size_t total = 0;
  while (total < octets || octets == 0) {
    const std::span<char> part(scratch.data(), std::min(scratch.size(), octets - total));
    const auto size = connection_->receive(now(), {&part, 1}, false);
    if (!size) return total > 0 ? Result<size_t>(total) : size;
    total += *size;
    if (*size == 0) break;
  }
  return total;
}

// tcp_recv_urg().
Result<void> TcpSocket::receive_urgent(std::span<const std::span<char>> parts, int flags,
                                       IncomingMessage& message) {
  const auto octet = connection_->receive_urgent(now(), (flags & MSG_PEEK) != 0);
  if (!octet) return fail_with(octet.error());
  message.flags = MSG_OOB;
  const auto first = std::find_if(parts.begin(), parts.end(), [](auto p) { return !p.empty(); });
  if (first == parts.end()) {
    message.flags |= MSG_TRUNC;
    return {};
  }
  first->front() = *octet;
  message.size = 1;
  return {};
}

size_t TcpSocket::readable_octets() const {
  return connection_ == nullptr ? 0 : connection_->readable_octets();
}

}  // namespace netrig
