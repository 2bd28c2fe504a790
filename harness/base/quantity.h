#pragma once
// Quantities with units as people write them in scenarios and on the command line, parsed and
// printed: durations, sizes, rates, probabilities and ranges. Every parser answers a value or a
// sentence without a full stop that says what is wrong ("unknown unit 'sec', one of ns us ms s min
// h"). All arithmetic is in integers and overflow is an error. print(parse(x)) parses to the same
// value.

#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/time.h"

namespace netrig {

template <typename T>
using Parsed = std::expected<T, std::string>;

// A decimal integer with optional sign, nothing around it.
Parsed<int64_t> parse_integer(std::string_view text);

// "250ms", "1.5s", "0s", "2min", "1h"; units ns us ms s min h; not negative; a unit is required.
Parsed<Duration> parse_duration(std::string_view text);
// The largest unit that is not larger than the value, with the decimals it takes, min and h only
// for whole ones: 250ms, 1500ms -> "1.5s", 0 -> "0s", 1234567ns -> "1.234567ms", 90s, 120s ->
// "2min". A negative difference of times gets a '-', which parse_duration does not take.
std::string format_duration(Duration duration);

// Bytes: "64KiB", "8MiB", "1500", "10B", "1kB"; units B kB MB GB KiB MiB GiB; none means bytes.
Parsed<uint64_t> parse_size(std::string_view text);
// The largest binary unit that divides it: "64KiB", else "1500B".
std::string format_size(uint64_t bytes);

// Bits per second, by tc(8)'s names: "100mbit", "9.6kbit", "1gbit", "8bit"; units bit kbit mbit
// gbit tbit, required. Zero is an error.
Parsed<uint64_t> parse_rate(std::string_view text);
std::string format_rate(uint64_t bits_per_second);

// A probability in parts per million, so that draws are integers and equal on every machine.
struct Probability {
  uint32_t ppm = 0;  // 0..1'000'000
  friend constexpr auto operator<=>(Probability, Probability) = default;
};
// "10%", "0.5%", "0.0001%". At most four decimals (1 ppm is the grain); 0%..100%.
Parsed<Probability> parse_probability(std::string_view text);
std::string format_probability(Probability probability);

// Both ends included. A missing end is the quantity's limit: as no duration or size that can be
// written is negative, their missing low end is zero.
template <typename T>
struct Range {
  T low{};
  T high{};
  bool contains(const T& value) const { return low <= value && value <= high; }
  friend bool operator==(const Range&, const Range&) = default;
};

// Splits "a..b", "..b", "a..", "a" (both ends) and gives each part to `part`; low > high is an
// error.
Parsed<Range<int64_t>> parse_integer_range(std::string_view text);
Parsed<Range<Duration>> parse_duration_range(std::string_view text);
Parsed<Range<uint64_t>> parse_size_range(std::string_view text);
std::string format_range(const Range<int64_t>& range);   // "5" for 5..5, "..7", "852..948"
std::string format_range(const Range<Duration>& range);  // "15ms..25ms"
std::string format_range(const Range<uint64_t>& range);  // sizes

}  // namespace netrig
