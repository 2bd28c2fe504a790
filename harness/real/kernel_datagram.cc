#include "harness/real/kernel_datagram.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/uio.h>
#include <vector>

#include "harness/net/mapped_address.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

// RFC 768 and RFC 791: 65535 less the headers; over IPv6 (RFC 8200) only UDP's own.
constexpr size_t kUdpPayloadMaxV4 = 65507;
constexpr size_t kUdpPayloadMaxV6 = 65527;
// Linux's MSG_PROBE (0x10): all checks, no packet. Not in glibc's headers, which call the bit
// MSG_PROXY.
constexpr int kMsgProbe = 0x10;
// What the kernel counts on top of a Unix datagram (unix_dgram_sendmsg: size > sndbuf - 32).
constexpr size_t kUnixOverhead = 32;

void append_control(Bytes& buffer, int level, int type, const void* data, size_t size) {
  const size_t start = buffer.size();
  buffer.resize(start + CMSG_SPACE(size), '\0');
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(size);
  std::memcpy(buffer.data() + start, &header, sizeof(header));
  std::memcpy(buffer.data() + start + CMSG_LEN(0), data, size);
}

void append_source(Bytes& buffer, const IpAddress& source) {
  if (source.is_v6()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, source.octets().data(), 16);
    append_control(buffer, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
  } else {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source.v4_host_order());
    append_control(buffer, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
  }
}

Result<void> pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return fail_with(errno);
  return error == 0 ? Result<void>() : fail_with(error);
}

// Whether a Unix datagram socket stands behind `to`: connecting a scratch socket asks the same
// questions that sending would (ENOENT, ECONNREFUSED, EPROTOTYPE, EACCES).
Result<void> check_unix_target(const Endpoint& to) {
  const Fd scratch(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!scratch) return fail_with(errno);
  const auto address = to_socket_address(to);
  if (!address) return fail_with(address.error());
  if (::connect(scratch.get(), address->get(), address->length) != 0) return fail_with(errno);
  return {};
}

Result<void> check_unix(const SocketState& state, size_t size, const std::optional<Endpoint>& to) {
  if (auto error = pending_error(state.fd.get()); !error) return error;
  if (to) {
    if (auto reached = check_unix_target(*to); !reached) return reached;
  } else if (const auto peer = peer_endpoint(state.fd.get()); !peer) {
    return fail_with(ENOTCONN);
  } else if (!peer->path().empty()) {
    if (!check_unix_target(*peer)) return fail_with(ECONNREFUSED);
  }
  int buffer = 0;
  socklen_t length = sizeof(buffer);
  ::getsockopt(state.fd.get(), SOL_SOCKET, SO_SNDBUF, &buffer, &length);
  if (size + kUnixOverhead > static_cast<size_t>(buffer)) return fail_with(EMSGSIZE);
  return {};
}

}  // namespace

std::optional<IpAddress> source_for(const SocketState& state, const HostTable& hosts,
                                    const Endpoint& to) {
  if (state.transport != Transport::kUdp || to.kind() != Endpoint::Kind::kIp) return std::nullopt;
  const bool bound_to_address = state.has_source && !state.local.address().is_unspecified();
  if (bound_to_address) return std::nullopt;
  const IpAddress target = unmapped(to.address());
  const bool of_world = hosts.by_address(target).has_value() ||
                        (hosts.host_network() && !target.is_v6() && target.is_loopback());
  if (!of_world) return std::nullopt;
  return hosts.address(state.host, target.is_v6());
}

Result<size_t> send_datagram(int fd, std::span<const ByteView> parts, int flags,
                             const std::optional<Endpoint>& to,
                             const std::optional<IpAddress>& source, ByteView control) {
  SocketAddress address;
  if (to) {
    auto made = to_socket_address(*to);
    if (!made) return fail_with(made.error());
    address = *made;
  }
  std::vector<iovec> vectors;
  vectors.reserve(parts.size());
  for (const ByteView part : parts) {
    vectors.push_back({const_cast<char*>(part.data()), part.size()});
  }
  Bytes ancillary(control);
  if (source) append_source(ancillary, *source);
  msghdr message{};
  message.msg_name = to ? address.get() : nullptr;
  message.msg_namelen = to ? address.length : 0;
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  message.msg_control = ancillary.empty() ? nullptr : ancillary.data();
  message.msg_controllen = ancillary.size();
  const ssize_t size = ::sendmsg(fd, &message, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) return fail_with(errno);
  return static_cast<size_t>(size);
}

uint8_t traffic_class(const SocketState& state, bool v6) {
  int value = 0;
  socklen_t length = sizeof(value);
  ::getsockopt(state.fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &value,
               &length);
  return static_cast<uint8_t>(value);
}

Bytes traffic_class_control(bool v6, uint8_t value) {
  Bytes control;
  const int number = value;
  append_control(control, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &number,
                 sizeof(number));
  return control;
}

Result<void> check_datagram(const SocketState& state, size_t size,
                            const std::optional<Endpoint>& to,
                            const std::optional<IpAddress>& source) {
  if (state.transport != Transport::kUdp) return check_unix(state, size, to);
  const auto& target = to ? to : state.peer;
  const bool v6 = target && unmapped(target->address()).is_v6();
  if (size > (v6 ? kUdpPayloadMaxV6 : kUdpPayloadMaxV4)) return fail_with(EMSGSIZE);
  const ByteView one("x", 1);
  const auto probed = send_datagram(state.fd.get(), {&one, 1}, kMsgProbe, to, source);
  if (!probed) return fail_with(probed.error());
  return pending_error(state.fd.get());
}

}  // namespace netrig
