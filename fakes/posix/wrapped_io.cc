// The calls that move octets.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "fakes/posix/descriptors.h"
#include "fakes/posix/real_calls.h"
#include "harness/real/call_values.h"

using namespace netrig;
using posix::Descriptor;

namespace {

ssize_t counted(const Result<size_t>& result) {
  return result ? static_cast<ssize_t>(*result) : posix::fail(result.error());
}

std::span<char> room(void* buffer, size_t size) {
  return {static_cast<char*>(buffer), size};
}

ByteView octets(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

// SCM_RIGHTS and SCM_CREDENTIALS of a message to send; EINVAL for lengths that lie, EBADF for
// descriptors that are no simulated sockets.
Result<ControlData> control_of(const msghdr& message) {
  ControlData control;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_len < CMSG_LEN(0)) return fail_with(EINVAL);
    const size_t size = part->cmsg_len - CMSG_LEN(0);
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_RIGHTS) {
      for (size_t i = 0; i + 1 <= size / sizeof(int); ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
        const Descriptor* passed = posix::find(fd);
        if (passed == nullptr || passed->epoll != nullptr) return fail_with(EBADF);
        control.rights.push_back(passed->socket);
      }
    } else if (part->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(part), sizeof(who));
      control.credentials.push_back({who.pid, who.uid, who.gid});
    }
  }
  return control;
}

int domain_of(SocketApi& api, Socket socket) {
  return static_cast<int>(api.getsockopt(socket, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNIX));
}

// Appends one piece of ancillary data; false if it does not fit whole.
bool append(msghdr& message, size_t& used, int type, const void* data, size_t size) {
  if (message.msg_control == nullptr || used + CMSG_SPACE(size) > message.msg_controllen) {
    return false;
  }
  char* at = static_cast<char*>(message.msg_control) + used;
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(size);
  header.cmsg_level = SOL_SOCKET;
  header.cmsg_type = type;
  std::memset(at, 0, CMSG_SPACE(size));
  std::memcpy(at, &header, sizeof(header));
  std::memcpy(at + CMSG_LEN(0), data, size);
  used += CMSG_SPACE(size);
  return true;
}

void give_control(const Descriptor& socket, const ControlData& control, msghdr& message) {
  size_t used = 0;
  for (const Credentials& who : control.credentials) {
    const ucred told{static_cast<pid_t>(who.pid), static_cast<uid_t>(who.uid),
                     static_cast<gid_t>(who.gid)};
    if (!append(message, used, SCM_CREDENTIALS, &told, sizeof(told)))
      message.msg_flags |= MSG_CTRUNC;
  }
  if (!control.rights.empty()) {
    std::vector<int> passed;
    for (const Socket right : control.rights) {
      passed.push_back(posix::add(
          {.api = socket.api, .socket = right, .domain = domain_of(*socket.api, right)}));
    }
    if (!append(message, used, SCM_RIGHTS, passed.data(), passed.size() * sizeof(int))) {
      message.msg_flags |= MSG_CTRUNC;
      for (const int fd : passed) {
        if (fd >= 0) posix::close(fd);
      }
    }
  }
  message.msg_controllen = used;
}

ssize_t send_parts(const Descriptor& socket, const iovec* parts, size_t count, int flags) {
  std::vector<ByteView> views;
  views.reserve(count);
  for (size_t i = 0; i < count; ++i) views.push_back(octets(parts[i].iov_base, parts[i].iov_len));
  return counted(socket.api->sendmsg(socket.socket, views, flags, nullptr, {}));
}

Result<ReceivedMessage> receive_parts(const Descriptor& socket, const iovec* parts, size_t count,
                                      int flags) {
  std::vector<std::span<char>> spans;
  spans.reserve(count);
  for (size_t i = 0; i < count; ++i) spans.push_back(room(parts[i].iov_base, parts[i].iov_len));
  return socket.api->recvmsg(socket.socket, spans, flags);
}

}  // namespace

extern "C" {

ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_send(fd, data, size, flags);
  return counted(socket->api->send(socket->socket, octets(data, size), flags));
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_write(fd, data, size);
  return counted(socket->api->send(socket->socket, octets(data, size), 0));
}

ssize_t __wrap_sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
                      socklen_t length) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_sendto(fd, data, size, flags, to, length);
  if (to == nullptr) return counted(socket->api->send(socket->socket, octets(data, size), flags));
  const auto peer = endpoint_of(to, length);
  if (!peer) return posix::fail(peer.error());
  return counted(socket->api->sendto(socket->socket, octets(data, size), flags, *peer));
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_sendmsg(fd, message, flags);
  std::vector<ByteView> views;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    views.push_back(octets(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len));
  }
  Endpoint to;
  if (message->msg_name != nullptr) {
    const auto peer =
        endpoint_of(static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
    if (!peer) return posix::fail(peer.error());
    to = *peer;
  }
  const auto control = control_of(*message);
  if (!control) return posix::fail(control.error());
  return counted(socket->api->sendmsg(socket->socket, views, flags,
                                      message->msg_name == nullptr ? nullptr : &to, *control));
}

ssize_t __wrap_writev(int fd, const iovec* parts, int count) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_writev(fd, parts, count);
  return count < 0 ? posix::fail(EINVAL)
                   : send_parts(*socket, parts, static_cast<size_t>(count), 0);
}

ssize_t __wrap_recv(int fd, void* buffer, size_t size, int flags) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_recv(fd, buffer, size, flags);
  return counted(socket->api->recv(socket->socket, room(buffer, size), flags));
}

ssize_t __wrap_read(int fd, void* buffer, size_t size) {
  const Descriptor* socket = posix::find(fd);
  if (socket == nullptr) return __real_read(fd, buffer, size);
  return counted(socket->api->recv(socket->socket, room(buffer, size), 0));
}

ssize_t __wrap_recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from,
                        socklen_t* length) {
  const Descriptor* found = posix::find(fd);
  if (found == nullptr) return __real_recvfrom(fd, buffer, size, flags, from, length);
  const Descriptor socket = *found;  // the call may suspend
  const auto got = socket.api->recvfrom(socket.socket, room(buffer, size), flags);
  if (!got) return posix::fail(got.error());
  store_endpoint(got->from, socket.domain, from, length);
  return static_cast<ssize_t>(got->size);
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  const Descriptor* found = posix::find(fd);
  if (found == nullptr) return __real_recvmsg(fd, message, flags);
  const Descriptor socket = *found;
  const auto got = receive_parts(socket, message->msg_iov, message->msg_iovlen, flags);
  if (!got) return posix::fail(got.error());
  message->msg_flags = got->flags;
  store_endpoint(got->from, socket.domain, static_cast<sockaddr*>(message->msg_name),
                 &message->msg_namelen);
  give_control(socket, got->control, *message);
  return static_cast<ssize_t>(got->size);
}

ssize_t __wrap_readv(int fd, const iovec* parts, int count) {
  const Descriptor* found = posix::find(fd);
  if (found == nullptr) return __real_readv(fd, parts, count);
  if (count < 0) return posix::fail(EINVAL);
  const auto got = receive_parts(*found, parts, static_cast<size_t>(count), 0);
  return got ? static_cast<ssize_t>(got->size) : posix::fail(got.error());
}

// What _FORTIFY_SOURCE makes of these calls; the size of the buffer was checked by whoever knew it.
ssize_t __wrap___read_chk(int fd, void* buffer, size_t size, size_t) {
  return __wrap_read(fd, buffer, size);
}
ssize_t __wrap___recv_chk(int fd, void* buffer, size_t size, size_t, int flags) {
  return __wrap_recv(fd, buffer, size, flags);
}
ssize_t __wrap___recvfrom_chk(int fd, void* buffer, size_t size, size_t, int flags, sockaddr* from,
                              socklen_t* length) {
  return __wrap_recvfrom(fd, buffer, size, flags, from, length);
}

}  // extern "C"
