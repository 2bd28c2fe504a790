#include "harness/run/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kDirection = "client -> server";

Instant at(int64_t milliseconds) {
  return Instant{std::chrono::milliseconds(milliseconds)};
}

class DeliveryTest : public testing::Test {
 protected:
  void sends(uint64_t ordinal, const std::string& flow = "udp|server:53|1",
             const std::string& direction = kDirection) {
    FateRecord fate;
    fate.packet = {direction, flow, ordinal};
    journal.on_fate(fate);
  }
  // Sent at 0, arrived at the time given.
  void arrives(uint64_t ordinal, int64_t milliseconds, uint32_t copy = 0, bool corrupted = false,
               const std::string& flow = "udp|server:53|1") {
    ArrivalRecord arrival;
    arrival.packet = {kDirection, flow, ordinal};
    arrival.copy = copy;
    arrival.corrupted = corrupted;
    arrival.sent_at = at(0);
    arrival.arrived_at = at(milliseconds);
    journal.on_arrival(arrival);
  }
  DeliveryStatistics only() {
    std::vector<DeliveryStatistics> all = delivery_statistics(journal);
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? DeliveryStatistics{} : all[0];
  }
  Journal journal{[] { return Instant{}; }, nullptr};
};

TEST_F(DeliveryTest, ARunWithoutDatagramsHasNoDirection) {
  EXPECT_THAT(delivery_statistics(journal), IsEmpty());
}

TEST_F(DeliveryTest, SegmentsOfTcpAreNoDatagrams) {
  sends(65536, "tcp|server:80|1");
  EXPECT_THAT(delivery_statistics(journal), IsEmpty());
  sends(1);
  sends(1, "tcp|server:80|1|ack");
  arrives(1, 5);
  EXPECT_EQ(only().sent, 1U);
  EXPECT_EQ(only().lost, 0U);
}

TEST_F(DeliveryTest, LostIsWhatWasSentAndNeverCame) {
  for (uint64_t ordinal = 1; ordinal <= 7; ++ordinal) sends(ordinal);
  for (uint64_t ordinal : {1, 4, 6}) arrives(ordinal, 10);
  const DeliveryStatistics statistics = only();
  EXPECT_EQ(statistics.direction, kDirection);
  EXPECT_EQ(statistics.sent, 7U);
  EXPECT_EQ(statistics.delivered, 3U);
  EXPECT_EQ(statistics.lost, 4U);
  EXPECT_THAT(statistics.lost_ordinals, ElementsAre(2, 3, 5, 7));
  EXPECT_EQ(statistics.longest_loss_run, 2U);
}

TEST_F(DeliveryTest, LostOrdinalsCountAllFlowsOfTheDirectionTogether) {
  // Two flows, one datagram each in turn: the second flow's are positions 2 and 4.
  sends(1, "udp|server:53|1");
  sends(1, "udp|server:53|2");
  sends(2, "udp|server:53|1");
  sends(2, "udp|server:53|2");
  arrives(1, 1);
  arrives(2, 2);
  EXPECT_THAT(only().lost_ordinals, ElementsAre(2, 4));
}

TEST_F(DeliveryTest, ReorderedIsWhatComesAfterALaterDatagramOfItsFlow) {
  // RFC 4737: of 1 4 2 3 5, 2 and 3 are reordered; 4 is not.
  for (uint64_t ordinal = 1; ordinal <= 5; ++ordinal) sends(ordinal);
  int64_t time = 0;
  for (uint64_t ordinal : {1, 4, 2, 3, 5}) arrives(ordinal, ++time);
  EXPECT_EQ(only().reordered, 2U);
}

TEST_F(DeliveryTest, FlowsDoNotReorderEachOther) {
  sends(1, "udp|server:53|1");
  sends(2, "udp|server:53|1");
  sends(1, "udp|server:53|2");
  arrives(2, 1);
  arrives(1, 2, 0, false, "udp|server:53|2");
  EXPECT_EQ(only().reordered, 0U);
}

TEST_F(DeliveryTest, DatagramsLeftUnreadCountInTheOrderOfTheirArrival) {
  // 1 arrived first but was found unread at the end, after 2 had been read by another socket.
  sends(1);
  sends(2);
  arrives(2, 20);
  arrives(1, 10);
  const DeliveryStatistics statistics = only();
  EXPECT_EQ(statistics.reordered, 0U);
  EXPECT_EQ(statistics.delivered, 2U);
}

TEST_F(DeliveryTest, ASecondCopyIsADuplicateAndNeitherReorderedNorDelivered) {
  sends(1);
  sends(2);
  arrives(1, 1);
  arrives(2, 2);
  arrives(1, 3, 1);
  const DeliveryStatistics statistics = only();
  EXPECT_EQ(statistics.delivered, 2U);
  EXPECT_EQ(statistics.duplicated, 1U);
  EXPECT_EQ(statistics.reordered, 0U);
  EXPECT_THAT(statistics.latencies, ElementsAre(1ms, 2ms));
}

TEST_F(DeliveryTest, ADatagramIsCorruptedIfAnyCopyIs) {
  for (uint64_t ordinal = 1; ordinal <= 3; ++ordinal) sends(ordinal);
  arrives(1, 1, 0, true);
  arrives(2, 2, 1, false);
  arrives(2, 3, 0, true);
  arrives(3, 4);
  EXPECT_EQ(only().corrupted, 2U);
}

TEST_F(DeliveryTest, LatenciesAreSorted) {
  for (uint64_t ordinal = 1; ordinal <= 3; ++ordinal) sends(ordinal);
  arrives(2, 5);
  arrives(1, 30);
  arrives(3, 40);
  EXPECT_THAT(only().latencies, ElementsAre(5ms, 30ms, 40ms));
}

TEST_F(DeliveryTest, DirectionsComeInTheOrderOfTheirFirstDatagram) {
  sends(1, "udp|z:1|1", "b -> z");
  sends(1, "udp|a:1|1", "z -> a");
  sends(2, "udp|z:1|1", "b -> z");
  const std::vector<DeliveryStatistics> all = delivery_statistics(journal);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].direction, "b -> z");
  EXPECT_EQ(all[0].sent, 2U);
  EXPECT_EQ(all[1].direction, "z -> a");
}

TEST(LatencyQuantiles, AreTakenByNearestRank) {
  std::vector<Duration> values;
  for (int i = 1; i <= 200; ++i) values.push_back(std::chrono::milliseconds(i));
  const std::map<std::string, Duration> quantiles = latency_quantiles(values);
  EXPECT_EQ(quantiles.at("min"), 1ms);
  EXPECT_EQ(quantiles.at("p50"), 100ms);
  EXPECT_EQ(quantiles.at("p90"), 180ms);
  EXPECT_EQ(quantiles.at("p99"), 198ms);
  EXPECT_EQ(quantiles.at("max"), 200ms);
}

TEST(LatencyQuantiles, OfOneValueAreThatValueAndOfNoneNothing) {
  EXPECT_EQ(latency_quantiles({7ms}).at("p50"), 7ms);
  EXPECT_EQ(latency_quantiles({7ms}).at("p99"), 7ms);
  EXPECT_THAT(latency_quantiles({}), IsEmpty());
}

}  // namespace
}  // namespace netrig
