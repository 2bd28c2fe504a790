#pragma once
// Time as netrig counts it: 64-bit nanoseconds since the start of a run's loop. Nothing here reads
// a clock: the loop does, and hands the instant on. Wall-clock dates exist only in captures and
// reports.

#include <chrono>
#include <cstdint>

namespace netrig {

using Duration = std::chrono::nanoseconds;

// The clock of a run's loop. It has no now(): only a Loop knows.
struct LoopClock {
  using rep = int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<LoopClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = LoopClock::time_point;

using namespace std::chrono_literals;

}  // namespace netrig
