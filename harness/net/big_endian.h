#pragma once
// Integers in network byte order (RFC 1700's "big-endian") inside octet strings. The caller has
// checked that the octets are there.

#include <cstdint>

#include "harness/base/bytes.h"

namespace netrig {

inline uint16_t load_be16(ByteView octets, size_t at) {
  return static_cast<uint16_t>(octet_at(octets, at) << 8 | octet_at(octets, at + 1));
}

inline uint32_t load_be32(ByteView octets, size_t at) {
  return static_cast<uint32_t>(load_be16(octets, at)) << 16 | load_be16(octets, at + 2);
}

inline void append_be16(Bytes& octets, uint32_t value) {
  octets += static_cast<char>(value >> 8 & 0xFF);
  octets += static_cast<char>(value & 0xFF);
}

inline void append_be32(Bytes& octets, uint32_t value) {
  append_be16(octets, value >> 16);
  append_be16(octets, value & 0xFFFF);
}

inline void store_be16(Bytes& octets, size_t at, uint16_t value) {
  octets[at] = static_cast<char>(value >> 8);
  octets[at + 1] = static_cast<char>(value & 0xFF);
}

inline void store_be32(Bytes& octets, size_t at, uint32_t value) {
  store_be16(octets, at, static_cast<uint16_t>(value >> 16));
  store_be16(octets, at + 2, static_cast<uint16_t>(value & 0xFFFF));
}

}  // namespace netrig
