#include "harness/wire/segment_places.h"

#include <gtest/gtest.h>
#include <set>

namespace netrig {
namespace {

constexpr uint32_t kInitial = 0xFFFFFFF0;

std::pair<uint64_t, uint32_t> sent(SegmentPlaces& places, uint32_t sequence, uint32_t length) {
  const SegmentPlaces::Place place = places.sent(sequence, length);
  return {place.relative, place.times_sent};
}

using Where = std::pair<uint64_t, uint32_t>;

TEST(SegmentPlaces, the_syn_is_0_and_the_first_octet_1) {
  SegmentPlaces places(kInitial);
  EXPECT_EQ(sent(places, kInitial, 1), Where(0, 0));
  EXPECT_EQ(sent(places, kInitial + 1, 100), Where(1, 0));
  EXPECT_EQ(sent(places, kInitial + 101, 50), Where(101, 0));  // beyond 2^32
  EXPECT_EQ(sent(places, kInitial + 151, 1), Where(151, 0));   // FIN
}

TEST(SegmentPlaces, what_is_sent_again_is_counted_at_its_place) {
  SegmentPlaces places(kInitial);
  EXPECT_EQ(sent(places, kInitial, 1), Where(0, 0));
  EXPECT_EQ(sent(places, kInitial, 1), Where(0, 1));
  EXPECT_EQ(sent(places, kInitial, 1), Where(0, 2));
  EXPECT_EQ(sent(places, kInitial + 1, 100), Where(1, 0));
  EXPECT_EQ(sent(places, kInitial + 101, 100), Where(101, 0));
  EXPECT_EQ(sent(places, kInitial + 1, 100), Where(1, 1));
  EXPECT_EQ(sent(places, kInitial + 101, 100), Where(101, 1));
  EXPECT_EQ(sent(places, kInitial + 1, 100), Where(1, 2));
  EXPECT_EQ(sent(places, kInitial + 201, 100), Where(201, 0));
}

TEST(SegmentPlaces, a_direction_that_is_met_in_its_midst_begins_with_its_first_octet) {
  SegmentPlaces places(5000 - 1);
  EXPECT_EQ(sent(places, 5000, 10), Where(1, 0));
  EXPECT_EQ(sent(places, 5010, 10), Where(11, 0));
}

TEST(SegmentPlaces, a_part_of_what_was_sent_was_sent_before) {
  SegmentPlaces places(0);
  EXPECT_EQ(sent(places, 1, 1000), Where(1, 0));
  EXPECT_EQ(sent(places, 501, 500), Where(501, 1));    // cut anew, for a smaller MSS
  EXPECT_EQ(sent(places, 501, 1000), Where(501, 2));   // and put together with what is new
  EXPECT_EQ(sent(places, 1001, 500), Where(1001, 1));  // which was sent by that
  EXPECT_EQ(sent(places, 1501, 10), Where(1501, 0));
}

TEST(SegmentPlaces, no_two_segments_of_a_direction_have_one_ordinal) {
  SegmentPlaces places(kInitial);
  std::set<uint64_t> ordinals;
  size_t segments = 0;
  for (uint32_t round = 0; round < 5; ++round) {
    for (uint32_t at = 0; at < 3000; at += 1 + round * 7) {
      ordinals.insert(places.sent(kInitial + at, 20).ordinal());
      ++segments;
    }
  }
  EXPECT_EQ(ordinals.size(), segments);
  EXPECT_EQ((SegmentPlaces::Place{.relative = 3, .times_sent = 2}.ordinal()), 3u * 65'536 + 2);
}

TEST(SegmentPlaces, gigabytes_do_not_wrap) {
  SegmentPlaces places(kInitial);
  places.sent(kInitial, 1);
  constexpr uint32_t kSize = 60'000;
  uint64_t relative = 1;
  while (relative < uint64_t{20} << 30) {
    const auto sequence = static_cast<uint32_t>(kInitial + relative);
    ASSERT_EQ(sent(places, sequence, kSize), Where(relative, 0));
    relative += kSize;
  }
  // What is sent again may lie as far back as a window is large (RFC 7323 section 2.3).
  const uint64_t back = relative - (uint64_t{1} << 30);
  EXPECT_EQ(sent(places, static_cast<uint32_t>(kInitial + back), 1), Where(back, 1));
}

TEST(SegmentPlaces, what_lies_before_the_beginning_is_at_the_beginning) {
  SegmentPlaces places(kInitial);
  EXPECT_EQ(places.sent(kInitial - 1, 1).relative, 0u);
  EXPECT_EQ(places.sent(kInitial, 1).relative, 0u);
  EXPECT_EQ(places.sent(kInitial - 70'000, 1).relative, 0u);
}

TEST(SegmentPlaces, of_too_many_repeats_the_lowest_are_forgotten) {
  SegmentPlaces places(0);
  constexpr uint32_t kMax = SegmentPlaces::kRepeatedMax;
  ASSERT_EQ(sent(places, 0, 1 + kMax + 10), Where(0, 0));
  for (uint32_t at = 1; at <= kMax + 1; ++at) ASSERT_EQ(sent(places, at, 1), Where(at, 1));
  EXPECT_EQ(sent(places, kMax + 1, 1), Where(kMax + 1, 2));
  EXPECT_EQ(sent(places, 2, 1), Where(2, 2));
  EXPECT_EQ(sent(places, 1, 1), Where(1, 1));  // forgotten, and now 2 in its place
  EXPECT_EQ(sent(places, 1, 1), Where(1, 2));
  EXPECT_EQ(sent(places, 2, 1), Where(2, 1));
}

}  // namespace
}  // namespace netrig
