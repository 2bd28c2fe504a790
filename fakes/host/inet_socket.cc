#include "fakes/host/inet_socket.h"

#include <cerrno>
#include <netinet/in.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/inet_table.h"
#include "harness/net/mapped_address.h"

namespace netrig {
namespace {

constexpr size_t kSockaddrIn = 16;
constexpr size_t kSockaddrIn6Least = 24;  // SIN6_LEN_RFC2133
constexpr size_t kSunPath = 108;

}  // namespace

size_t sockaddr_size(const Endpoint& endpoint) {
  if (endpoint.kind() == Endpoint::Kind::kIp) return endpoint.address().is_v6() ? 28 : 16;
  const size_t size = endpoint.path().size();
  const bool ended = size > 0 && size < kSunPath && !endpoint.is_abstract();
  return 2 + size + (ended ? 1 : 0);
}

InetSocket::InetSocket(FakeHost& host, int domain, int type, Transport transport)
    : FakeSocket(host, domain, type, transport),
      local_address_(any_address(domain == AF_INET6)),
      id_(uint64_t{host.id()} << 40 | host.next_socket_id()) {
  host.add_live(*this);
}

InetSocket::~InetSocket() {
  if (detached_) return;
  host_.inet().release(*this);
  host_.remove_live(*this);
}

Endpoint InetSocket::shown(const Endpoint& plain) const {
  if (!is_v6() || plain.address().is_v6()) return plain;
  return Endpoint(mapped(plain.address()), plain.port());
}

Result<Endpoint> InetSocket::local_endpoint() const {
  return shown(Endpoint(local_address_, shown_port_));
}

// __inet_bind() and __inet6_bind(), each in its own order.
Result<void> InetSocket::check_bind(const Endpoint& local) const {
  const bool ip = local.kind() == Endpoint::Kind::kIp;
  const IpAddress plain = ip ? unmapped(local.address()) : IpAddress();
  const Network& network = host_.network();
  const auto owner = ip ? network.host_by_address(plain, host_.id()) : std::nullopt;
  // harness/real's access policy: hosts share a kernel there.
  if (owner && *owner != host_.id()) return fail_with(EADDRNOTAVAIL);
  if (sockaddr_size(local) < (is_v6() ? kSockaddrIn6Least : kSockaddrIn)) return fail_with(EINVAL);
  if (!ip || local.address().is_v6() != is_v6()) return fail_with(EAFNOSUPPORT);
  const bool taken = !is_closed_state() || local_port_ != 0;
  if (is_v6()) {
    if (is_multicast(local.address()) && is_tcp()) return fail_with(EINVAL);
    if (taken) return fail_with(EINVAL);
    if (is_mapped(local.address()) && v6only_) return fail_with(EINVAL);
    const auto& octets = local.address().octets();
    // A link-local address needs a device (sin6_scope_id).
    if (octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80) return fail_with(EINVAL);
  }
  const bool broadcast = !plain.is_v6() && plain.v4_host_order() == 0xffffffffu;
  if (!plain.is_unspecified() && !is_multicast(plain) && !broadcast && !owner) {
    return fail_with(EADDRNOTAVAIL);
  }
  return taken ? fail_with(EINVAL) : Result<void>();
}

Result<void> InetSocket::bind(const Endpoint& local) {
  if (auto fine = check_bind(local); !fine) return fine;
  const bool v6only_before = v6only_;
  local_address_ = unmapped(local.address());
  // __inet6_bind(): an address of IPv6 makes the socket one of IPv6 only.
  if (is_v6() && local_address_.is_v6() && !local_address_.is_unspecified()) v6only_ = true;
  const bool without_port = kept_option(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0) != 0;
  if (local.port() != 0 || !without_port) {
    if (auto got = host_.inet().bind(*this, local.port()); !got) {
      local_address_ = any_address(is_v6());  // inet_reset_saddr()
      v6only_ = v6only_before;
      return got;
    }
  }
  shown_port_ = local_port_;
  address_locked_ |= !local_address_.is_unspecified();
  port_locked_ |= local.port() != 0;
  bound_ = true;
  has_source_ = true;
  return {};
}

// All hosts' addresses are on one device of harness/real, so it binds a socket to its host's own
// address before the kernel would choose one; the port is left open (IP_BIND_ADDRESS_NO_PORT).
Result<void> InetSocket::prepare_source(const Endpoint& peer) {
  if (has_source_) return {};
  const IpAddress target = unmapped(peer.address());
  const bool of_world =
      !target.is_loopback() && host_.network().host_by_address(target, host_.id()).has_value();
  if (!of_world) return {};
  if (target.is_v6() && !is_v6()) return fail_with(EAFNOSUPPORT);
  if (!is_closed_state() || local_port_ != 0) return {};
  if (!target.is_v6() && v6only_) return {};
  local_address_ = host_.network().address(host_.id(), target.is_v6());
  if (local_address_.is_v6()) v6only_ = true;
  static_cast<void>(keep_option(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
  shown_port_ = 0;
  address_locked_ = true;
  has_source_ = true;
  return {};
}

Result<InetSocket::Way> InetSocket::way_to(const Endpoint& destination) const {
  IpAddress to = unmapped(destination.address());
  IpAddress from = local_address_;
  if (!to.is_v6() && is_v6() && v6only_) return fail_with(ENETUNREACH);
  // A wildcard destination is this host (ip_route_output_key_hash_rcu, ip6_datagram_connect).
  if (to.is_unspecified()) {
    to = to.is_v6()                              ? loopback_address(from.is_v6())
         : from.is_unspecified() || from.is_v6() ? loopback_address(false)
                                                 : from;
  }
  if (!host_.network().host_by_address(to, host_.id())) return fail_with(ENETUNREACH);
  // ip6_dst_lookup_tail(): bound to an IPv4 address or to ::ffff:0.0.0.0.
  if (!from.is_v6() && is_v6() && to.is_v6()) return fail_with(EAFNOSUPPORT);
  if (!from.is_unspecified() && from.is_v6() != to.is_v6()) return fail_with(ENETUNREACH);
  if (from.is_unspecified()) {
    from = to.is_loopback() ? to : host_.network().address(host_.id(), to.is_v6());
    if (to.is_loopback() && !to.is_v6()) from = loopback_address(false);
  }
  return Way{Endpoint(from, local_port_), Endpoint(to, destination.port())};
}

Result<void> InetSocket::autobind() {
  if (local_port_ != 0) return {};
  if (!host_.inet().bind(*this, 0)) return fail_with(EAGAIN);
  return {};
}

}  // namespace netrig
