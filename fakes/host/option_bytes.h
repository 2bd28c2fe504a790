#pragma once
// Values of socket options as the kernel lays them out in memory, cut to the caller's buffer.

#include <algorithm>
#include <cstring>

#include "harness/base/bytes.h"

namespace netrig {

template <typename T>
Bytes option_bytes(const T& value, size_t size) {
  Bytes octets(sizeof(T), '\0');
  std::memcpy(octets.data(), &value, sizeof(T));
  octets.resize(std::min(size, octets.size()));
  return octets;
}

}  // namespace netrig
