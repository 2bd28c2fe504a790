// What the sender does about losses, segment by segment.
#include <gtest/gtest.h>

#include "fakes/tcp/sender_testing.h"

namespace netrig::tcp {
namespace {

TEST(SenderLossTest, TheRtoIsTheRoundTripPlus200MillisecondsAndDoubles) {
  SenderConfig config = small_config();
  config.sack = false;  // no tail loss probe
  SenderAlone bench(config);
  EXPECT_EQ(bench.sender.rto(), 220ms);
  const Instant start = bench.now;
  bench.write(kMss);
  EXPECT_EQ(bench.sender.next_deadline(), start + 220ms);
  bench.wait();
  auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].times_sent, 1u);
  EXPECT_EQ(bench.sender.cwnd_segments(), 1u);
  EXPECT_EQ(bench.sender.next_deadline(), start + 220ms + 440ms);
  bench.wait();
  sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].times_sent, 2u);
  EXPECT_EQ(bench.sender.next_deadline(), start + 220ms + 440ms + 880ms);
}

TEST(SenderLossTest, FifteenRetriesGiveUpAfterAbout924Seconds) {
  SenderConfig config = small_config();
  config.sack = false;
  SenderAlone bench(config);
  const Instant start = bench.now;
  bench.write(kMss);
  int timeouts = 0;
  while (bench.wait() == Sender::Expiry::kContinue) {
    ASSERT_EQ(bench.sent().size(), 1u);
    ASSERT_LT(++timeouts, 30);
  }
  // Linux's tcp_model_timeout: 924.6 s after the first retransmission, at the next expiry.
  EXPECT_GE(bench.now - start, 924600ms);
  EXPECT_LT(bench.now - start, 924600ms + 121s);
}

TEST(SenderLossTest, TheUserTimeoutGivesUpEarlier) {
  SenderConfig config = small_config();
  SenderAlone bench(config);
  bench.sender.set_user_timeout(3s);
  bench.write(kMss);
  const Instant start = bench.now;
  for (int i = 0; i < 20 && bench.wait() == Sender::Expiry::kContinue; ++i) bench.sent();
  EXPECT_GE(bench.now - start, 3s);
  EXPECT_LT(bench.now - start, 4s);
}

TEST(SenderLossTest, ATailLossProbeResendsTheLastSegmentAfterTwoRoundTrips) {
  SenderAlone bench;
  bench.write(3 * kMss);
  EXPECT_EQ(bench.sender.next_deadline(), bench.now + 42ms);  // 2 * srtt + 2 ms
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(2 * kMss));
  EXPECT_EQ(sent[0].times_sent, 1u);
  EXPECT_EQ(bench.sender.counters().tail_loss_probes, 1u);
  EXPECT_EQ(bench.sender.counters().retransmitted_segments, 1u);
}

TEST(SenderLossTest, ATailLossProbeKeepsToASmallerMss) {
  SenderAlone bench;
  bench.write(2 * kMss);
  bench.sender.set_mss(400);
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(1800));
  EXPECT_EQ(sent[0].payload.size(), 200u);
}

TEST(SenderLossTest, AProbeOfASingleSegmentWaitsForADelayedAck) {
  SenderAlone bench;
  bench.write(kMss);
  EXPECT_EQ(bench.sender.next_deadline(), bench.now + 220ms);  // the RTO is earlier than 240 ms
}

TEST(SenderLossTest, WithoutSackTheThirdDuplicateRetransmits) {
  SenderConfig config = small_config();
  config.sack = false;
  SenderAlone bench(config);
  bench.write(10 * kMss);
  bench.pass(20ms);
  bench.ack(0);
  bench.ack(0);
  EXPECT_EQ(bench.sent().size(), 0u);
  bench.ack(0);
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(0));
  EXPECT_EQ(bench.sender.congestion_state(), CongestionState::kRecovery);
  EXPECT_EQ(bench.sender.ssthresh_segments(), 5u);
  EXPECT_EQ(bench.sender.counters().duplicate_acks, 3u);
}

TEST(SenderLossTest, WithoutSackAPartialAckRetransmitsTheNextHole) {
  SenderConfig config = small_config();
  config.sack = false;
  SenderAlone bench(config);
  bench.write(10 * kMss);
  bench.pass(20ms);
  for (int i = 0; i < 4; ++i) bench.ack(0);
  bench.sent();
  bench.pass(20ms);
  bench.ack(4 * kMss);  // RFC 6582 3.2
  const auto sent = bench.sent();
  ASSERT_GE(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(4 * kMss));
}

TEST(SenderLossTest, EachOfTheFirstDuplicatesSendsANewSegment) {
  SenderAlone bench;  // RFC 3042
  bench.write(20 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 2 * kMss}});
  EXPECT_EQ(bench.sent().size(), 1u);
  bench.ack(0, {{kMss, 3 * kMss}});
  EXPECT_EQ(bench.sent().size(), 1u);
  EXPECT_EQ(bench.sender.counters().retransmitted_segments, 0u);
}

TEST(SenderLossTest, ThreeSackedSegmentsMakeTheHoleLostAtOnce) {
  SenderAlone bench;
  bench.write(10 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 4 * kMss}});
  const auto sent = bench.sent();
  ASSERT_GE(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(0));
  EXPECT_FALSE(sent[0].ect);
  EXPECT_EQ(bench.sender.congestion_state(), CongestionState::kRecovery);
}

TEST(SenderLossTest, RackWaitsAQuarterOfTheRoundTripForReordering) {
  SenderAlone bench;
  bench.write(3 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 2 * kMss}});
  EXPECT_EQ(bench.sent().size(), 0u);
  EXPECT_EQ(bench.sender.next_deadline(), bench.now + 5ms + 2ms);
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(0));
}

TEST(SenderLossTest, ALostRetransmissionIsSeenBySegmentsSentAfterIt) {
  SenderAlone bench;
  bench.write(30 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 10 * kMss}});  // the first is lost
  const auto first = bench.sent();
  ASSERT_GE(first.size(), 2u);
  EXPECT_EQ(first[0].seq, bench.at(0));
  EXPECT_EQ(first[1].seq, bench.at(10 * kMss));
  bench.pass(20ms);
  bench.ack(0, {{kMss, 11 * kMss}});  // what was sent after the retransmission arrived
  const auto second = bench.sent();
  ASSERT_GE(second.size(), 1u);
  EXPECT_EQ(second[0].seq, bench.at(0));
  EXPECT_EQ(second[0].times_sent, 2u);
  EXPECT_EQ(bench.sender.counters().timeouts, 0u);
}

TEST(SenderLossTest, ADsackForTheRetransmissionUndoesTheReduction) {
  SenderAlone bench;
  bench.write(10 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 4 * kMss}});
  ASSERT_EQ(bench.sent().size(), 1u);
  EXPECT_EQ(bench.sender.ssthresh_segments(), 5u);
  bench.pass(1ms);
  bench.ack(10 * kMss);  // the original was only late
  bench.pass(20ms);
  bench.write(2 * kMss);
  bench.ack(10 * kMss, {{0, kMss}});  // RFC 2883
  EXPECT_EQ(bench.sender.counters().spurious_retransmissions, 1u);
  EXPECT_EQ(bench.sender.counters().undone_recoveries, 1u);
  EXPECT_GE(bench.sender.cwnd_segments(), 10u);
}

TEST(SenderLossTest, ADsackWithinRecoveryUndoesTheReduction) {
  SenderAlone bench;
  bench.write(10 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 4 * kMss}});
  ASSERT_EQ(bench.sent().size(), 1u);
  bench.pass(20ms);
  bench.ack(6 * kMss, {{0, kMss}});
  EXPECT_EQ(bench.sender.counters().undone_recoveries, 1u);
  EXPECT_GE(bench.sender.cwnd_segments(), 10u);
  EXPECT_EQ(bench.sender.congestion_state(), CongestionState::kOpen);
}

TEST(SenderLossTest, ATimeoutIsUndoneWhenOriginalsAreAcknowledged) {
  SenderAlone bench;  // RFC 5682 3.1: F-RTO; the ACKs were only late
  bench.write(10 * kMss);
  bench.wait();  // tail loss probe
  bench.sent();
  bench.wait();
  ASSERT_EQ(bench.sent().size(), 1u);
  ASSERT_EQ(bench.sender.congestion_state(), CongestionState::kLoss);
  bench.ack(2 * kMss);  // the second was never sent again
  EXPECT_EQ(bench.sender.congestion_state(), CongestionState::kOpen);
  EXPECT_GE(bench.sender.cwnd_segments(), 10u);
  EXPECT_EQ(bench.sender.counters().undone_recoveries, 1u);
  for (const auto& sent : bench.sent()) EXPECT_EQ(sent.times_sent, 0u);
}

TEST(SenderLossTest, ATimeoutThatWasRightSendsWhatIsLostInSlowStart) {
  SenderAlone bench;
  bench.write(10 * kMss);
  bench.wait();
  bench.sent();
  bench.wait();
  ASSERT_EQ(bench.sent().size(), 1u);
  bench.pass(20ms);
  bench.ack(kMss);  // the retransmission alone
  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].seq, bench.at(kMss));
  EXPECT_EQ(sent[0].times_sent, 1u);
  EXPECT_EQ(bench.sender.ssthresh_segments(), 5u);
}

TEST(SenderLossTest, AnEchoFromBeforeTheRetransmissionUndoesTheReduction) {
  SenderAlone bench;  // RFC 3522: Eifel
  bench.write(10 * kMss);
  const auto original = static_cast<uint32_t>(bench.now.time_since_epoch() / Duration(1ms));
  bench.pass(20ms);
  bench.ack(0, {{kMss, 4 * kMss}});
  ASSERT_EQ(bench.sent().size(), 1u);
  bench.pass(2ms);
  Acknowledgement ack;
  ack.ack = bench.at(10 * kMss);
  ack.window = bench.window_;
  ack.ts_echo = original;
  bench.sender.acknowledge(bench.now, ack);
  EXPECT_EQ(bench.sender.counters().undone_recoveries, 1u);
  EXPECT_GE(bench.sender.cwnd_segments(), 10u);
}

TEST(SenderLossTest, AReceiverThatForgetsWhatItSackedGetsItAgain) {
  SenderAlone bench;  // RFC 2018 section 8
  bench.write(4 * kMss);
  bench.pass(20ms);
  bench.ack(0, {{kMss, 3 * kMss}});
  bench.sent();
  bench.pass(20ms);
  bench.ack(kMss);  // and nothing above it any more
  EXPECT_LE(bench.sender.next_deadline(), bench.now + 20ms);
  bench.wait();
  const auto sent = bench.sent();
  ASSERT_GE(sent.size(), 1u);
  EXPECT_EQ(sent[0].seq, bench.at(kMss));
}

TEST(SenderLossTest, AnOrphanGivesUpEarlier) {
  SenderConfig config = small_config();
  SenderAlone bench(config);
  bench.sender.set_orphan();
  bench.write(kMss);
  const Instant start = bench.now;
  for (int i = 0; i < 30 && bench.wait() == Sender::Expiry::kContinue; ++i) bench.sent();
  EXPECT_GE(bench.now - start, 102s);
  EXPECT_LT(bench.now - start, 300s);
}

}  // namespace
}  // namespace netrig::tcp
