#include "harness/link/delivery_trace.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

Instant at(Duration since_start) {
  return Instant{since_start};
}

TEST(DeliveryTrace, BeginsAnewAtItsEnd) {
  const DeliveryTrace trace({1, 2, 2, 5});
  std::vector<int64_t> found;
  for (uint64_t n = 0; n < 9; ++n) found.push_back(trace.when(n).time_since_epoch() / 1ms);
  EXPECT_EQ(found, (std::vector<int64_t>{1, 2, 2, 5, 6, 7, 7, 10, 11}));
}

TEST(DeliveryTrace, FindsTheFirstOpportunityAfterAnInstant) {
  for (const auto& milliseconds : {std::vector<uint32_t>{1, 2, 2, 5}, std::vector<uint32_t>{0, 3},
                                   std::vector<uint32_t>{7}, std::vector<uint32_t>{0, 0, 1, 1}}) {
    const DeliveryTrace trace(milliseconds);
    for (Duration now = 0ms; now < 40ms; now += 500us) {
      uint64_t expected = 0;
      while (trace.when(expected) <= at(now)) ++expected;
      ASSERT_EQ(trace.first_after(at(now)), expected) << now / 1us;
    }
  }
  EXPECT_EQ(DeliveryTrace({1}).first_after(at(100h)), 360'000'000u);  // without counting up to it
}

TEST(TraceCursor, CarriesSmallPacketsTogetherAndLargeOnesInPieces) {
  const DeliveryTrace trace({1, 2, 3, 4});
  TraceCursor cursor(trace);
  EXPECT_EQ(cursor.begin(at(0ms)), at(1ms));
  EXPECT_EQ(cursor.take(500), at(1ms));
  EXPECT_EQ(cursor.begin(at(0ms)), at(1ms));
  EXPECT_EQ(cursor.take(1000), at(1ms));  // exactly used up
  EXPECT_EQ(cursor.begin(at(0ms)), at(2ms));
  EXPECT_EQ(cursor.take(3001), at(4ms));
  EXPECT_EQ(cursor.take(1499), at(4ms));
  EXPECT_EQ(cursor.begin(at(0ms)), at(5ms));
}

TEST(TraceCursor, LetsWhatNobodyUsedGo) {
  const DeliveryTrace trace({1, 2, 3, 4});
  TraceCursor cursor(trace);
  cursor.begin(at(0ms));
  cursor.take(100);
  // At 1 ms the rest of that opportunity is gone, and one that is at 2 ms exactly is missed then.
  EXPECT_EQ(cursor.begin(at(1ms)), at(2ms));
  EXPECT_EQ(cursor.begin(at(2ms)), at(3ms));
  EXPECT_EQ(cursor.begin(at(2500us)), at(3ms));
  EXPECT_EQ(cursor.take(1500), at(3ms));
}

TEST(TraceFile, IsReadAsMahimahiWritesIt) {
  ASSERT_TRUE(parse_delivery_trace("0\n5\n\n 5 \r\n12"));
  EXPECT_EQ((*parse_delivery_trace("0\n5\n5\n12"))->size(), 4u);
}

TEST(TraceFile, TellsWhatIsWrongWithIt) {
  EXPECT_EQ(parse_delivery_trace("").error(), "it has no line");
  EXPECT_EQ(parse_delivery_trace("0\n0\n").error(), "it ends at the instant at which it begins");
  EXPECT_EQ(parse_delivery_trace("1\n0\n").error(), "its line 2 goes back in time");
  for (const char* text : {"x", "-1", "1.5", "86400001", "99999999999999999999999999", "1 2"}) {
    EXPECT_EQ(parse_delivery_trace(text).error(),
              "its line 1 is no number of milliseconds in 0..86400000")
        << text;
  }
  std::string many;
  for (size_t i = 0; i <= kOpportunitiesMax; ++i) many += "1\n";
  EXPECT_EQ(parse_delivery_trace(many).error(), "it has more than 1000000 lines");
}

}  // namespace
}  // namespace netrig
