#pragma once
// A fast 64-bit hash of many octets, the same on every machine: for fingerprints of what was sent
// and seen. It protects from nobody; names of streams of draws are stable_hash's (chance.h).

#include <cstdint>

#include "harness/base/bytes.h"

namespace netrig {

// The two halves of a product, folded: every bit of both reaches the middle of it.
inline uint64_t fold_product(uint64_t a, uint64_t b) {
  __extension__ using Uint128 = unsigned __int128;
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Takes `value` into `hash`; the order of calls counts.
inline void mix_hash(uint64_t& hash, uint64_t value) {
  hash = fold_product(hash ^ value, 0x243f6a8885a308d3) + 1;
}

uint64_t hash_octets(ByteView octets);

}  // namespace netrig
