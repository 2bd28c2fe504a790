#pragma once
// An integer as octets, in either order.

#include <cstddef>
#include <cstdint>

#include "harness/base/bytes.h"

namespace netrig {

// The lowest `octets` (at most 8) of the value.
inline Bytes integer_octets(uint64_t value, size_t octets, bool little_endian) {
  Bytes bytes;
  for (size_t i = 0; i < octets; ++i) {
    const size_t shift = 8 * (little_endian ? i : octets - 1 - i);
    bytes += static_cast<char>(value >> shift & 0xFF);
  }
  return bytes;
}

}  // namespace netrig
