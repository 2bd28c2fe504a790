#include "harness/expect/expect_testing.h"

namespace netrig::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// ---- delivery and latency

TEST_F(ExpectTest, DeliveryIsToldInTheWordsOfTheExpectation) {
  DeliveryStatistics statistics;
  statistics.direction = "client -> server";
  statistics.sent = 1000;
  statistics.delivered = 801;
  statistics.lost = 199;
  statistics.reordered = 48;
  statistics.lost_ordinals = {3, 4};
  statistics.longest_loss_run = 4;
  delivery = {statistics};
  expects(DeliveryExpectation{
      "client", "server", {{"delivered", count_of(852, 948)}, {"sent", count_of(1000, 1000)}}});
  const Diagnostic finding = only(judge());
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message, "expected 852..948 datagrams delivered, got 801");
  EXPECT_THAT(finding.details,
              ElementsAre("lost 199 of 1000, longest run 4, first #3; reordered 48"));
}

TEST_F(ExpectTest, EveryCountOfADeliveryIsItsOwn) {
  DeliveryStatistics statistics;
  statistics.direction = "client -> server";
  statistics.sent = 1;
  statistics.delivered = 2;
  statistics.lost = 3;
  statistics.reordered = 4;
  statistics.duplicated = 5;
  statistics.corrupted = 6;
  delivery = {statistics};
  DeliveryExpectation right{"client", "server", {}};
  int64_t value = 0;
  for (const char* name : {"sent", "delivered", "lost", "reordered", "duplicated", "corrupted"}) {
    ++value;
    right.counts[name] = count_of(value, value);
  }
  expects(right);
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(ExpectTest, ADirectionThatCarriedNothingHasZeroCounts) {
  delivery.resize(1);
  delivery[0].direction = "server -> client";
  expects(DeliveryExpectation{"client", "server", {{"sent", count_of(0, 0)}}});
  expects(DeliveryExpectation{"client", "server", {{"delivered", count_of(1, 1)}}});
  const Diagnostic finding = only(judge());
  EXPECT_EQ(finding.message, "expected 1 datagram delivered, got 0");
  EXPECT_THAT(finding.details, ElementsAre("no datagram went from client to server; datagrams "
                                           "went: server -> client"));
}

TEST_F(ExpectTest, LatencyIsToldByQuantile) {
  delivery.resize(1);
  delivery[0].direction = "client -> server";
  delivery[0].sent = 3;
  delivery[0].latencies = {15ms, 20ms, 70ms};
  expects(LatencyExpectation{
      "client", "server", {{"p50", {kValue, {15ms, 25ms}}}, {"max", {kValue, {0ms, 60ms}}}}});
  const Diagnostic finding = only(judge());
  EXPECT_EQ(finding.message, "expected a latency of ..60ms (max), got 70ms");
  EXPECT_THAT(finding.details,
              ElementsAre("min 15ms, p50 20ms, p90 70ms, p99 70ms, max 70ms of 3 datagrams"));
}

TEST_F(ExpectTest, LatencyWithoutDatagramsIsAFinding) {
  expects(LatencyExpectation{"client", "server", {{"max", {kValue, {0ms, 60ms}}}}});
  const Diagnostic finding = only(judge());
  EXPECT_EQ(finding.at, kKind);
  EXPECT_EQ(finding.message, "expected datagrams from client to server, none arrived");
}

TEST_F(ExpectTest, FindingsOfOneExpectationComeInTheOrderOfTheFile) {
  // "sent" stands behind "corrupted" in the file, before it in the table.
  DeliveryExpectation wrong{"client", "server", {}};
  wrong.counts["sent"] = {{10, 90, 1}, {1, 1}};
  wrong.counts["corrupted"] = {{10, 50, 1}, {1, 1}};
  expects(wrong);
  const std::vector<Finding> findings = judge();
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_THAT(findings[0].diagnostic.message, HasSubstr("corrupted"));
}

// ---- connections

TEST_F(ExpectTest, ConnectionsOfAllInstancesOfAnActorCountAndNoOthers) {
  scenario.actors = {actor("server"), actor("client"), actor("client-2")};
  scenario.actors[1].count = 20;
  scenario.actors[2].name = "client-extra";
  const auto opens = [&](const std::string& who, uint64_t number, bool accepted) {
    journal.record(who, ConnectionOpened{number, accepted, Transport::kTcp, "", {}, {}});
  };
  opens("client-1", 1, false);
  opens("client-12", 2, false);
  opens("client-extra", 3, false);
  opens("server#1", 4, true);
  opens("server#2", 5, true);
  opens("server", 6, true);
  journal.record("server#1", ConnectionClosed{4, "close"});
  journal.record("server", ConnectionClosed{6, "end of run"});
  expects(ConnectionsExpectation{"client",
                                 {{"connected", count_of(2, 2)}, {"accepted", count_of(0, 0)}}});
  expects(ConnectionsExpectation{"server",
                                 {{"accepted", count_of(3, 3)}, {"open_at_end", count_of(0, 0)}}});
  const Diagnostic finding = only(judge());
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message, "expected 0 connections of server open at the end, got 2");
  EXPECT_THAT(finding.details, ElementsAre("accepted 3, connected 0, open at the end 2"));
}

}  // namespace
}  // namespace netrig::testing
