#include "harness/link/sending_time.h"

#include <algorithm>

namespace netrig {
namespace {

__extension__ using Uint128 = unsigned __int128;

}  // namespace

// netem's packet_time_ns().
uint64_t counted_octets(const PacketOverhead& overhead, uint64_t size) {
  const int64_t packet =
      std::max<int64_t>(static_cast<int64_t>(size) + overhead.packet_overhead, 0);
  if (overhead.cell_size == 0) return static_cast<uint64_t>(packet);
  const int64_t cell = overhead.cell_size;
  const int64_t cells = (packet + cell - 1) / cell;
  return static_cast<uint64_t>(cells * std::max<int64_t>(cell + overhead.cell_overhead, 0));
}

Duration long_sending_time(uint64_t size, uint64_t bits_per_second) {
  const Uint128 bit_nanoseconds = static_cast<Uint128>(size) * 8 * 1'000'000'000;
  const Uint128 time = (bit_nanoseconds + bits_per_second - 1) / bits_per_second;
  return time > static_cast<Uint128>(Duration::max().count())
             ? Duration::max()
             : Duration(static_cast<int64_t>(time));
}

}  // namespace netrig
