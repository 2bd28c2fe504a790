#pragma once
// The Internet checksum (RFC 1071) and the pseudo-headers that TCP, UDP and ICMPv6 add to it.

#include <cstdint>

#include "harness/base/bytes.h"
#include "harness/net/endpoint.h"

namespace netrig {

// RFC 1071. `initial` chains partial sums; the result is ready to be stored (complemented). Over
// octets that include a right checksum the result is 0.
uint16_t internet_checksum(ByteView octets, uint32_t initial = 0);

// The partial sum, for `initial`, of the pseudo-header: RFC 9293 section 3.1 for IPv4, RFC 8200
// section 8.1 for IPv6. Both addresses are of one family; `length` counts transport header and
// payload.
uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           uint32_t length);

}  // namespace netrig
