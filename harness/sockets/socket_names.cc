#include "harness/sockets/socket_names.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace netrig {

const std::vector<SocketOption>& socket_options() {
  using enum SocketOption::Kind;
  static const std::vector<SocketOption> table = {
      {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, kInteger},
      {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, kInteger},
      {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, kInteger},
      {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, kInteger},
      {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, kInteger},
      {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, kMicroseconds},
      {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, kMicroseconds},
      {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, kInteger},
      {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, kInteger},
      {"SO_LINGER", SOL_SOCKET, SO_LINGER, kLinger},
      {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, kInteger},
      {"SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, kInteger},
      {"SO_ERROR", SOL_SOCKET, SO_ERROR, kInteger},
      {"SO_TYPE", SOL_SOCKET, SO_TYPE, kInteger},
      {"SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, kInteger},
      {"SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, kInteger},
      {"SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, kInteger},
      {"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, kInteger},
      {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, kInteger},
      {"TCP_CORK", IPPROTO_TCP, TCP_CORK, kInteger},
      {"TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, kInteger},
      {"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, kInteger},
      {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, kInteger},
      {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, kInteger},
      {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, kInteger},
      {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, kInteger},
      {"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, kInteger},
      {"TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, kInteger},
      {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, kInteger},
      {"TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP, kInteger},
      {"TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, kBytes},
      {"IP_TTL", IPPROTO_IP, IP_TTL, kInteger},
      {"IP_TOS", IPPROTO_IP, IP_TOS, kInteger},
      {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, kInteger},
      {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, kInteger},
      {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, kInteger},
      {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, kInteger},
  };
  return table;
}

const SocketOption* find_socket_option(std::string_view name) {
  for (const SocketOption& option : socket_options()) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

const std::vector<NamedBit>& message_flags() {
  static const std::vector<NamedBit> table = {
      {"MSG_PEEK", MSG_PEEK},         {"MSG_DONTWAIT", MSG_DONTWAIT},
      {"MSG_WAITALL", MSG_WAITALL},   {"MSG_TRUNC", MSG_TRUNC},
      {"MSG_CTRUNC", MSG_CTRUNC},     {"MSG_OOB", MSG_OOB},
      {"MSG_EOR", MSG_EOR},           {"MSG_MORE", MSG_MORE},
      {"MSG_NOSIGNAL", MSG_NOSIGNAL}, {"MSG_ERRQUEUE", MSG_ERRQUEUE},
  };
  return table;
}

const std::vector<NamedBit>& poll_events() {
  static const std::vector<NamedBit> table = {
      {"POLLIN", POLLIN},   {"POLLOUT", POLLOUT},   {"POLLPRI", POLLPRI},     {"POLLERR", POLLERR},
      {"POLLHUP", POLLHUP}, {"POLLNVAL", POLLNVAL}, {"POLLRDHUP", POLLRDHUP},
  };
  return table;
}

const std::vector<NamedBit>& socket_domains() {
  static const std::vector<NamedBit> table = {
      {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_UNIX", AF_UNIX}};
  return table;
}

const std::vector<NamedBit>& socket_types() {
  static const std::vector<NamedBit> table = {{"SOCK_STREAM", SOCK_STREAM},
                                              {"SOCK_DGRAM", SOCK_DGRAM},
                                              {"SOCK_SEQPACKET", SOCK_SEQPACKET},
                                              {"SOCK_RDM", SOCK_RDM}};
  return table;
}

std::optional<int> find_bit(const std::vector<NamedBit>& table, std::string_view name) {
  for (const NamedBit& bit : table) {
    if (name == bit.name) return bit.value;
  }
  return std::nullopt;
}

std::vector<std::string> names_of(const std::vector<NamedBit>& table) {
  std::vector<std::string> names;
  for (const NamedBit& bit : table) names.emplace_back(bit.name);
  return names;
}

std::string format_bits(const std::vector<NamedBit>& table, int bits) {
  std::string text;
  for (const NamedBit& bit : table) {
    if ((bits & bit.value) == 0) continue;
    if (!text.empty()) text += '|';
    text += bit.name;
    bits &= ~bit.value;
  }
  if (bits != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", bits);
  return text.empty() ? "0" : text;
}

}  // namespace netrig
