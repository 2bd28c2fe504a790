#pragma once
// From the C structures of POSIX calls to the values of SocketApi and back, for whoever serves such
// calls with sockets of a world.

#include <sys/socket.h>

#include "harness/sockets/socket_api.h"

namespace netrig {

// EINVAL for one that is too short, EAFNOSUPPORT for an unknown family.
Result<Endpoint> endpoint_of(const sockaddr* address, socklen_t length);
// As the kernel stores it for a socket of `domain`: cut to *length, the real size told there. Null
// pointers are let be.
void store_endpoint(const Endpoint& endpoint, int domain, sockaddr* address, socklen_t* length);

// getsockopt(2) and setsockopt(2), with struct linger, timeval, ucred and names as values.
Result<void> get_option_value(SocketApi& api, Socket socket, int level, int name, void* value,
                              socklen_t* length);
Result<void> set_option_value(SocketApi& api, Socket socket, int level, int name, const void* value,
                              socklen_t length);

}  // namespace netrig
