#include "harness/expect/expect_testing.h"

namespace netrig::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// ---- capture

TEST_F(ExpectTest, ACaptureWithTheRightCountHasNoFinding) {
  expects(CaptureExpectation{"syn", count_of(1, 1), std::nullopt});
  expects(CaptureExpectation{"data", std::nullopt, count_of(5, 5)});
  expects(CaptureExpectation{"reset", count_of(0, 0), std::nullopt});
  const Wire wire = Wire().handshake().tcp(true, kTcpPsh | kTcpAck, "hello");
  EXPECT_THAT(judge(wire.recording), IsEmpty());
}

TEST_F(ExpectTest, TooManyPacketsAreCountedAndTheFirstFiveListed) {
  expects(CaptureExpectation{"syn", count_of(1, 1), std::nullopt});
  Wire wire;
  for (int i = 0; i < 7; ++i) wire.next_connection().tcp(true, kTcpSyn);
  const Diagnostic finding = only(judge(wire.recording));
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message, "expected 1 'syn' packet captured, got 7");
  ASSERT_THAT(finding.details, SizeIs(6));
  EXPECT_THAT(finding.details[1], StartsWith("#2 +1ms 10.0.0.2:40002 > 10.0.0.1:80 tcp [S]"));
  EXPECT_EQ(finding.details[5], "... 2 more");
}

TEST_F(ExpectTest, AFilterIsNamedWithItsVariablesFilledIn) {
  scenario.packets["web"] = {kKind, Template{{}, {{"tcp port ", ""}, {"", "server.port"}}}};
  scenario.packets["push"] = {kKind, literal("tcp[tcpflags] & tcp-push != 0")};
  expects(CaptureExpectation{"push", std::nullopt, count_of(6, 6)});
  const Wire wire = Wire().handshake().tcp(true, kTcpPsh | kTcpAck, "hello");
  const Diagnostic finding = only(judge(wire.recording));
  EXPECT_EQ(finding.message, "expected 6 octets of payload in 'push' packets, got 5");
  EXPECT_EQ(finding.details.at(0), "filter: tcp[tcpflags] & tcp-push != 0");

  // Without a run nothing is known of ports.
  scenario.expectations.clear();
  expects(CaptureExpectation{"web", count_of(4, 4), std::nullopt});
  EXPECT_EQ(only(judge(wire.recording)).message, "'${server.port}' has no value");
}

TEST_F(ExpectTest, NoPacketAtAllIsSaidAgainstAllThatWereCaptured) {
  expects(CaptureExpectation{"reset", count_of(1, 2), std::nullopt});
  const Diagnostic finding = only(judge(Wire().handshake().recording));
  EXPECT_EQ(finding.message, "expected 1..2 'reset' packets captured, got 0");
  EXPECT_THAT(finding.details, ElementsAre("none of 3 packets is one"));
}

TEST_F(ExpectTest, ARunWithoutACaptureFailsWhatNeedsOne) {
  expects(CaptureExpectation{"syn", count_of(0, 0), std::nullopt});
  expects(OrderExpectation{{"syn"}, {kValue}});
  expects(TimeExpectation{"syn", "syn_ack", {kValue, {}}});
  expects(StreamExpectation{"client", "server", 1, {}});
  const std::vector<Finding> findings = judge();
  ASSERT_THAT(findings, SizeIs(4));
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.diagnostic.at, kKind);
    EXPECT_EQ(finding.diagnostic.message, "the run has no capture");
  }
}

TEST_F(ExpectTest, ARunsCaptureIsReadFromItsFile) {
  scenario.packets["web"] = {kKind, Template{{}, {{"tcp port ", ""}, {"", "server.port"}}}};
  expects(CaptureExpectation{"web", count_of(3, 3), std::nullopt});
  expects(CaptureExpectation{"syn", count_of(2, 2), std::nullopt});
  capture_path = ::testing::TempDir() + "netrig_expect_test.pcapng";
  PcapngWriter writer(Fd(::open(capture_path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600)), "test");
  writer.add_interface("lo");
  const Wire wire = Wire().handshake();
  for (const CapturedPacket& packet : wire.recording.packets) writer.write(packet);
  ASSERT_TRUE(writer.close());
  EXPECT_EQ(only(judge()).message, "expected 2 'syn' packets captured, got 1");
  ::unlink(capture_path.c_str());
  EXPECT_THAT(only({judge().at(0)}).message, StartsWith("the capture cannot be read: "));
}

// ---- order

TEST_F(ExpectTest, AnOrderWithOthersBetweenHolds) {
  expects(OrderExpectation{{"syn", "data", "data", "fin"}, {}});
  const Wire wire = Wire()
                        .handshake()
                        .tcp(true, kTcpAck, "a")
                        .tcp(false, kTcpAck)
                        .tcp(true, kTcpAck, "b")
                        .tcp(true, kTcpFin | kTcpAck);
  EXPECT_THAT(judge(wire.recording), IsEmpty());
}

TEST_F(ExpectTest, ABrokenOrderShowsWhatWasSeenAndWhereItBroke) {
  Location second = kValue;
  second.column += 7;
  expects(OrderExpectation{{"fin", "data"}, {kValue, second}});
  const Wire wire = Wire().handshake().tcp(true, kTcpAck, "a").tcp(true, kTcpFin | kTcpAck);
  const Diagnostic finding = only(judge(wire.recording));
  EXPECT_EQ(finding.at, second);
  EXPECT_EQ(finding.message, "expected a 'data' packet after 'fin' (number 2 of 2), got none");
  ASSERT_THAT(finding.details, SizeIs(6));
  EXPECT_EQ(finding.details[0], "expected  fin, data");
  EXPECT_EQ(finding.details[1], "got       data, fin");
  EXPECT_THAT(finding.details[3], StartsWith("  #5 +4ms "));
  EXPECT_THAT(finding.details[5], StartsWith("  #4 +3ms "));
}

TEST_F(ExpectTest, OnePacketCountsOnceInAnOrder) {
  expects(OrderExpectation{{"syn", "syn"}, {kKind, kValue}});
  const Diagnostic finding = only(judge(Wire().handshake().recording));
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message, "expected a 'syn' packet after 'syn' (number 2 of 2), got none");
}

TEST_F(ExpectTest, AnOrderInAnEmptyRecordingIsAFindingNotACrash) {
  expects(OrderExpectation{{"syn", "fin"}, {kValue, kKind}});
  const Diagnostic finding = only(judge(Recording{}));
  EXPECT_EQ(finding.message, "expected a 'syn' packet, got none");
  EXPECT_THAT(finding.details,
              ElementsAre("expected  syn, fin", "got       none of these packets"));
}

// ---- time

TEST_F(ExpectTest, TheTimeRunsFromTheFirstPacketToTheNextOfTheOtherKind) {
  // A data packet before the syn must not count: 3 ms after the syn there is another.
  expects(TimeExpectation{"syn_ack", "data", {kValue, {3ms, 3ms}}});
  Wire wire;
  wire.tcp(true, kTcpAck, "early").handshake().passes(1ms).tcp(true, kTcpAck, "x");
  EXPECT_THAT(judge(wire.recording), IsEmpty());
}

TEST_F(ExpectTest, AWrongTimeShowsBothPackets) {
  expects(TimeExpectation{"syn", "syn_ack", {kValue, {0ms, 500us}}});
  const Diagnostic finding = only(judge(Wire().handshake().recording));
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message, "expected ..500us from 'syn' to 'syn_ack', got 1ms");
  EXPECT_THAT(finding.details, ElementsAre(StartsWith("#1 +0s "), StartsWith("#2 +1ms ")));
}

TEST_F(ExpectTest, AMissingEndOfATimeIsSaid) {
  expects(TimeExpectation{"reset", "syn", {kValue, {0ms, 1s}}});
  expects(TimeExpectation{"syn", "reset", {kValue, {0ms, 1s}}});
  const std::vector<Finding> findings = judge(Wire().handshake().recording);
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].diagnostic.message, "expected a 'reset' packet, got none");
  EXPECT_EQ(findings[1].diagnostic.message,
            "expected a 'reset' packet after the first 'syn', got none");
}

// ---- without a run

TEST_F(ExpectTest, WhatNeedsARunIsRefusedForARecording) {
  expects(DeliveryExpectation{"client", "server", {}});
  expects(ConnectionsExpectation{"client", {}});
  const std::vector<Finding> findings = judge(Recording{});
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].diagnostic.message, "'delivery' cannot be checked without a run");
  EXPECT_EQ(findings[1].diagnostic.message, "'connections' cannot be checked without a run");
}

}  // namespace
}  // namespace netrig::testing
