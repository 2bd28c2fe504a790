#pragma once
// How far an IPv6 extension header reaches: one table for all who walk them. Reads nothing beyond
// its first two octets and walks no chain itself.

#include <cstddef>
#include <cstdint>

#include "harness/base/bytes.h"
#include "harness/net/big_endian.h"

namespace netrig {

inline constexpr uint8_t kProtocolFragment = 44;  // RFC 8200 section 4.5

// Octets of the extension header at the start of `octets` (at least two), 0 if `protocol` is none.
// RFC 8200 section 4, RFC 4302 section 2.2; IANA's list of extension header types. ESP hides what
// follows.
inline size_t extension_length(uint8_t protocol, ByteView octets) {
  switch (protocol) {
    case 0:    // hop-by-hop options
    case 43:   // routing
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // host identity protocol
    case 140:  // shim6
      return (octet_at(octets, 1) + size_t{1}) * 8;
    case kProtocolFragment:
      return 8;
    case 51:  // authentication
      return (octet_at(octets, 1) + size_t{2}) * 4;
    default:
      return 0;
  }
}

}  // namespace netrig
