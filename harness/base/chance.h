#pragma once
// Chance without state: every draw is a pure function of (seed, stream, ordinal, purpose, index),
// by the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC11; here Random123's). Adding a draw for one purpose, or a fault to one link,
// therefore moves no other draw. No distribution of <random> is used: they differ between
// libraries.

#include <array>
#include <cstdint>
#include <string_view>

#include "harness/base/bytes.h"
#include "harness/base/quantity.h"

namespace netrig {

// What a draw is for. Values are part of what a seed means: never renumber, only append.
enum class Purpose : uint32_t {
  kLoss = 1,
  kDuplicate = 2,
  kCorrupt = 3,
  kCorruptBit = 4,
  kReorder = 5,
  kDelay = 6,
  kDuplicateDelay = 7,
  kPayload = 8,
  kPiece = 32,
};

// A 64-bit name for a stream of draws, stable across builds and machines (FNV-1a, then mixed).
uint64_t stable_hash(std::string_view text);

// The generator itself: Philox4x32 with 10 rounds.
std::array<uint32_t, 4> philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key);

// The values are part of what a seed means: they change with no build, machine or version.
class Chance {
 public:
  // `stream`: stable_hash of what the draws belong to, such as "client -> server|udp|server:53|1".
  Chance(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  // Uniform over all 2^32, 2^64 values.
  uint32_t draw32(uint64_t ordinal, Purpose purpose, uint32_t index = 0) const;
  uint64_t draw64(uint64_t ordinal, Purpose purpose, uint32_t index = 0) const;
  // Uniform in 0..bound-1, bound > 0 (128-bit multiply; bias below 2^-64 * bound).
  uint64_t below(uint64_t bound, uint64_t ordinal, Purpose purpose, uint32_t index = 0) const;
  // True with the probability asked for, exact to 1 ppm.
  bool happens(Probability probability, uint64_t ordinal, Purpose purpose,
               uint32_t index = 0) const;
  // `length` random octets, for payloads.
  Bytes bytes(size_t length, uint64_t ordinal, Purpose purpose) const;

 private:
  uint64_t seed_;
  uint64_t stream_;
};

}  // namespace netrig
