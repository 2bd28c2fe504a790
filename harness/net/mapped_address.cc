#include "harness/net/mapped_address.h"

#include <algorithm>
#include <array>

namespace netrig {
namespace {

constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool is_mapped(const IpAddress& address) {
  return address.is_v6() && std::equal(kPrefix.begin(), kPrefix.end(), address.octets().begin());
}

IpAddress unmapped(const IpAddress& address) {
  if (!is_mapped(address)) return address;
  const auto& octets = address.octets();
  return IpAddress::v4(octets[12], octets[13], octets[14], octets[15]);
}

Endpoint unmapped(const Endpoint& endpoint) {
  if (endpoint.kind() != Endpoint::Kind::kIp) return endpoint;
  return Endpoint(unmapped(endpoint.address()), endpoint.port());
}

IpAddress mapped(const IpAddress& v4) {
  std::array<uint8_t, 16> octets{};
  std::copy(kPrefix.begin(), kPrefix.end(), octets.begin());
  std::copy_n(v4.octets().begin(), 4, octets.begin() + 12);
  return IpAddress::v6(octets);
}

}  // namespace netrig
