#include "harness/net/checksum.h"

#include <bit>
#include <cstring>

#include "harness/base/bytes.h"

namespace netrig {

namespace {

uint64_t fold(uint64_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return sum;
}

uint32_t address_sum(const IpAddress& address) {
  const size_t length = address.is_v6() ? 16 : 4;
  uint32_t sum = 0;
  for (size_t i = 0; i < length; i += 2) {
    sum += static_cast<uint32_t>(address.octets()[i] << 8 | address.octets()[i + 1]);
  }
  return sum;
}

}  // namespace

uint16_t internet_checksum(ByteView octets, uint32_t initial) {
  // RFC 1071 section 2 (B) and (C): summed in the machine's own order, several words at a time, the
  // sum is only swapped.
  uint64_t sum = 0;  // 64 bits: no input that fits memory overflows it
  const char* at = octets.data();
  size_t left = octets.size();
  for (; left >= 4; at += 4, left -= 4) {
    uint32_t words = 0;
    std::memcpy(&words, at, 4);
    sum += words;
  }
  uint32_t rest = 0;  // an odd octet is followed by a zero
  if (left > 0) std::memcpy(&rest, at, left);
  sum = fold(sum + rest);
  if constexpr (std::endian::native == std::endian::little) sum = (sum & 0xFF) << 8 | sum >> 8;
  return static_cast<uint16_t>(~fold(sum + initial));
}

uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           uint32_t length) {
  return address_sum(source) + address_sum(destination) + protocol + (length >> 16) +
         (length & 0xFFFF);
}

}  // namespace netrig
