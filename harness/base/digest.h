#pragma once
// Checksums and digests of octets that scenarios ask for, by the names that protocols give them.
// The Internet checksum's sum for packets, with its pseudo-headers, is in harness/net/checksum.h.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/bytes.h"

namespace netrig {

enum class Checksum : uint8_t {
  kInternet,  // RFC 1071, 2 octets
  kCrc32,     // ISO 3309: Ethernet, zip, PNG; 4 octets
  kCrc32c,    // RFC 3385, Castagnoli's: SCTP, iSCSI; 4 octets
  kAdler32,   // RFC 1950, 4 octets
  kXor8,      // all octets exclusive-ored, 1 octet
  kSum8,      // their sum modulo 256, 1 octet
  kSha1,      // FIPS 180-4
  kSha256,
};

const std::vector<std::string>& checksum_names();  // in the order of Checksum
std::optional<Checksum> checksum_from_name(std::string_view name);
size_t checksum_octets(Checksum checksum);
bool is_digest(Checksum checksum);  // octets without an order: sha1, sha256

// In network order; `little_endian`: the octets of a number the other way round.
Bytes checksum_of(Checksum checksum, ByteView octets, bool little_endian = false);

}  // namespace netrig
