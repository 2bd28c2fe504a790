#include "harness/net/checksum.h"

#include "harness/net/big_endian.h"

namespace netrig {

namespace {

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
  uint64_t sum = initial;  // 64 bits: no input that fits memory overflows it
  size_t at = 0;
  for (; at + 1 < octets.size(); at += 2) sum += load_be16(octets, at);
  if (at < octets.size()) sum += static_cast<uint64_t>(octet_at(octets, at)) << 8;
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           uint32_t length) {
  return address_sum(source) + address_sum(destination) + protocol + (length >> 16) +
         (length & 0xFFFF);
}

}  // namespace netrig
