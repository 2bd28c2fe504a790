#pragma once
// How much longer than it says a scenario may take on a slow machine (--time-scale): limits on the
// machine's clock are multiplied, lower bounds never, and virtual time knows no slow machine. A
// plain value: whose time is the machine's is decided by others.

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/quantity.h"
#include "harness/base/time.h"

namespace netrig {

class TimeScale {
 public:
  static constexpr int64_t kFactorMax = 1000;

  constexpr TimeScale() = default;  // times one

  // "2", "1.5", "1.000001": from 1 to kFactorMax, with at most six decimals.
  static Parsed<TimeScale> parse(std::string_view text);
  std::string text() const;  // as parse() takes it

  // The limit times the factor, at most a hundred years; a longer limit stays as it is.
  Duration limit(Duration limit) const;
  // The high end as limit(); the low end stays.
  Range<Duration> upper_bound(const Range<Duration>& range) const;

  bool is_one() const { return millionths_ == kOne; }
  friend constexpr bool operator==(TimeScale, TimeScale) = default;

 private:
  static constexpr int64_t kOne = 1'000'000;
  explicit constexpr TimeScale(int64_t millionths) : millionths_(millionths) {}

  int64_t millionths_ = kOne;
};

}  // namespace netrig
