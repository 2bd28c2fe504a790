#pragma once
// IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2), which an IPv6 socket shows where IPv4 is spoken.
// Inside fakes/host addresses are always plain; only what a socket is asked or answers is mapped.

#include <algorithm>
#include <array>
#include <cstdint>

#include "harness/net/endpoint.h"

namespace netrig {

inline constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

inline bool is_mapped(const IpAddress& address) {
  return address.is_v6() &&
         std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.octets().begin());
}
inline IpAddress plain_address(const IpAddress& address) {
  if (!is_mapped(address)) return address;
  const auto& octets = address.octets();
  return IpAddress::v4(octets[12], octets[13], octets[14], octets[15]);
}
inline Endpoint plain_endpoint(const Endpoint& endpoint) {
  return Endpoint(plain_address(endpoint.address()), endpoint.port());
}
inline IpAddress mapped_address(const IpAddress& v4) {
  std::array<uint8_t, 16> octets{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin());
  std::copy_n(v4.octets().begin(), 4, octets.begin() + 12);
  return IpAddress::v6(octets);
}
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
