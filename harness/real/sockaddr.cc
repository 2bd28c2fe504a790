#include "harness/real/sockaddr.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace netrig {
namespace {

Result<SocketAddress> to_unix(const Endpoint& endpoint) {
  SocketAddress address;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const std::string& path = endpoint.path();
  if (path.size() > sizeof(un.sun_path)) return fail_with(EINVAL);
  if (!endpoint.is_abstract() && path.find('\0') != std::string::npos) return fail_with(EINVAL);
  if (!path.empty()) std::memcpy(un.sun_path, path.data(), path.size());
  size_t length = offsetof(sockaddr_un, sun_path) + path.size();
  // unix(7): a pathname is ended by a NUL where there is room; an abstract name's length is exact.
  if (!path.empty() && !endpoint.is_abstract() && path.size() < sizeof(un.sun_path)) ++length;
  std::memcpy(&address.storage, &un, sizeof(un));
  address.length = static_cast<socklen_t>(length);
  return address;
}

Endpoint from_unix(const SocketAddress& address) {
  sockaddr_un un{};
  std::memcpy(&un, &address.storage, sizeof(un));
  const size_t start = offsetof(sockaddr_un, sun_path);
  if (address.length <= start) return Endpoint::unix_unnamed();
  const size_t length = std::min(address.length - start, sizeof(un.sun_path));
  if (un.sun_path[0] == '\0') {
    return Endpoint::unix_abstract(std::string(un.sun_path + 1, length - 1));
  }
  return Endpoint::unix_path(std::string(un.sun_path, ::strnlen(un.sun_path, length)));
}

}  // namespace

Result<SocketAddress> to_socket_address(const Endpoint& endpoint) {
  if (endpoint.kind() == Endpoint::Kind::kUnix) return to_unix(endpoint);
  SocketAddress address;
  if (endpoint.address().is_v6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port());
    std::memcpy(&in.sin6_addr, endpoint.address().octets().data(), 16);
    std::memcpy(&address.storage, &in, sizeof(in));
    address.length = sizeof(in);
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port());
    in.sin_addr.s_addr = htonl(endpoint.address().v4_host_order());
    std::memcpy(&address.storage, &in, sizeof(in));
    address.length = sizeof(in);
  }
  return address;
}

Endpoint from_socket_address(const SocketAddress& address) {
  if (address.length < sizeof(sa_family_t)) return Endpoint::unix_unnamed();
  if (address.storage.ss_family == AF_INET && address.length >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof(in));
    return Endpoint(IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port));
  }
  if (address.storage.ss_family == AF_INET6 && address.length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address.storage, sizeof(in));
    std::array<uint8_t, 16> octets{};
    std::memcpy(octets.data(), &in.sin6_addr, 16);
    return Endpoint(IpAddress::v6(octets), ntohs(in.sin6_port));
  }
  if (address.storage.ss_family == AF_UNIX) return from_unix(address);
  return Endpoint::unix_unnamed();
}

Result<Endpoint> local_endpoint(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (::getsockname(fd, address.get(), &address.length) != 0) return fail_with(errno);
  return from_socket_address(address);
}

Result<Endpoint> peer_endpoint(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (::getpeername(fd, address.get(), &address.length) != 0) return fail_with(errno);
  return from_socket_address(address);
}

}  // namespace netrig
