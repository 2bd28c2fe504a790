#include "harness/base/time_scale.h"

#include <algorithm>
#include <fmt/format.h>

namespace netrig {

namespace {

constexpr int kDecimalsMax = 6;
constexpr Duration kLimitMax =
    std::chrono::hours(24) * 36'525;  // so that now + limit is no overflow

}  // namespace

Parsed<TimeScale> TimeScale::parse(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected(
        fmt::format("a factor from 1 to {} with at most {} decimals, for instance 2.5, got '{}'",
                    kFactorMax, kDecimalsMax, text));
  };
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point < text.size() ? text.substr(point + 1) : "";
  const bool point_alone = point < text.size() && decimals.empty();
  const bool only_digits = text.find_first_not_of("0123456789.") == std::string_view::npos &&
                           decimals.find('.') == std::string_view::npos;
  if (whole.empty() || point_alone || !only_digits || decimals.size() > kDecimalsMax ||
      whole.size() > 9) {
    return wrong();
  }
  int64_t millionths = 0;
  for (char digit : whole) millionths = millionths * 10 + (digit - '0');
  for (size_t place = 0; place < kDecimalsMax; ++place) {
    millionths = millionths * 10 + (place < decimals.size() ? decimals[place] - '0' : 0);
  }
  if (millionths < kOne || millionths > kFactorMax * kOne) return wrong();
  return TimeScale(millionths);
}

std::string TimeScale::text() const {
  std::string text = fmt::format("{}", millionths_ / kOne);
  if (millionths_ % kOne == 0) return text;
  text += fmt::format(".{:06}", millionths_ % kOne);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

Duration TimeScale::limit(Duration limit) const {
  if (limit >= kLimitMax) return limit;
  // Whole microseconds apart, so that the product of the rest cannot overflow.
  const int64_t parts = limit.count() / kOne, rest = limit.count() % kOne;
  if (parts > kLimitMax.count() / millionths_) return kLimitMax;
  return std::min(kLimitMax, Duration{parts * millionths_ + rest * millionths_ / kOne});
}

Range<Duration> TimeScale::upper_bound(const Range<Duration>& range) const {
  return {range.low, limit(range.high)};
}

}  // namespace netrig
