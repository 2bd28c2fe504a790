#pragma once
// Which address a host of a world has: a rule, so that sandbox, real and simulated worlds agree
// without talking.

#include <cstddef>
#include <cstdint>

#include "harness/net/endpoint.h"

namespace netrig {

inline constexpr size_t kHostsMax = 10'000;

// `number` counts hosts from 1. In the sandbox: 10.0.(k>>8).(k&255) and fd00::k. With the machine's
// own network: 127.0.(k>>8).(k&255), and ::1 for all.
inline IpAddress host_address(size_t number, bool v6, bool host_network) {
  const auto high = static_cast<uint8_t>(number >> 8);
  const auto low = static_cast<uint8_t>(number & 255);
  if (!v6) return IpAddress::v4(host_network ? 127 : 10, 0, high, low);
  if (host_network) return IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  return IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low});
}

}  // namespace netrig
