#pragma once
// Addresses that have a meaning of their own. Inside fakes/host addresses are always plain; only
// what a socket is asked or answers is an IPv4-mapped one (harness/net/mapped_address.h).

#include "harness/net/endpoint.h"

namespace netrig {

inline IpAddress any_address(bool v6) {
  return v6 ? IpAddress::v6({}) : IpAddress();
}
inline IpAddress loopback_address(bool v6) {
  if (!v6) return IpAddress::v4(127, 0, 0, 1);
  return IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}
inline bool is_multicast(const IpAddress& address) {
  return address.is_v6() ? address.octets()[0] == 0xff : (address.octets()[0] & 0xf0) == 0xe0;
}

}  // namespace netrig
