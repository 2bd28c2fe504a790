#include "harness/base/chance.h"

#include <Random123/philox.h>
#include <algorithm>
#include <array>

#include "harness/base/require.h"

namespace netrig {

namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr uint64_t kPpmWhole = 1'000'000;

// The finalizer of MurmurHash3 (fmix64): every input bit reaches every output bit; a bijection.
uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

// The counter holds what differs between draws, the key whose draws they are.
std::array<uint32_t, 4> block(uint64_t seed, uint64_t stream, uint64_t ordinal, Purpose purpose,
                              uint32_t index) {
  // Mixed between the two, so that neighbouring seeds share no key with neighbouring streams.
  const uint64_t key_bits = mix(mix(seed + 0x9e3779b97f4a7c15ULL) ^ stream);
  return philox({static_cast<uint32_t>(ordinal), static_cast<uint32_t>(ordinal >> 32),
                 static_cast<uint32_t>(purpose), index},
                {static_cast<uint32_t>(key_bits), static_cast<uint32_t>(key_bits >> 32)});
}

}  // namespace

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, 64 bits
  for (char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return mix(hash);
}

std::array<uint32_t, 4> philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key) {
  const philox4x32_ctr_t in = {{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x32_ctr_t out = philox4x32_R(10, in, {{key[0], key[1]}});
  return {out.v[0], out.v[1], out.v[2], out.v[3]};
}

uint32_t Chance::draw32(uint64_t ordinal, Purpose purpose, uint32_t index) const {
  return block(seed_, stream_, ordinal, purpose, index)[0];
}

uint64_t Chance::draw64(uint64_t ordinal, Purpose purpose, uint32_t index) const {
  const std::array<uint32_t, 4> words = block(seed_, stream_, ordinal, purpose, index);
  return words[0] | static_cast<uint64_t>(words[1]) << 32;
}

uint64_t Chance::below(uint64_t bound, uint64_t ordinal, Purpose purpose, uint32_t index) const {
  NETRIG_REQUIRE(bound > 0);
  const Uint128 product = static_cast<Uint128>(draw64(ordinal, purpose, index)) * bound;
  return static_cast<uint64_t>(product >> 64);
}

bool Chance::happens(Probability probability, uint64_t ordinal, Purpose purpose,
                     uint32_t index) const {
  if (probability.ppm == 0) return false;  // most faults of most links are off
  return below(kPpmWhole, ordinal, purpose, index) < probability.ppm;
}

Bytes Chance::bytes(size_t length, uint64_t ordinal, Purpose purpose) const {
  Bytes result;
  result.reserve(length);
  for (uint32_t index = 0; result.size() < length; ++index) {
    for (uint32_t word : block(seed_, stream_, ordinal, purpose, index)) {
      // Least significant octet first, on every machine.
      for (int shift = 0; shift < 32 && result.size() < length; shift += 8) {
        result += static_cast<char>(word >> shift & 0xFF);
      }
    }
  }
  return result;
}

}  // namespace netrig
