#pragma once
// Integers in octets, in either byte order, as capture files hold them. Reading outside is a bug of
// the caller, who checks lengths first.

#include <cstdint>

#include "harness/base/bytes.h"
#include "harness/base/require.h"

namespace netrig {

enum class ByteOrder : uint8_t { kLittle, kBig };

inline uint16_t load_u16(ByteView octets, size_t offset, ByteOrder order) {
  NETRIG_REQUIRE(offset + 2 <= octets.size());
  const uint16_t first = octet_at(octets, offset);
  const uint16_t second = octet_at(octets, offset + 1);
  return static_cast<uint16_t>(order == ByteOrder::kBig ? first << 8 | second
                                                        : second << 8 | first);
}

inline uint32_t load_u32(ByteView octets, size_t offset, ByteOrder order) {
  const uint32_t first = load_u16(octets, offset, order);
  const uint32_t second = load_u16(octets, offset + 2, order);
  return order == ByteOrder::kBig ? first << 16 | second : second << 16 | first;
}

inline uint64_t load_u64(ByteView octets, size_t offset, ByteOrder order) {
  const uint64_t first = load_u32(octets, offset, order);
  const uint64_t second = load_u32(octets, offset + 4, order);
  return order == ByteOrder::kBig ? first << 32 | second : second << 32 | first;
}

inline void append_u16(Bytes& out, uint16_t value, ByteOrder order = ByteOrder::kLittle) {
  const char low = static_cast<char>(value & 0xff);
  const char high = static_cast<char>(value >> 8);
  out.push_back(order == ByteOrder::kBig ? high : low);
  out.push_back(order == ByteOrder::kBig ? low : high);
}

inline void append_u32(Bytes& out, uint32_t value, ByteOrder order = ByteOrder::kLittle) {
  const auto low = static_cast<uint16_t>(value & 0xffff);
  const auto high = static_cast<uint16_t>(value >> 16);
  append_u16(out, order == ByteOrder::kBig ? high : low, order);
  append_u16(out, order == ByteOrder::kBig ? low : high, order);
}

}  // namespace netrig
