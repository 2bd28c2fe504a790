#pragma once
// How a world hands a long write on a stream to what carries it: in calls of a limited size, so
// that no call holds more than a capture's ring takes with ease. The same on every world, because
// what a full buffer has taken depends on it.

#include <cstddef>
#include <span>
#include <vector>

#include "harness/base/bytes.h"

namespace netrig {

inline constexpr size_t kStreamCallBytes = size_t{256} << 10;

// Octets of `parts` from `offset` on, at most `limit`; no empty ones.
std::vector<ByteView> stream_window(std::span<const ByteView> parts, size_t offset, size_t limit);

}  // namespace netrig
