#pragma once
// The built-in filter names of packet_filter.h: decisions on decoded packets, IPv4 and IPv6 alike.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/capture/captured_packet.h"
#include "harness/net/packet.h"

namespace netrig {

// "unix:/path@..." interfaces have addresses of their own: a number that keeps equal addresses on
// them and on real interfaces apart. 0 for every other interface, so that one conversation may
// cross several.
uint32_t address_scope(const Recording& recording, const CapturedPacket& packet);

const std::vector<std::string>& builtin_filter_names();  // sorted

// The indices of the matching packets. `name` is one of the names.
std::vector<size_t> select_builtin(std::string_view name, const Recording& recording);

}  // namespace netrig
