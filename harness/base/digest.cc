#include "harness/base/digest.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <openssl/sha.h>
#include <zlib.h>

#include "harness/base/integer_octets.h"

namespace netrig {

namespace {

const unsigned char* unsigned_octets(ByteView octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

// RFC 1071: the one's complement of the one's complement sum of 16-bit words, an odd last octet
// filled up with zero.
uint32_t internet(ByteView octets) {
  uint64_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i) {
    sum += i % 2 == 0 ? uint64_t{octet_at(octets, i)} << 8 : octet_at(octets, i);
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint32_t>(~sum & 0xFFFF);
}

// RFC 3385: the polynomial 0x11EDC6F41, its bits reflected.
uint32_t crc32c(ByteView octets) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char octet : octets) {
    crc ^= static_cast<uint8_t>(octet);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

// zlib's functions take lengths of size_t in their _z forms.
uint32_t zlib_crc32(ByteView octets) {
  return static_cast<uint32_t>(::crc32_z(0, unsigned_octets(octets), octets.size()));
}
uint32_t zlib_adler32(ByteView octets) {
  return static_cast<uint32_t>(::adler32_z(1, unsigned_octets(octets), octets.size()));
}

uint32_t xor8(ByteView octets) {
  return std::accumulate(octets.begin(), octets.end(), 0U, [](uint32_t all, char octet) {
    return all ^ static_cast<uint8_t>(octet);
  });
}
uint32_t sum8(ByteView octets) {
  return std::accumulate(octets.begin(), octets.end(), 0U, [](uint32_t all, char octet) {
    return (all + static_cast<uint8_t>(octet)) & 0xFF;
  });
}

template <size_t Octets>
Bytes digest(unsigned char* (*compute)(const unsigned char*, size_t, unsigned char*),
             ByteView octets) {
  std::array<unsigned char, Octets> result{};
  compute(unsigned_octets(octets), octets.size(), result.data());
  return Bytes(result.begin(), result.end());
}

}  // namespace

const std::vector<std::string>& checksum_names() {
  static const std::vector<std::string> names = {"internet", "crc32", "crc32c", "adler32",
                                                 "xor8",     "sum8",  "sha1",   "sha256"};
  return names;
}

std::optional<Checksum> checksum_from_name(std::string_view name) {
  const auto found = std::ranges::find(checksum_names(), name);
  if (found == checksum_names().end()) return std::nullopt;
  return static_cast<Checksum>(found - checksum_names().begin());
}

size_t checksum_octets(Checksum checksum) {
  switch (checksum) {
    case Checksum::kInternet:
      return 2;
    case Checksum::kCrc32:
    case Checksum::kCrc32c:
    case Checksum::kAdler32:
      return 4;
    case Checksum::kXor8:
    case Checksum::kSum8:
      return 1;
    case Checksum::kSha1:
      return SHA_DIGEST_LENGTH;
    case Checksum::kSha256:
      return SHA256_DIGEST_LENGTH;
  }
  return 0;
}

bool is_digest(Checksum checksum) {
  return checksum == Checksum::kSha1 || checksum == Checksum::kSha256;
}

Bytes checksum_of(Checksum checksum, ByteView octets, bool little_endian) {
  const size_t size = checksum_octets(checksum);
  switch (checksum) {
    case Checksum::kInternet:
      return integer_octets(internet(octets), size, little_endian);
    case Checksum::kCrc32:
      return integer_octets(zlib_crc32(octets), size, little_endian);
    case Checksum::kCrc32c:
      return integer_octets(crc32c(octets), size, little_endian);
    case Checksum::kAdler32:
      return integer_octets(zlib_adler32(octets), size, little_endian);
    case Checksum::kXor8:
      return integer_octets(xor8(octets), size, little_endian);
    case Checksum::kSum8:
      return integer_octets(sum8(octets), size, little_endian);
    case Checksum::kSha1:
      return digest<SHA_DIGEST_LENGTH>(::SHA1, octets);
    case Checksum::kSha256:
      return digest<SHA256_DIGEST_LENGTH>(::SHA256, octets);
  }
  return {};
}

}  // namespace netrig
