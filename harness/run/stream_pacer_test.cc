#include "harness/run/stream_pacer.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

constexpr Instant kNow{1s};

TEST(StreamPacer, WithoutOptionsEverythingGoesOnAtOnce) {
  StreamPacer pacer({}, 1, "a");
  const auto piece = pacer.next(kNow, 100);
  EXPECT_EQ(piece.octets, 100U);
  EXPECT_EQ(piece.due, kNow);
}

TEST(StreamPacer, ChopsIntoPiecesOfTheRangeThatComeApart) {
  StreamPacer pacer({.chop = Range<int64_t>{2, 4}}, 1, "a");
  Instant last = kNow - kChopGap;
  for (size_t left = 1000; left > 0;) {
    const auto piece = pacer.next(kNow, left);
    EXPECT_GE(piece.octets, std::min<size_t>(left, 2));
    EXPECT_LE(piece.octets, 4U);
    EXPECT_EQ(piece.due, last + kChopGap);
    last = piece.due;
    left -= piece.octets;
  }
}

TEST(StreamPacer, TheSamePiecesComeOfTheSameSeedAndStream) {
  const auto sizes = [](uint64_t seed, const char* stream) {
    StreamPacer pacer({.chop = Range<int64_t>{1, 100}}, seed, stream);
    std::vector<size_t> all;
    for (int i = 0; i < 20; ++i) all.push_back(pacer.next(kNow, 1000).octets);
    return all;
  };
  EXPECT_EQ(sizes(1, "a"), sizes(1, "a"));
  EXPECT_NE(sizes(1, "a"), sizes(2, "a"));
  EXPECT_NE(sizes(1, "a"), sizes(1, "b"));
}

TEST(StreamPacer, RateSpacesOctetsExactly) {
  StreamPacer pacer({.rate = 8000}, 1, "a");  // an octet a millisecond
  EXPECT_EQ(pacer.next(kNow, 100).due, kNow + 100ms);
  EXPECT_EQ(pacer.next(kNow, 50).due, kNow + 150ms);
  EXPECT_EQ(pacer.next(kNow + 10s, 1).due, kNow + 10s + 1ms) << "idle time is not saved up";
}

TEST(StreamPacer, DelayKeepsOrder) {
  StreamPacer pacer({.delay = {10ms, 50ms}}, 1, "a");
  Instant last = Instant::min();
  for (int i = 0; i < 100; ++i) {
    const Instant now = kNow + i * 1ms;
    const auto piece = pacer.next(now, 1);
    EXPECT_GE(piece.due, now + 10ms);
    EXPECT_GE(piece.due, last);
    last = piece.due;
  }
}

}  // namespace
}  // namespace netrig
