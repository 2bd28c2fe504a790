#include "harness/run/event_trace.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

EventTrace::Difference difference_of(const std::vector<std::string>& first,
                                     const std::vector<std::string>& second, int* stops = nullptr) {
  EventTrace trace;
  for (const auto& line : first) trace.note(line);
  trace.begin_second();
  trace.on_difference([&] {
    if (stops != nullptr) ++*stops;
  });
  for (const auto& line : second) trace.note(line);
  trace.end_second();
  return trace.difference().value_or(EventTrace::Difference{});
}

TEST(EventTrace, EqualRunsHaveNoDifference) {
  EXPECT_EQ(difference_of({"a", "b"}, {"a", "b"}).event, 0u);
}

TEST(EventTrace, StopsOnceAtTheFirstEventThatDiffersAndKeepsBothSides) {
  int stops = 0;
  const auto difference = difference_of({"a", "b", "c"}, {"a", "x", "y"}, &stops);
  EXPECT_EQ(difference.event, 2u);
  EXPECT_EQ(difference.first, "b");
  EXPECT_EQ(difference.second, "x");
  EXPECT_EQ(stops, 1);
}

TEST(EventTrace, ARunThatEndsEarlierOrGoesOnLongerDiffers) {
  EXPECT_EQ(difference_of({"a", "b"}, {"a"}).second, "nothing");
  EXPECT_EQ(difference_of({"a"}, {"a", "b"}).first, "nothing");
}

}  // namespace
}  // namespace netrig
