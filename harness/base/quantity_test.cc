#include "harness/base/quantity.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr uint64_t kUint64Max = std::numeric_limits<uint64_t>::max();

TEST(Integer, TakesTheWholeRangeAndASign) {
  EXPECT_EQ(parse_integer("-9223372036854775808"), kInt64Min);
  EXPECT_EQ(parse_integer("9223372036854775807"), kInt64Max);
  EXPECT_EQ(parse_integer("+5"), 5);
  EXPECT_EQ(parse_integer("007"), 7);
}

TEST(Integer, RefusesAnythingAroundIt) {
  EXPECT_EQ(parse_integer("").error(), "'' is not an integer");
  EXPECT_EQ(parse_integer(" 5").error(), "' 5' is not an integer");
  EXPECT_EQ(parse_integer("5x").error(), "'5x' is not an integer");
  EXPECT_EQ(parse_integer("1.5").error(), "'1.5' is not an integer");
  EXPECT_EQ(parse_integer("+-5").error(), "'+-5' is not an integer");
  EXPECT_EQ(parse_integer("9223372036854775808").error(),
            "'9223372036854775808' does not fit 64 bits");
}

TEST(Duration, TakesEveryUnitAndDecimals) {
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2min"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0s"), 0ns);
  EXPECT_EQ(parse_duration("0.000000001s"), 1ns);
  EXPECT_EQ(parse_duration("1.500000000000000000000000000000s"), 1500ms);
  EXPECT_EQ(parse_duration("9223372036854775807ns"), Duration::max());
}

TEST(Duration, RejectsAnUnknownUnitAndNamesTheKnownOnes) {
  EXPECT_EQ(parse_duration("5sec").error(), "unknown unit 'sec', one of ns us ms s min h");
  EXPECT_EQ(parse_duration("5 ms").error(), "unknown unit ' ms', one of ns us ms s min h");
  EXPECT_EQ(parse_duration("1.5.5s").error(), "unknown unit '.5s', one of ns us ms s min h");
}

TEST(Duration, ExplainsEveryOtherMistake) {
  EXPECT_EQ(parse_duration("250").error(), "'250' has no unit, one of ns us ms s min h");
  EXPECT_EQ(parse_duration("").error(), "the text is empty, a duration such as 250ms is expected");
  EXPECT_EQ(parse_duration("ms").error(),
            "'ms' does not start with a digit, a duration such as 250ms is expected");
  EXPECT_EQ(parse_duration("1.ms").error(),
            "no digit follows the point in '1.ms', a duration such as 250ms is expected");
  EXPECT_EQ(parse_duration("-1s").error(), "a duration is not negative");
  EXPECT_EQ(parse_duration("0.5ns").error(), "'0.5ns' is finer than 1ns");
  EXPECT_EQ(parse_duration("0.0000000000000000001h").error(),
            "'0.0000000000000000001h' is finer than 1ns");
  EXPECT_EQ(parse_duration("9223372036854775808ns").error(),
            "'9223372036854775808ns' is too large for a duration");
  EXPECT_EQ(parse_duration("99999999999999999999h").error(),
            "'99999999999999999999h' is too large for a duration");
}

TEST(Duration, CutsAndEscapesALongOrHostileWordInItsMessage) {
  const std::string message = parse_duration("1" + std::string(1000, '\x1b')).error();
  EXPECT_LT(message.size(), 250u);
  EXPECT_FALSE(message.contains('\x1b'));
  EXPECT_TRUE(message.contains("... (1000 bytes)")) << message;
}

TEST(Duration, PrintsTheLargestFittingUnit) {
  EXPECT_EQ(format_duration(0ns), "0s");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(1234567ns), "1.234567ms");
  EXPECT_EQ(format_duration(1'000'000'001ns), "1.000000001s");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2min");
  EXPECT_EQ(format_duration(2h), "2h");
  EXPECT_EQ(format_duration(-20ms), "-20ms");
  EXPECT_EQ(format_duration(Duration::min()), "-9223372036.854775808s");
}

TEST(Duration, ReadsBackWhatItPrints) {
  for (int64_t ns : {0L, 1L, 999L, 1000L, 1001L, 123456789L, 60'000'000'000L, 61'000'000'000L,
                     3'600'000'000'000L, 86'399'999'999'999L, kInt64Max}) {
    EXPECT_EQ(parse_duration(format_duration(Duration(ns))), Duration(ns)) << ns;
  }
}

TEST(Size, TakesBinaryAndDecimalUnitsAndPlainBytes) {
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("8MiB"), 8388608u);
  EXPECT_EQ(parse_size("1GiB"), 1073741824u);
  EXPECT_EQ(parse_size("1500"), 1500u);
  EXPECT_EQ(parse_size("10B"), 10u);
  EXPECT_EQ(parse_size("1kB"), 1000u);
  EXPECT_EQ(parse_size("2MB"), 2000000u);
  EXPECT_EQ(parse_size("1GB"), 1000000000u);
  EXPECT_EQ(parse_size("1.5KiB"), 1536u);
  EXPECT_EQ(parse_size("18446744073709551615"), kUint64Max);
}

TEST(Size, ExplainsItsMistakes) {
  EXPECT_EQ(parse_size("1KB").error(), "unknown unit 'KB', one of B kB MB GB KiB MiB GiB");
  EXPECT_EQ(parse_size("0.5").error(), "'0.5' is finer than 1B");
  EXPECT_EQ(parse_size("18446744073709551616").error(),
            "'18446744073709551616' is too large for a size");
  EXPECT_EQ(parse_size("17179869184GiB").error(), "'17179869184GiB' is too large for a size");
  EXPECT_EQ(parse_size("-1").error(), "a size is not negative");
}

TEST(Size, ReadsBackWhatItPrints) {
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(1500), "1500B");
  EXPECT_EQ(format_size(0), "0B");
  for (uint64_t size :
       {uint64_t{0}, uint64_t{1023}, uint64_t{1024}, uint64_t{3} << 30, kUint64Max}) {
    EXPECT_EQ(parse_size(format_size(size)), size);
  }
}

TEST(Rate, SpeaksTheNamesOfTc) {
  EXPECT_EQ(parse_rate("100mbit"), 100'000'000u);
  EXPECT_EQ(parse_rate("9.6kbit"), 9600u);
  EXPECT_EQ(parse_rate("1gbit"), 1'000'000'000u);
  EXPECT_EQ(parse_rate("8bit"), 8u);
  EXPECT_EQ(parse_rate("0bit").error(), "a rate of zero would let nothing pass");
  EXPECT_EQ(parse_rate("100").error(), "'100' has no unit, one of bit kbit mbit gbit tbit");
  EXPECT_EQ(parse_rate("1Mbit").error(), "unknown unit 'Mbit', one of bit kbit mbit gbit tbit");
}

TEST(Rate, ReadsBackWhatItPrints) {
  EXPECT_EQ(format_rate(9600), "9.6kbit");
  EXPECT_EQ(format_rate(100'000'000), "100mbit");
  for (uint64_t rate : {uint64_t{1}, uint64_t{1001}, uint64_t{1'000'000'001}, kUint64Max}) {
    EXPECT_EQ(parse_rate(format_rate(rate)), rate);
  }
}

TEST(ProbabilityText, IsExactToOnePartInAMillion) {
  EXPECT_EQ(parse_probability("10%")->ppm, 100'000u);
  EXPECT_EQ(parse_probability("0.5%")->ppm, 5'000u);
  EXPECT_EQ(parse_probability("0.0001%")->ppm, 1u);
  EXPECT_EQ(parse_probability("100%")->ppm, 1'000'000u);
  EXPECT_EQ(parse_probability("0%")->ppm, 0u);
}

TEST(ProbabilityText, ExplainsItsMistakes) {
  EXPECT_EQ(parse_probability("0.00001%").error(), "'0.00001%' is finer than 0.0001%");
  EXPECT_EQ(parse_probability("100.0001%").error(), "'100.0001%' is too large for a probability");
  EXPECT_EQ(parse_probability("0.5").error(), "'0.5' has no unit, one of %");
}

TEST(ProbabilityText, ReadsBackWhatItPrints) {
  for (uint32_t ppm : {0u, 1u, 5000u, 123456u, 999'999u, 1'000'000u}) {
    EXPECT_EQ(parse_probability(format_probability({ppm}))->ppm, ppm);
  }
  EXPECT_EQ(format_probability({5000}), "0.5%");
}

TEST(RangeText, TakesOneOrBothEnds) {
  EXPECT_EQ(parse_integer_range("852..948"), (Range<int64_t>{852, 948}));
  EXPECT_EQ(parse_integer_range("5"), (Range<int64_t>{5, 5}));
  EXPECT_EQ(parse_integer_range("..7"), (Range<int64_t>{kInt64Min, 7}));
  EXPECT_EQ(parse_integer_range("-3.."), (Range<int64_t>{-3, kInt64Max}));
  EXPECT_EQ(parse_duration_range("15ms..25ms"), (Range<Duration>{15ms, 25ms}));
  EXPECT_EQ(parse_duration_range("..60ms"), (Range<Duration>{0ms, 60ms}));
  EXPECT_EQ(parse_duration_range("1.5s..2s"), (Range<Duration>{1500ms, 2s}));
  EXPECT_EQ(parse_size_range("1..8MiB"), (Range<uint64_t>{1, 8388608}));
}

TEST(RangeText, ExplainsItsMistakes) {
  EXPECT_EQ(parse_integer_range("9..5").error(), "the range '9..5' ends before it starts");
  EXPECT_EQ(parse_integer_range("..").error(),
            "a range has at least one end, as in 1..5, ..5 or 1..");
  EXPECT_EQ(parse_integer_range("1...5").error(), "'.5' is not an integer");
  EXPECT_EQ(parse_integer_range("x..5").error(), "'x' is not an integer");
  EXPECT_EQ(parse_duration_range("15..25ms").error(), "'15' has no unit, one of ns us ms s min h");
  EXPECT_EQ(parse_size_range("").error(), "the text is empty, a size such as 64KiB is expected");
}

TEST(RangeText, ContainsBothEndsAndNothingOutside) {
  const Range<int64_t> range{852, 948};
  EXPECT_TRUE(range.contains(852) && range.contains(948));
  EXPECT_FALSE(range.contains(851) || range.contains(949));
}

TEST(RangeText, ReadsBackWhatItPrints) {
  EXPECT_EQ(format_range(Range<int64_t>{5, 5}), "5");
  EXPECT_EQ(format_range(Range<int64_t>{kInt64Min, 7}), "..7");
  EXPECT_EQ(format_range(Range<int64_t>{852, 948}), "852..948");
  EXPECT_EQ(format_range(Range<Duration>{15ms, 25ms}), "15ms..25ms");
  EXPECT_EQ(format_range(Range<Duration>{0ms, 60ms}), "..60ms");
  EXPECT_EQ(format_range(Range<uint64_t>{1024, kUint64Max}), "1KiB..");
  for (Range<int64_t> range : {Range<int64_t>{kInt64Min, kInt64Max}, {0, 0}, {-5, kInt64Max}}) {
    EXPECT_EQ(parse_integer_range(format_range(range)), range) << format_range(range);
  }
  const Range<Duration> any{0ns, Duration::max()};
  EXPECT_EQ(parse_duration_range(format_range(any)), any) << format_range(any);
}

}  // namespace
}  // namespace netrig
