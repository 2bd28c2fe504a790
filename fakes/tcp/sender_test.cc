#include "fakes/tcp/sender.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "fakes/tcp/packet_memory.h"
#include "fakes/tcp/sender_testing.h"
#include "harness/base/chance.h"

namespace netrig::tcp {
namespace {

TEST(SenderTest, TheFirstFlightIsTenSegments) {
  SenderAlone bench;
  const auto sent = bench.write(20 * kMss);
  ASSERT_EQ(sent.size(), 10u);  // RFC 6928
  EXPECT_EQ(sent[0].seq, bench.at(0));
  EXPECT_EQ(sent[9].seq, bench.at(9 * kMss));
  EXPECT_EQ(sent[9].payload.size(), kMss);
  EXPECT_EQ(sent[9].times_sent, 0u);
}

TEST(SenderTest, SlowStartAddsASegmentForEachAcknowledged) {
  SenderAlone bench;
  bench.write(100 * kMss);
  bench.pass(20ms);
  bench.ack(2 * kMss);
  EXPECT_EQ(bench.sender.cwnd_segments(), 12u);
  EXPECT_EQ(bench.sent().size(), 4u);
}

TEST(SenderTest, PushMarksTheEndOfAWrite) {
  SenderAlone bench;
  const auto sent = bench.write(2 * kMss + 1);
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_FALSE(sent[0].push);
  EXPECT_FALSE(sent[1].push);
  EXPECT_TRUE(sent[2].push);
}

TEST(SenderTest, NagleHoldsASecondShortSegmentUntilTheFirstIsAcknowledged) {
  SenderAlone bench;
  EXPECT_EQ(bench.write(10).size(), 1u);
  EXPECT_EQ(bench.write(10).size(), 0u);
  bench.write(10);
  bench.pass(20ms);
  bench.ack(10);
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].payload.size(), 20u);
}

TEST(SenderTest, NagleLetsAShortSegmentFollowFullOnes) {
  SenderAlone bench;  // Minshall: only another short segment in flight holds it
  EXPECT_EQ(bench.write(2 * kMss + 10).size(), 3u);
  EXPECT_EQ(bench.write(10).size(), 0u);
}

TEST(SenderTest, NodelaySendsShortSegmentsAtOnce) {
  SenderAlone bench;
  bench.sender.set_nodelay(true);
  EXPECT_EQ(bench.write(10).size(), 1u);
  EXPECT_EQ(bench.write(10).size(), 1u);
}

TEST(SenderTest, ACorkHoldsAShortSegmentForTheRtoAtMost) {
  SenderAlone bench;
  bench.sender.set_cork(true);
  EXPECT_EQ(bench.write(kMss + 10).size(), 1u);
  bench.pass(20ms);
  bench.ack(kMss);
  EXPECT_EQ(bench.sent().size(), 0u);
  EXPECT_EQ(bench.sender.next_deadline(), bench.now + bench.sender.rto());
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].payload.size(), 10u);
  EXPECT_TRUE(sent[0].push);
  EXPECT_EQ(bench.sender.counters().zero_window_probes, 0u);
}

TEST(SenderTest, TakingTheCorkOutSendsWhatWaits) {
  SenderAlone bench;
  bench.sender.set_cork(true);
  EXPECT_EQ(bench.write(10).size(), 0u);
  bench.sender.set_cork(false);
  EXPECT_EQ(bench.sent().size(), 1u);
}

TEST(SenderTest, MoreHoldsTheEndUntilAWriteWithoutIt) {
  SenderAlone bench;
  EXPECT_EQ(bench.write(10, true).size(), 0u);
  const auto sent = bench.write(10);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].payload.size(), 20u);
}

TEST(SenderTest, TheFinRidesOnTheLastOctets) {
  SenderAlone bench;
  bench.sender.set_cork(true);
  bench.write(10);
  bench.sender.finish();
  auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].fin);
  sent.clear();
  EXPECT_EQ(bench.sender.snd_nxt(), bench.at(11));
  bench.pass(20ms);
  EXPECT_TRUE(bench.ack(11).fin_acknowledged);
  EXPECT_TRUE(bench.sender.all_acknowledged());
  EXPECT_EQ(bench.sender.next_deadline(), Instant::max());
  EXPECT_EQ(bench.pool.blocks_in_use(), 0u);
}

TEST(SenderTest, TheBufferTakesWhatItHasRoomFor) {
  SenderConfig config = small_config();
  config.buffer_octets = 1500;
  SenderAlone bench(config, 2 * kMss);  // packets of one segment: half the peer's window
  const std::string data(4000, 'x');
  const ByteView view = data;
  EXPECT_EQ(bench.sender.append({&view, 1}, false), 1000u);
  EXPECT_EQ(bench.sender.memory(), 1000 + kPacketOverhead);
  EXPECT_EQ(bench.sender.append({&view, 1}, false), 0u);
  bench.sent();
  bench.pass(20ms);
  EXPECT_TRUE(bench.ack(1000).room_grew);
  EXPECT_EQ(bench.sender.memory(), 0u);
}

TEST(SenderTest, AShutWindowThatNobodyAnswersForEndsTheConnection) {
  SenderAlone bench;
  bench.window_ = 0;
  bench.ack(0);
  EXPECT_EQ(bench.write(kMss).size(), 0u);
  int probes = 0;
  while (bench.wait() == Sender::Expiry::kContinue) {
    ASSERT_EQ(bench.sent().size(), 1u);
    ASSERT_LT(++probes, 30);
  }
  EXPECT_EQ(probes, 15);  // tcp_retries2
}

TEST(SenderTest, AShutWindowIsProbedForEverWhileThePeerAnswers) {
  SenderAlone bench;
  bench.window_ = 0;
  bench.ack(0);
  bench.write(kMss);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(bench.wait(), Sender::Expiry::kContinue);
    ASSERT_EQ(bench.sent().size(), 1u);
    bench.ack(0);
  }
}

TEST(SenderTest, AShutWindowIsProbedWithAnOldNumberAndBackoff) {
  SenderAlone bench(small_config(), 2 * kMss);
  EXPECT_EQ(bench.write(4 * kMss).size(), 2u);
  bench.pass(20ms);
  bench.window_ = 0;
  bench.ack(2 * kMss);
  EXPECT_EQ(bench.sent().size(), 0u);
  EXPECT_TRUE(bench.sender.probing_zero_window());
  const Duration rto = bench.sender.rto();
  Instant expected = bench.now + rto;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.sender.next_deadline(), expected);
    EXPECT_EQ(bench.wait(), Sender::Expiry::kContinue);
    const auto sent = bench.sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].seq, bench.at(2 * kMss - 1));
    EXPECT_TRUE(sent[0].payload.empty());
    EXPECT_EQ(sent[0].times_sent, static_cast<uint32_t>(i));
    expected = bench.now + rto * (2 << i);
  }
  bench.window_ = 2 * kMss;
  EXPECT_TRUE(bench.ack(2 * kMss).window_opened);
  EXPECT_EQ(bench.sent().size(), 2u);
}

TEST(SenderTest, ASmallWindowIsNotFilledWithCrumbs) {
  SenderAlone bench(small_config(), 10 * kMss);
  bench.write(9 * kMss);
  bench.pass(20ms);
  bench.window_ = 500;  // RFC 9293 3.8.6.2.1: less than a segment and than half the largest window
  bench.ack(9 * kMss);
  EXPECT_EQ(bench.write(4 * kMss).size(), 0u);
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);  // the persist timer overrides
  EXPECT_EQ(sent[0].payload.size(), 500u);
}

TEST(SenderTest, AnEcnEchoReducesOnceAndIsAnsweredByCwr) {
  SenderConfig config = small_config();
  config.ecn = true;
  SenderAlone bench(config);
  const auto first = bench.write(40 * kMss);
  EXPECT_TRUE(first[0].ect);
  bench.pass(20ms);
  bench.ack(2 * kMss, {}, true);
  EXPECT_EQ(bench.sender.congestion_state(), CongestionState::kCwr);
  EXPECT_EQ(bench.sender.ssthresh_segments(), 5u);
  bench.ack(6 * kMss, {}, true);
  bench.ack(8 * kMss, {}, true);
  EXPECT_EQ(bench.sender.ssthresh_segments(), 5u);
  const auto sent = bench.sent();
  ASSERT_GE(sent.size(), 1u);
  EXPECT_TRUE(sent[0].cwr);
  for (size_t i = 1; i < sent.size(); ++i) EXPECT_FALSE(sent[i].cwr);
  EXPECT_EQ(bench.sender.counters().retransmitted_segments, 0u);
}

TEST(SenderTest, AShrunkPathMtuSendsLargeSegmentsAgainInPieces) {
  SenderAlone bench;
  bench.write(2 * kMss);
  bench.sender.path_mtu_shrunk(bench.now, 600);
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[0].payload.size(), 600u);
  EXPECT_EQ(sent[1].payload.size(), 400u);
  EXPECT_EQ(sent[1].seq, bench.at(600));
  EXPECT_TRUE(sent[3].push);
  bench.pass(20ms);
  bench.ack(2 * kMss);
  EXPECT_TRUE(bench.sender.all_acknowledged());
}

TEST(SenderTest, TheWindowShrinksAfterSilence) {
  SenderAlone bench;
  bench.write(50 * kMss);
  for (uint32_t done = 10; done <= 50; done += 10) {
    bench.pass(20ms);
    bench.ack(std::min(done, 50u) * kMss);
    bench.sent();
  }
  ASSERT_GT(bench.sender.cwnd_segments(), 20u);
  bench.pass(10s);
  EXPECT_EQ(bench.write(50 * kMss).size(), 10u);  // RFC 5681 4.1
}

TEST(SenderTest, AnAckForWhatWasNeverSentIsIgnored) {
  SenderAlone bench;
  bench.write(kMss);
  bench.ack(5 * kMss);
  EXPECT_EQ(bench.sender.snd_una(), bench.at(0));
}

// Blocks of every kind of nonsense beside ACKs of every kind, and timers: nothing breaks, and what
// is left in flight is always something that was sent.
TEST(SenderTest, RandomAcknowledgementsDoNotBreakIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Chance chance(seed, 1);
    uint64_t drawn = 0;
    const auto draw = [&](uint64_t bound) {
      return chance.below(bound, drawn++, Purpose::kPayload);
    };
    SenderConfig config = small_config();
    config.sack = seed % 4 != 0;
    config.ecn = seed % 3 == 0;
    if (seed % 2 == 0) config.congestion = CongestionKind::kCubic;
    SenderAlone bench(config, 100'000);
    uint64_t acked = 0;
    for (int i = 0; i < 2000; ++i) {
      bench.pass(Duration(draw(3'000'000)));
      if (draw(3) == 0) bench.write(draw(5000) + 1);
      if (draw(200) == 0) bench.sender.path_mtu_shrunk(bench.now, 100 + draw(1000));
      bench.window_ = static_cast<uint32_t>(draw(5) == 0 ? draw(3000) : 100'000);
      const auto flight = static_cast<uint64_t>(bench.sender.snd_nxt() - bench.at(0));
      if (draw(3) == 0) acked = std::min(flight, acked + draw(4000));
      std::vector<std::pair<uint32_t, uint32_t>> blocks;
      for (uint64_t k = draw(5); k > 0; --k) {
        const auto left = static_cast<uint32_t>(acked + draw(20'000) - 2000);
        blocks.emplace_back(left, left + static_cast<uint32_t>(draw(6000)));
      }
      bench.ack(acked - std::min<uint64_t>(acked, draw(10) == 0 ? draw(5000) : 0), blocks,
                draw(10) == 0);
      bench.sent();
      if (bench.sender.next_deadline() <= bench.now) {
        ASSERT_EQ(bench.sender.expire(bench.now), Sender::Expiry::kContinue);
        bench.sent();
      }
      ASSERT_LE(bench.sender.snd_una(), bench.sender.snd_nxt());
    }
  }
}

}  // namespace
}  // namespace netrig::tcp
