#include "harness/base/octet_hash.h"

#include <array>
#include <bit>
#include <cstring>

namespace netrig {
namespace {

// Digits of pi: without a pattern. Lanes do not start at their factors, or the halves of the first
// octets could change places.
constexpr std::array<uint64_t, 4> kFactors = {0x243f6a8885a308d3, 0x13198a2e03707345,
                                              0xa4093822299f31d1, 0x082efa98ec4e6c89};
constexpr std::array<uint64_t, 4> kStarts = {0x452821e638d01377, 0xbe5466cf34e90c6c,
                                             0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917};

uint64_t word_at(const char* octets) {
  uint64_t word = 0;
  std::memcpy(&word, octets, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

// Four lanes of 16 octets, so that one multiplication need not wait for another.
uint64_t hash_octets(ByteView octets) {
  uint64_t a = kStarts[0], b = kStarts[1], c = kStarts[2], d = kStarts[3];
  const char* at = octets.data();
  size_t left = octets.size();
  const auto take = [&at](uint64_t& lane, size_t place, uint64_t factor) {
    lane = fold_product(lane ^ word_at(at + place), factor ^ word_at(at + place + 8));
  };
  for (; left >= 64; at += 64, left -= 64) {
    take(a, 0, kFactors[0]);
    take(b, 16, kFactors[1]);
    take(c, 32, kFactors[2]);
    take(d, 48, kFactors[3]);
  }
  // The rest, with zeros behind it: the length tells them from zeros of the sender.
  std::array<char, 64> rest{};
  if (left > 0) {
    std::memcpy(rest.data(), at, left);
    at = rest.data();
    take(a, 0, kFactors[0]);
    if (left > 16) take(b, 16, kFactors[1]);
    if (left > 32) take(c, 32, kFactors[2]);
    if (left > 48) take(d, 48, kFactors[3]);
  }
  const uint64_t ab = fold_product(a ^ octets.size(), b ^ kFactors[2]);
  const uint64_t cd = fold_product(c ^ kFactors[1], d ^ kFactors[0]);
  return fold_product(ab ^ kFactors[3], cd ^ kFactors[1]);
}

}  // namespace netrig
