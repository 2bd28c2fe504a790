#include "fakes/tcp/scoreboard.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace netrig::tcp {
namespace {

class ScoreboardTest : public testing::Test {
 protected:
  // Segments of ten octets at 1, 11, 21, ... sent a millisecond apart.
  ScoreboardTest() {
    for (int i = 0; i < 5; ++i) {
      SentSegment segment;
      segment.start = 1 + static_cast<uint64_t>(i) * 10;
      segment.payload = pool.copy("0123456789");
      segment.sent_at = Instant(1ms * i);
      board.push(std::move(segment));
    }
  }
  std::vector<uint64_t> order() const {
    std::vector<uint64_t> ids;
    for (uint64_t id = board.oldest(); id != 0; id = board.at(id).next) ids.push_back(id);
    return ids;
  }

  BytePool pool;
  Scoreboard board;
};

TEST_F(ScoreboardTest, ASegmentIsFoundByAnyOfItsOctets) {
  EXPECT_EQ(board.find(1), 1u);
  EXPECT_EQ(board.find(10), 1u);
  EXPECT_EQ(board.find(11), 2u);
  EXPECT_EQ(board.find(51), board.end_id());
}

TEST_F(ScoreboardTest, CountsFollowASegmentThroughLossAndRepair) {
  EXPECT_EQ(board.in_flight(), 5u);
  board.mark_lost(2);
  EXPECT_EQ(board.in_flight(), 4u);
  EXPECT_EQ(board.next_lost(), 2u);
  board.mark_retransmitted(2, Instant(10ms));
  EXPECT_EQ(board.in_flight(), 5u);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 3, 4, 5, 2}));
  board.mark_lost(2);  // the retransmission as well
  EXPECT_EQ(board.in_flight(), 4u);
  EXPECT_EQ(board.lost_out(), 1u);
  EXPECT_EQ(board.lost_ever(), 2u);
  board.mark_retransmitted(2, Instant(20ms));
  board.mark_sacked(2);
  EXPECT_EQ(board.in_flight(), 4u);
  EXPECT_EQ(board.lost_out() + board.retransmitted_out(), 0u);
  for (int i = 0; i < 5; ++i) board.pop_head();
  EXPECT_EQ(board.in_flight() + board.sacked_out() + board.lost_waiting(), 0u);
  EXPECT_EQ(board.oldest(), 0u);
}

TEST_F(ScoreboardTest, TheLowestLostSegmentIsNextWhateverTheOrderOfTheMarks) {
  board.mark_lost(4);
  board.mark_lost(2);
  EXPECT_EQ(board.next_lost(), 2u);
  board.mark_retransmitted(2, Instant(10ms));
  EXPECT_EQ(board.next_lost(), 4u);
}

TEST_F(ScoreboardTest, ForgottenLossesReturnToTheirPlaceInTheOrder) {
  board.mark_lost(1);
  board.mark_lost(3);
  board.mark_retransmitted(1, Instant(10ms));
  board.forget_losses();
  EXPECT_EQ(order(), (std::vector<uint64_t>{2, 3, 4, 5, 1}));
  EXPECT_EQ(board.lost_out() + board.lost_waiting(), 0u);
}

TEST_F(ScoreboardTest, ASplitSegmentKeepsItsMarksInBothParts) {
  board.mark_lost(2);
  board.mark_retransmitted(2, Instant(10ms));
  board.split(2, 4);
  EXPECT_EQ(board.packets_out(), 6u);
  EXPECT_EQ(board.lost_out(), 2u);
  EXPECT_EQ(board.retransmitted_out(), 2u);
  EXPECT_EQ(board.at(2).end(), 15u);
  EXPECT_EQ(board.at(3).start, 15u);
  EXPECT_EQ(board.at(3).payload.view(), "456789");
  EXPECT_EQ(board.at(4).start, 21u);
  EXPECT_EQ(order(), (std::vector<uint64_t>{1, 4, 5, 6, 2, 3}));
}

}  // namespace
}  // namespace netrig::tcp
