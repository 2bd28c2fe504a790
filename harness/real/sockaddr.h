#pragma once
// Endpoint to and from the kernel's sockaddr. Nothing else knows both.

#include <sys/socket.h>

#include "harness/base/errno.h"
#include "harness/net/endpoint.h"

namespace netrig {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// EINVAL for a Unix path or name that is too long for sun_path (unix(7)) or holds a NUL.
Result<SocketAddress> to_socket_address(const Endpoint& endpoint);
// An address of another family, or none (length 0), is Endpoint::unix_unnamed().
Endpoint from_socket_address(const SocketAddress& address);

// getsockname(2), getpeername(2).
Result<Endpoint> local_endpoint(int fd);
Result<Endpoint> peer_endpoint(int fd);

}  // namespace netrig
