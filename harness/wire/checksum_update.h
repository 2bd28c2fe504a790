#pragma once
// A checksum that goes on fitting, or not fitting, when what it covers is changed: without a look
// at the rest. Arithmetic only; harness/net/checksum.h sums.

#include <cstdint>

#include "harness/net/big_endian.h"
#include "harness/net/checksum.h"

namespace netrig {

// RFC 1624 section 3, equation 3: the checksum after a word under it was changed. Both as stored in
// the header, in host order; UDP's 0 (RFC 768) is the caller's to know.
inline uint16_t updated_checksum(uint16_t checksum, uint16_t before, uint16_t after) {
  const uint32_t sum = static_cast<uint32_t>(static_cast<uint16_t>(~checksum)) +
                       static_cast<uint16_t>(~before) + after;
  return internet_checksum({}, sum);
}

// UDP's, in the header at `udp`, after an octet of the payload was changed. One that was not made
// stays so (RFC 768), and what lies beyond UDP's own length is not covered.
inline void update_udp_checksum(Bytes& octets, size_t udp, size_t payload_octet, uint8_t before,
                                uint8_t after) {
  const uint16_t checksum = load_be16(octets, udp + 6);
  if (checksum == 0 || payload_octet + 8 >= load_be16(octets, udp + 4)) return;
  const int shift = payload_octet % 2 == 0 ? 8 : 0;  // the header is of whole words
  const uint16_t updated = updated_checksum(checksum, static_cast<uint16_t>(before << shift),
                                            static_cast<uint16_t>(after << shift));
  store_be16(octets, udp + 6, updated == 0 ? 0xFFFF : updated);
}

}  // namespace netrig
