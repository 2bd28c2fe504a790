#include "harness/real/call_values.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <sys/un.h>

#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

bool is_time(int level, int name) {
  return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

// Stores `size` octets of `from` as getsockopt does: at most *length, and tells how many.
Result<void> give(const void* from, size_t size, void* value, socklen_t* length) {
  const size_t stored = std::min<size_t>(size, *length);
  if (stored > 0) std::memcpy(value, from, stored);
  *length = static_cast<socklen_t>(stored);
  return {};
}

}  // namespace

Result<Endpoint> endpoint_of(const sockaddr* address, socklen_t length) {
  if (address == nullptr || length < sizeof(sa_family_t)) return fail_with(EINVAL);
  const int family = address->sa_family;
  const size_t least = family == AF_INET    ? sizeof(sockaddr_in)
                       : family == AF_INET6 ? sizeof(sockaddr_in6)
                                            : sizeof(sa_family_t);
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
    return fail_with(EAFNOSUPPORT);
  }
  SocketAddress copy;
  if (length < least || length > sizeof(copy.storage)) return fail_with(EINVAL);
  std::memcpy(&copy.storage, address, length);
  copy.length = length;
  return from_socket_address(copy);
}

void store_endpoint(const Endpoint& endpoint, int domain, sockaddr* address, socklen_t* length) {
  if (address == nullptr || length == nullptr) return;
  SocketAddress whole;
  if (domain == AF_UNIX && endpoint.path().empty()) {
    whole.storage.ss_family = AF_UNIX;
    whole.length = sizeof(sa_family_t);
  } else if (const auto made = to_socket_address(endpoint)) {
    whole = *made;
  }
  const size_t stored = std::min<size_t>(*length, whole.length);
  if (stored > 0) std::memcpy(address, &whole.storage, stored);
  *length = whole.length;
}

Result<void> get_option_value(SocketApi& api, Socket socket, int level, int name, void* value,
                              socklen_t* length) {
  if (value == nullptr || length == nullptr) return fail_with(EFAULT);
  if (level == SOL_SOCKET && name == SO_LINGER) {
    const auto linger = api.get_linger(socket);
    if (!linger) return fail_with(linger.error());
    const ::linger told{linger->on ? 1 : 0, linger->seconds};
    return give(&told, sizeof(told), value, length);
  }
  if (level == SOL_SOCKET && name == SO_PEERCRED) {
    const auto who = api.peer_credentials(socket);
    if (!who) return fail_with(who.error());
    const ucred told{static_cast<pid_t>(who->pid), static_cast<uid_t>(who->uid),
                     static_cast<gid_t>(who->gid)};
    return give(&told, sizeof(told), value, length);
  }
  if (level == IPPROTO_TCP && (name == TCP_CONGESTION || name == TCP_INFO)) {
    const auto octets = api.getsockopt_bytes(socket, level, name, *length);
    if (!octets) return fail_with(octets.error());
    return give(octets->data(), octets->size(), value, length);
  }
  const auto number = api.getsockopt(socket, level, name);
  if (!number) return fail_with(number.error());
  if (is_time(level, name)) {
    const timeval told{*number / 1'000'000, *number % 1'000'000};
    return give(&told, sizeof(told), value, length);
  }
  const int told = static_cast<int>(*number);
  return give(&told, sizeof(told), value, length);
}

Result<void> set_option_value(SocketApi& api, Socket socket, int level, int name, const void* value,
                              socklen_t length) {
  if (value == nullptr) return fail_with(EFAULT);
  if (level == SOL_SOCKET && name == SO_LINGER) {
    ::linger linger{};
    if (length < sizeof(linger)) return fail_with(EINVAL);
    std::memcpy(&linger, value, sizeof(linger));
    return api.set_linger(socket, {linger.l_onoff != 0, linger.l_linger});
  }
  if (is_time(level, name)) {
    timeval time{};
    if (length < sizeof(time)) return fail_with(EINVAL);
    std::memcpy(&time, value, sizeof(time));
    return api.setsockopt(socket, level, name, int64_t{time.tv_sec} * 1'000'000 + time.tv_usec);
  }
  if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
    return api.setsockopt_bytes(socket, level, name,
                                ByteView(static_cast<const char*>(value), length));
  }
  int number = 0;
  if (length < sizeof(number)) return fail_with(EINVAL);
  std::memcpy(&number, value, sizeof(number));
  return api.setsockopt(socket, level, name, number);
}

}  // namespace netrig
