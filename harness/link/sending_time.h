#pragma once
// How long a packet takes to be sent, and instants that do not wrap around. Integers only.

#include <algorithm>
#include <cstdint>

#include "harness/base/time.h"
#include "harness/link/link_config.h"

namespace netrig {

// Octets that a rate counts for an IP packet of `size`.
uint64_t counted_octets(const PacketOverhead& overhead, uint64_t size);
// Of any size: Duration::max() if it is longer than that.
Duration long_sending_time(uint64_t size, uint64_t bits_per_second);

// Rounded up to the nanosecond.
inline Duration sending_time(uint64_t size, uint64_t bits_per_second) {
  constexpr uint64_t kBitNanoseconds = uint64_t{8} * 1'000'000'000;
  // Below 2^63 bit nanoseconds there is no need for wide numbers.
  if (size >= uint64_t{1} << 30) return long_sending_time(size, bits_per_second);
  const uint64_t narrow = size * kBitNanoseconds;
  return Duration(
      static_cast<int64_t>(narrow / bits_per_second + (narrow % bits_per_second != 0 ? 1 : 0)));
}

// Instant::max() if it would be later than that: an hour-long queue of hour-long packets must not
// wrap around to the past.
inline Instant later(Instant start, Duration by) {
  return by > Instant::max() - std::max(start, Instant{}) ? Instant::max() : start + by;
}

}  // namespace netrig
