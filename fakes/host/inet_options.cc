// InetSocket: the options of IP (ip(7)) and IPv6 (ipv6(7)). Most are remembered and answered as
// Linux does; what packets look like is changed by IP_TTL and IPV6_UNICAST_HOPS, and for datagrams
// by IP_TOS and IPV6_TCLASS.

#include <cerrno>
#include <cstring>
#include <netinet/in.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/inet_socket.h"
#include "fakes/host/option_bytes.h"

namespace netrig {
namespace {

constexpr int kEcnMask = 3;
constexpr int kIpPassSec = 18;
constexpr int kIpv6MtuLeast = 1280;
constexpr int kIpRecvErrRfc4884 = 26;

bool is_ip_flag(int name) {
  switch (name) {
    case IP_HDRINCL:
    case IP_ROUTER_ALERT:
    case IP_NODEFRAG:
      return false;
    case IP_RECVOPTS:
    case IP_RETOPTS:
    case IP_PKTINFO:
    case IP_RECVERR:
    case IP_RECVTTL:
    case IP_RECVTOS:
    case IP_FREEBIND:
    case kIpPassSec:
    case IP_TRANSPARENT:
    case IP_RECVORIGDSTADDR:
    case IP_CHECKSUM:
    case IP_BIND_ADDRESS_NO_PORT:
    case kIpRecvErrRfc4884:
    case IP_MULTICAST_LOOP:
      return true;
    default:
      return false;
  }
}

bool is_ipv6_flag(int name) {
  switch (name) {
    case IPV6_2292PKTINFO:
    case IPV6_2292HOPOPTS:
    case IPV6_2292DSTOPTS:
    case IPV6_2292RTHDR:
    case IPV6_2292HOPLIMIT:
    case 11:  // IPV6_FLOWINFO
    case IPV6_MULTICAST_LOOP:
    case IPV6_RECVERR:
    case IPV6_MULTICAST_ALL:
    case 30:  // IPV6_ROUTER_ALERT_ISOLATE
    case 31:  // IPV6_RECVERR_RFC4884
    case 33:  // IPV6_FLOWINFO_SEND
    case IPV6_RECVPKTINFO:
    case IPV6_RECVHOPLIMIT:
    case IPV6_RECVHOPOPTS:
    case IPV6_RECVRTHDR:
    case IPV6_RECVDSTOPTS:
    case IPV6_RECVPATHMTU:
    case IPV6_DONTFRAG:
    case IPV6_RECVTCLASS:
    case IPV6_AUTOFLOWLABEL:
      return true;
    default:
      return false;
  }
}

// -1 restores the default.
Result<int> hop_limit(int value, int least, int standard) {
  if (value == -1) return standard;
  if (value < least || value > 255) return fail_with(EINVAL);
  return value;
}

}  // namespace

Result<int64_t> InetSocket::get_ip_option(int name) {
  switch (name) {
    case IP_TTL:
      return kept_option(IPPROTO_IP, name, 64);
    case IP_TOS:
    case IP_UNICAST_IF:
    case IP_MULTICAST_IF:
    case IP_MINTTL:
      return kept_option(IPPROTO_IP, name, 0);
    case IP_OPTIONS:
      return 0;
    case IP_MTU_DISCOVER:
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_LOOP:
      return kept_option(IPPROTO_IP, name, 1);
    case IP_MULTICAST_ALL:
      return kept_option(IPPROTO_IP, name, is_v6() ? 0 : 1);
    case IP_MTU:
      if (!is_connected_state()) return fail_with(ENOTCONN);
      return kFakeMtu;
    default:
      if (!is_ip_flag(name)) return fail_with(ENOPROTOOPT);
      return kept_option(IPPROTO_IP, name, 0);
  }
}

Result<void> InetSocket::set_ip_option(int name, int value) {
  switch (name) {
    case IP_TOS: {
      const int tos = value & 0xff;
      // ip_sock_set_tos(): TCP keeps its own ECN bits.
      return keep_option(IPPROTO_IP, name, is_tcp() ? tos & ~kEcnMask : tos);
    }
    case IP_TTL: {
      const auto ttl = hop_limit(value, 1, 64);
      return ttl ? keep_option(IPPROTO_IP, name, *ttl) : fail_with(ttl.error());
    }
    case IP_MTU_DISCOVER:
      if (value < 0 || value > 5) return fail_with(EINVAL);
      return keep_option(IPPROTO_IP, name, value);
    case IP_MULTICAST_TTL: {
      if (is_tcp()) return fail_with(EINVAL);
      const auto ttl = hop_limit(value, 0, 1);
      return ttl ? keep_option(IPPROTO_IP, name, *ttl) : fail_with(ttl.error());
    }
    case IP_MULTICAST_IF:
      if (is_tcp()) return fail_with(EINVAL);
      return value == 0 ? Result<void>() : fail_with(EADDRNOTAVAIL);
    case IP_MULTICAST_ALL:
      if (value != 0 && value != 1) return fail_with(EINVAL);
      return keep_option(IPPROTO_IP, name, value);
    case IP_MINTTL:
      if (value < 0 || value > 255) return fail_with(EINVAL);
      return keep_option(IPPROTO_IP, name, value);
    case IP_OPTIONS:
      return fail_with(EINVAL);
    default:
      if (!is_ip_flag(name)) return fail_with(ENOPROTOOPT);
      return keep_option(IPPROTO_IP, name, value != 0 ? 1 : 0);
  }
}

Result<int64_t> InetSocket::get_ipv6_option(int name) {
  switch (name) {
    case IPV6_V6ONLY:
      return v6only_ ? 1 : 0;
    case IPV6_UNICAST_HOPS:
      return kept_option(IPPROTO_IPV6, name, 64);
    case IPV6_TCLASS:
    case IPV6_MULTICAST_IF:
    case IPV6_UNICAST_IF:
      return kept_option(IPPROTO_IPV6, name, 0);
    case IPV6_MULTICAST_HOPS:
    case IPV6_MULTICAST_LOOP:
    case IPV6_MTU_DISCOVER:
    case IPV6_MULTICAST_ALL:
    case IPV6_AUTOFLOWLABEL:
      return kept_option(IPPROTO_IPV6, name, 1);
    case IPV6_MTU:
      if (!is_connected_state()) return fail_with(ENOTCONN);
      return kFakeMtu;
    case IPV6_ADDRFORM:
      if (!is_connected_state()) return fail_with(ENOTCONN);
      return AF_INET6;
    case IPV6_ADDR_PREFERENCES:
      return 1280;  // nothing preferred
    default:
      if (!is_ipv6_flag(name)) return fail_with(ENOPROTOOPT);
      return kept_option(IPPROTO_IPV6, name, 0);
  }
}

Result<void> InetSocket::set_ipv6_option(int name, int value) {
  switch (name) {
    case IPV6_V6ONLY:
      if (local_port_ != 0) return fail_with(EINVAL);
      v6only_ = value != 0;
      host_.inet_changed();
      return {};
    case IPV6_UNICAST_HOPS: {
      const auto hops = hop_limit(value, 0, 64);
      return hops ? keep_option(IPPROTO_IPV6, name, *hops) : fail_with(hops.error());
    }
    case IPV6_MULTICAST_HOPS: {
      if (is_tcp()) return fail_with(ENOPROTOOPT);
      const auto hops = hop_limit(value, 0, 1);
      return hops ? keep_option(IPPROTO_IPV6, name, *hops) : fail_with(hops.error());
    }
    case IPV6_TCLASS: {
      const auto traffic_class = hop_limit(value, 0, 0);
      if (!traffic_class) return fail_with(traffic_class.error());
      return keep_option(IPPROTO_IPV6, name,
                         is_tcp() ? *traffic_class & ~kEcnMask : *traffic_class);
    }
    case IPV6_MTU_DISCOVER:
      if (value < 0 || value > 5) return fail_with(EINVAL);
      return keep_option(IPPROTO_IPV6, name, value);
    case IPV6_MTU:
      return value == 0 || value >= kIpv6MtuLeast ? Result<void>() : fail_with(EINVAL);
    case IPV6_ADDRFORM:
      if (value != AF_INET) return fail_with(EINVAL);
      return fail_with(is_connected_state() ? EADDRNOTAVAIL : ENOTCONN);
    default:
      if (!is_ipv6_flag(name)) return fail_with(ENOPROTOOPT);
      return keep_option(IPPROTO_IPV6, name, value != 0 ? 1 : 0);
  }
}

// Unknown levels: getsockopt of IPv4 answers EOPNOTSUPP, everything else ENOPROTOOPT.
Result<int64_t> InetSocket::get_option(int level, int name) {
  if (level == SOL_SOCKET) {
    if (name == SO_COOKIE) return static_cast<int64_t>(id_);
    return FakeSocket::get_option(level, name);
  }
  if (level == IPPROTO_IP) return get_ip_option(name);
  if (level == IPPROTO_IPV6 && is_v6()) return get_ipv6_option(name);
  return fail_with(is_v6() ? ENOPROTOOPT : EOPNOTSUPP);
}

Result<void> InetSocket::set_option(int level, int name, int64_t value) {
  if (level == SOL_SOCKET) {
    auto done = FakeSocket::set_option(level, name, value);
    host_.inet_changed();
    return done;
  }
  const int narrow = static_cast<int>(value);
  if (level == IPPROTO_IP) return set_ip_option(name, narrow);
  if (level == IPPROTO_IPV6 && is_v6()) return set_ipv6_option(name, narrow);
  return fail_with(ENOPROTOOPT);
}

// ip_getsockopt(): a small value in a small buffer is one octet.
Result<Bytes> InetSocket::get_option_bytes(int level, int name, size_t size) {
  if (level != IPPROTO_IP) return FakeSocket::get_option_bytes(level, name, size);
  const auto value = get_option(level, name);
  if (!value) return fail_with(value.error());
  if (name == IP_OPTIONS) return Bytes();
  if (size > 0 && size < sizeof(int) && *value >= 0 && *value <= 255) {
    return Bytes(1, static_cast<char>(*value));
  }
  return option_bytes(static_cast<int>(*value), size);
}

// ip_setsockopt(): one octet will do.
Result<void> InetSocket::set_option_bytes(int level, int name, ByteView value) {
  if (level == IPPROTO_IP && !value.empty() && value.size() < sizeof(int)) {
    return set_option(level, name, octet_at(value, 0));
  }
  return FakeSocket::set_option_bytes(level, name, value);
}

}  // namespace netrig
