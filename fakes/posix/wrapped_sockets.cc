// The calls that make, name, connect and configure sockets.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "fakes/posix/descriptors.h"
#include "fakes/posix/real_calls.h"
#include "harness/real/call_values.h"

using namespace netrig;
using posix::Descriptor;

namespace {

int add_socket(SocketApi& api, Socket socket, int domain, bool nonblocking) {
  if (nonblocking) (void)api.set_nonblocking(socket, true);
  return posix::add({.api = &api, .socket = socket, .domain = domain, .nonblocking = nonblocking});
}

// A descriptor that is a socket; null with errno otherwise.
Descriptor* socket_of(int fd) {
  Descriptor* found = posix::find(fd);
  if (found == nullptr || found->epoll == nullptr) return found;
  posix::fail(ENOTSOCK);
  return nullptr;
}

int accept_on(Descriptor listener, sockaddr* address, socklen_t* length, int flags) {
  const auto accepted = listener.api->accept(listener.socket);
  if (!accepted) return posix::fail(accepted.error());
  store_endpoint(accepted->peer, listener.domain, address, length);
  return add_socket(*listener.api, accepted->socket, listener.domain, (flags & SOCK_NONBLOCK) != 0);
}

// fcntl(2) on a simulated socket.
int control(int fd, int command, void* argument) {
  Descriptor& descriptor = *posix::find(fd);
  const auto number = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  switch (command) {
    case F_GETFL:
      return O_RDWR | (descriptor.nonblocking ? O_NONBLOCK : 0);
    case F_SETFL:
      descriptor.nonblocking = (number & O_NONBLOCK) != 0;
      if (descriptor.epoll != nullptr) return 0;
      return posix::answer(
          descriptor.api->set_nonblocking(descriptor.socket, descriptor.nonblocking));
    case F_DUPFD:  // which number it gets is not for the caller to choose here
    case F_DUPFD_CLOEXEC:
      return posix::add(descriptor);
    case F_GETFD:
    case F_SETFD:
      return __real_fcntl(fd, command, argument);  // of the number that stands for it
    default:
      return posix::fail(EINVAL);
  }
}

}  // namespace

extern "C" {

int __wrap_socket(int domain, int type, int protocol) {
  SocketApi* api = posix::current_api();
  if (api == nullptr) return __real_socket(domain, type, protocol);
  const auto made = api->socket(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
  if (!made) return posix::fail(made.error());
  return add_socket(*api, *made, domain, (type & SOCK_NONBLOCK) != 0);
}

int __wrap_socketpair(int domain, int type, int protocol, int ends[2]) {
  SocketApi* api = posix::current_api();
  if (api == nullptr) return __real_socketpair(domain, type, protocol, ends);
  const auto made = api->socketpair(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
  if (!made) return posix::fail(made.error());
  const bool nonblocking = (type & SOCK_NONBLOCK) != 0;
  const int first = add_socket(*api, made->first, domain, nonblocking);
  if (first < 0) {
    const int error = errno;
    (void)api->close(made->second);
    return posix::fail(error);
  }
  const int second = add_socket(*api, made->second, domain, nonblocking);
  if (second < 0) {
    const int error = errno;
    posix::close(first);
    return posix::fail(error);
  }
  ends[0] = first;
  ends[1] = second;
  return 0;
}

int __wrap_bind(int fd, const sockaddr* address, socklen_t length) {
  if (posix::find(fd) == nullptr) return __real_bind(fd, address, length);
  const Descriptor* socket = socket_of(fd);
  if (socket == nullptr) return -1;
  const auto local = endpoint_of(address, length);
  return local ? posix::answer(socket->api->bind(socket->socket, *local))
               : posix::fail(local.error());
}

int __wrap_listen(int fd, int backlog) {
  if (posix::find(fd) == nullptr) return __real_listen(fd, backlog);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1 : posix::answer(socket->api->listen(socket->socket, backlog));
}

int __wrap_accept(int fd, sockaddr* address, socklen_t* length) {
  if (posix::find(fd) == nullptr) return __real_accept(fd, address, length);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1 : accept_on(*socket, address, length, 0);
}

int __wrap_accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (posix::find(fd) == nullptr) return __real_accept4(fd, address, length, flags);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1 : accept_on(*socket, address, length, flags);
}

int __wrap_connect(int fd, const sockaddr* address, socklen_t length) {
  if (posix::find(fd) == nullptr) return __real_connect(fd, address, length);
  const Descriptor* socket = socket_of(fd);
  if (socket == nullptr) return -1;
  const auto peer = endpoint_of(address, length);
  return peer ? posix::answer(socket->api->connect(socket->socket, *peer))
              : posix::fail(peer.error());
}

int __wrap_shutdown(int fd, int how) {
  if (posix::find(fd) == nullptr) return __real_shutdown(fd, how);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1 : posix::answer(socket->api->shutdown(socket->socket, how));
}

int __wrap_close(int fd) {
  return posix::find(fd) == nullptr ? __real_close(fd) : posix::close(fd);
}

int __wrap_dup(int fd) {
  const Descriptor* found = posix::find(fd);
  return found == nullptr ? __real_dup(fd) : posix::add(*found);
}

int __wrap_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);  // an int travels the same way on this ABI
  va_end(arguments);
  return posix::find(fd) == nullptr ? __real_fcntl(fd, command, argument)
                                    : control(fd, command, argument);
}

int __wrap_fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return posix::find(fd) == nullptr ? __real_fcntl64(fd, command, argument)
                                    : control(fd, command, argument);
}

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (posix::find(fd) == nullptr) return __real_ioctl(fd, request, argument);
  Descriptor* socket = socket_of(fd);
  if (socket == nullptr) return -1;
  int* value = static_cast<int*>(argument);
  if (request == FIONREAD) {
    const auto waiting = socket->api->readable_octets(socket->socket);
    if (!waiting) return posix::fail(waiting.error());
    *value = static_cast<int>(std::min<size_t>(*waiting, INT32_MAX));
    return 0;
  }
  if (request == FIONBIO) {
    socket->nonblocking = *value != 0;
    return posix::answer(socket->api->set_nonblocking(socket->socket, socket->nonblocking));
  }
  return posix::fail(ENOTTY);
}

int __wrap_getsockname(int fd, sockaddr* address, socklen_t* length) {
  if (posix::find(fd) == nullptr) return __real_getsockname(fd, address, length);
  const Descriptor* socket = socket_of(fd);
  if (socket == nullptr) return -1;
  const auto local = socket->api->getsockname(socket->socket);
  if (!local) return posix::fail(local.error());
  store_endpoint(*local, socket->domain, address, length);
  return 0;
}

int __wrap_getpeername(int fd, sockaddr* address, socklen_t* length) {
  if (posix::find(fd) == nullptr) return __real_getpeername(fd, address, length);
  const Descriptor* socket = socket_of(fd);
  if (socket == nullptr) return -1;
  const auto peer = socket->api->getpeername(socket->socket);
  if (!peer) return posix::fail(peer.error());
  store_endpoint(*peer, socket->domain, address, length);
  return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  if (posix::find(fd) == nullptr) return __real_getsockopt(fd, level, name, value, length);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1
                           : posix::answer(get_option_value(*socket->api, socket->socket, level,
                                                            name, value, length));
}

int __wrap_setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  if (posix::find(fd) == nullptr) return __real_setsockopt(fd, level, name, value, length);
  const Descriptor* socket = socket_of(fd);
  return socket == nullptr ? -1
                           : posix::answer(set_option_value(*socket->api, socket->socket, level,
                                                            name, value, length));
}

}  // extern "C"
