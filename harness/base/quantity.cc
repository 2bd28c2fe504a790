#include "harness/base/quantity.h"

#include <charconv>
#include <fmt/format.h>
#include <span>

#include "harness/base/bytes.h"

namespace netrig {

namespace {

__extension__ using Uint128 = unsigned __int128;

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Ascending; parsers and messages share these.
constexpr Unit kDurationUnits[] = {{"ns", 1},
                                   {"us", 1'000},
                                   {"ms", 1'000'000},
                                   {"s", 1'000'000'000},
                                   {"min", 60'000'000'000},
                                   {"h", 3'600'000'000'000}};
constexpr Unit kSizeUnits[] = {{"B", 1},
                               {"kB", 1'000},
                               {"MB", 1'000'000},
                               {"GB", 1'000'000'000},
                               {"KiB", 1ULL << 10},
                               {"MiB", 1ULL << 20},
                               {"GiB", 1ULL << 30}};
constexpr Unit kRateUnits[] = {{"bit", 1},
                               {"kbit", 1'000},
                               {"mbit", 1'000'000},
                               {"gbit", 1'000'000'000},
                               {"tbit", 1'000'000'000'000}};
constexpr Unit kProbabilityUnits[] = {{"%", 10'000}};

// What kind of quantity is parsed: how its messages speak, and what it allows.
struct Kind {
  std::string_view article_and_name;
  std::string_view example;
  std::string_view grain;  // the smallest value that can be told from zero
  std::span<const Unit> units;
  std::string_view default_unit;  // empty: a unit is required
  uint64_t limit;
};

constexpr Kind kDuration = {"a duration",   "250ms", "1ns",
                            kDurationUnits, "",      std::numeric_limits<int64_t>::max()};
constexpr Kind kSize = {"a size",   "64KiB", "1B",
                        kSizeUnits, "B",     std::numeric_limits<uint64_t>::max()};
constexpr Kind kRate = {"a rate",   "100mbit", "1bit",
                        kRateUnits, "",        std::numeric_limits<uint64_t>::max()};
constexpr Kind kProbability = {"a probability", "10%", "0.0001%", kProbabilityUnits, "", 1'000'000};

constexpr size_t kDecimalsMax = 18;  // 10^18 times an hour's nanoseconds still fits 128 bits

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The user's word in a message: escaped, and cut if it is long.
std::string quote(std::string_view word) {
  constexpr size_t kShown = 40;
  std::string quoted = format_quoted(word, kShown);
  const size_t closing = quoted.rfind('"');
  return fmt::format("'{}'{}", quoted.substr(1, closing - 1), quoted.substr(closing + 1));
}

std::string unit_names(std::span<const Unit> units) {
  std::string names;
  for (const Unit& unit : units) names += (names.empty() ? "" : " ") + std::string(unit.name);
  return names;
}

// "12.5ms" as its three parts; none of them need be there.
struct Number {
  std::string_view whole, decimals, unit;
};

Parsed<Number> split_number(std::string_view text, const Kind& kind) {
  auto fail = [&](std::string_view why) {
    return std::unexpected(
        fmt::format("{}, {} such as {} is expected", why, kind.article_and_name, kind.example));
  };
  if (text.empty()) return fail("the text is empty");
  if (text[0] == '-')
    return std::unexpected(fmt::format("{} is not negative", kind.article_and_name));
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  Number number;
  number.whole = text.substr(0, end);
  if (number.whole.empty()) return fail(quote(text) + " does not start with a digit");
  if (end < text.size() && text[end] == '.') {
    const size_t begin = ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
    number.decimals = text.substr(begin, end - begin);
    if (number.decimals.empty()) return fail("no digit follows the point in " + quote(text));
  }
  number.unit = text.substr(end);
  return number;
}

Parsed<uint64_t> factor_of(std::string_view unit, std::string_view text, const Kind& kind) {
  if (unit.empty()) unit = kind.default_unit;
  if (unit.empty()) {
    return std::unexpected(
        fmt::format("{} has no unit, one of {}", quote(text), unit_names(kind.units)));
  }
  for (const Unit& known : kind.units) {
    if (known.name == unit) return known.factor;
  }
  return std::unexpected(
      fmt::format("unknown unit {}, one of {}", quote(unit), unit_names(kind.units)));
}

Parsed<uint64_t> parse_quantity(std::string_view text, const Kind& kind) {
  Parsed<Number> number = split_number(text, kind);
  if (!number) return std::unexpected(number.error());
  Parsed<uint64_t> factor = factor_of(number->unit, text, kind);
  if (!factor) return factor;

  auto too_large = [&] {
    std::string_view name = kind.article_and_name;
    return std::unexpected(fmt::format("{} is too large for {}", quote(text), name));
  };
  auto too_fine = [&] {
    return std::unexpected(fmt::format("{} is finer than {}", quote(text), kind.grain));
  };
  uint64_t whole = 0;
  for (char digit : number->whole) {
    if (__builtin_mul_overflow(whole, uint64_t{10}, &whole) ||
        __builtin_add_overflow(whole, static_cast<uint64_t>(digit - '0'), &whole)) {
      return too_large();
    }
  }
  std::string_view decimals = number->decimals;
  while (decimals.ends_with('0')) decimals.remove_suffix(1);
  if (decimals.size() > kDecimalsMax) return too_fine();
  Uint128 fraction = 0, scale = 1;
  for (char digit : decimals) {
    fraction = fraction * 10 + static_cast<unsigned>(digit - '0');
    scale *= 10;
  }
  fraction *= *factor;
  if (fraction % scale != 0) return too_fine();
  const Uint128 value = static_cast<Uint128>(whole) * *factor + fraction / scale;
  if (value > kind.limit) return too_large();
  return static_cast<uint64_t>(value);
}

// value / factor with as many decimals as it takes; `factor` is a power of ten.
std::string format_decimal(uint64_t value, uint64_t factor) {
  std::string text = std::to_string(value / factor);
  uint64_t rest = value % factor;
  if (rest > 0) text += '.';
  while (rest > 0) {
    factor /= 10;
    text += static_cast<char>('0' + rest / factor);
    rest %= factor;
  }
  return text;
}

// Splits at "..", parses the ends with `part`; `lowest` and `highest` stand for a missing one.
template <typename T, typename Part>
Parsed<Range<T>> parse_range(std::string_view text, T lowest, T highest, Part part) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    Parsed<T> value = part(text);
    if (!value) return std::unexpected(value.error());
    return Range<T>{*value, *value};
  }
  std::string_view low_text = text.substr(0, dots), high_text = text.substr(dots + 2);
  if (low_text.empty() && high_text.empty()) {
    return std::unexpected("a range has at least one end, as in 1..5, ..5 or 1..");
  }
  Range<T> range{lowest, highest};
  if (!low_text.empty()) {
    Parsed<T> low = part(low_text);
    if (!low) return std::unexpected(low.error());
    range.low = *low;
  }
  if (!high_text.empty()) {
    Parsed<T> high = part(high_text);
    if (!high) return std::unexpected(high.error());
    range.high = *high;
  }
  if (range.low > range.high) {
    return std::unexpected(fmt::format("the range {} ends before it starts", quote(text)));
  }
  return range;
}

// The low end is written out if both are missing: ".." would not parse.
template <typename T, typename Part>
std::string print_range(const Range<T>& range, T lowest, T highest, Part part) {
  if (range.low == range.high) return part(range.low);
  const bool no_high = range.high == highest;
  const bool no_low = range.low == lowest && !no_high;
  return (no_low ? "" : part(range.low)) + ".." + (no_high ? "" : part(range.high));
}

}  // namespace

Parsed<int64_t> parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.starts_with('-')) digits = "";
  }
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    return std::unexpected(fmt::format("{} does not fit 64 bits", quote(text)));
  }
  if (error != std::errc() || stopped != end) {
    return std::unexpected(fmt::format("{} is not an integer", quote(text)));
  }
  return value;
}

Parsed<Duration> parse_duration(std::string_view text) {
  Parsed<uint64_t> ns = parse_quantity(text, kDuration);
  if (!ns) return std::unexpected(ns.error());
  return Duration(static_cast<int64_t>(*ns));
}

std::string format_duration(Duration duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  // Unsigned, because the smallest int64 has no positive twin.
  const uint64_t ns = count < 0 ? -static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  const std::string sign = count < 0 ? "-" : "";
  for (size_t i = std::size(kDurationUnits); i-- > 0;) {
    const Unit& unit = kDurationUnits[i];
    const bool decimal = unit.factor <= 1'000'000'000;  // 100s is no decimal fraction of a minute
    if (ns < unit.factor || (!decimal && ns % unit.factor != 0)) continue;
    return sign + format_decimal(ns, unit.factor) + std::string(unit.name);
  }
  return sign + std::to_string(ns) + "ns";
}

Parsed<uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, kSize);
}

std::string format_size(uint64_t bytes) {
  for (const Unit& unit : {kSizeUnits[6], kSizeUnits[5], kSizeUnits[4]}) {
    if (bytes >= unit.factor && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

Parsed<uint64_t> parse_rate(std::string_view text) {
  Parsed<uint64_t> rate = parse_quantity(text, kRate);
  if (rate && *rate == 0) return std::unexpected("a rate of zero would let nothing pass");
  return rate;
}

std::string format_rate(uint64_t bits_per_second) {
  for (size_t i = std::size(kRateUnits); i-- > 0;) {
    if (bits_per_second < kRateUnits[i].factor) continue;
    return format_decimal(bits_per_second, kRateUnits[i].factor) + std::string(kRateUnits[i].name);
  }
  return "0bit";
}

Parsed<Probability> parse_probability(std::string_view text) {
  Parsed<uint64_t> ppm = parse_quantity(text, kProbability);
  if (!ppm) return std::unexpected(ppm.error());
  return Probability{static_cast<uint32_t>(*ppm)};
}

std::string format_probability(Probability probability) {
  return format_decimal(probability.ppm, 10'000) + "%";
}

Parsed<Range<int64_t>> parse_integer_range(std::string_view text) {
  using Limits = std::numeric_limits<int64_t>;
  return parse_range<int64_t>(text, Limits::min(), Limits::max(), parse_integer);
}

Parsed<Range<Duration>> parse_duration_range(std::string_view text) {
  return parse_range<Duration>(text, Duration::zero(), Duration::max(), parse_duration);
}

Parsed<Range<uint64_t>> parse_size_range(std::string_view text) {
  return parse_range<uint64_t>(text, 0, std::numeric_limits<uint64_t>::max(), parse_size);
}

std::string format_range(const Range<int64_t>& range) {
  using Limits = std::numeric_limits<int64_t>;
  return print_range<int64_t>(range, Limits::min(), Limits::max(),
                              [](int64_t value) { return std::to_string(value); });
}

std::string format_range(const Range<Duration>& range) {
  return print_range<Duration>(range, Duration::zero(), Duration::max(), format_duration);
}

std::string format_range(const Range<uint64_t>& range) {
  return print_range<uint64_t>(range, 0, std::numeric_limits<uint64_t>::max(), format_size);
}

}  // namespace netrig
