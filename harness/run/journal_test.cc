#include "harness/run/journal.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace netrig {
namespace {

std::string json_of(std::string actor, decltype(Event::what) what) {
  return event_to_json(Event{Instant{1500us}, std::move(actor), std::move(what)});
}

TEST(Journal, KeepsEventsInOrderWithTheirTimesAndHandsEachOn) {
  int64_t clock = 0;
  std::vector<std::string> handed_on;
  Journal journal([&] { return Instant{Duration{++clock}}; },
                  [&](const Event& event) { handed_on.push_back(event.actor); });
  journal.record("client", ActorStarted{});
  journal.on_fate(FateRecord{});
  journal.on_arrival(ArrivalRecord{});
  ASSERT_EQ(journal.events().size(), 3U);
  EXPECT_EQ(journal.events()[0].at, Instant{1ns});
  EXPECT_EQ(journal.events()[2].at, Instant{3ns});
  EXPECT_TRUE(std::holds_alternative<FateRecord>(journal.events()[1].what));
  EXPECT_TRUE(std::holds_alternative<ArrivalRecord>(journal.events()[2].what));
  EXPECT_EQ(handed_on, (std::vector<std::string>{"client", "", ""}));
}

TEST(EventToJson, WritesStepsWithTheirPlaces) {
  EXPECT_EQ(json_of("client", StepStarted{"client.2", {7, 9, 4}}),
            R"({"at_ns":1500000,"actor":"client","event":"step_started","step":"client.2",)"
            R"("line":7,"column":9})");
  EXPECT_EQ(json_of("client", StepEnded{"client.2", {7, 9, 4}, "write", 0, "EAGAIN"}),
            R"({"at_ns":1500000,"actor":"client","event":"step_ended","step":"client.2","line":7,)"
            R"("column":9,"verb":"write","returned":0,"error":"EAGAIN"})");
}

TEST(EventToJson, WritesPayloadAsTextOnlyIfItIsText) {
  Transfer transfer{true, "client.1", {7, 9, 4}, Transport::kTcp, "server", 6, "h\xC3\xA9!\r\n"};
  EXPECT_EQ(json_of("client", transfer),
            R"({"at_ns":1500000,"actor":"client","event":"sent","step":"client.1","line":7,)"
            R"("column":9,"transport":"tcp","peer":"server","octets":6,"preview":"hé!\r\n"})");
  transfer.sent = false;
  transfer.preview = Bytes("\xFF\x00", 2);
  const auto json = nlohmann::json::parse(json_of("client", transfer));
  EXPECT_EQ(json["event"], "received");
  EXPECT_EQ(json["preview_hex"], "ff 00");
  EXPECT_FALSE(json.contains("preview"));
}

TEST(EventToJson, WritesConnections) {
  ConnectionOpened opened{3,
                          true,
                          Transport::kTcp,
                          "client",
                          Endpoint(IpAddress::v4(10, 0, 0, 1), 80),
                          Endpoint(IpAddress::v4(10, 0, 0, 2), 40000)};
  EXPECT_EQ(
      json_of("server#1", opened),
      R"({"at_ns":1500000,"actor":"server#1","event":"accepted","connection":3,)"
      R"("transport":"tcp","peer":"client","local":"10.0.0.1:80","remote":"10.0.0.2:40000"})");
  EXPECT_EQ(
      json_of("server#1", ConnectionClosed{3, "reset"}),
      R"({"at_ns":1500000,"actor":"server#1","event":"closed","connection":3,"how":"reset"})");
}

TEST(EventToJson, WritesFatesAndArrivals) {
  FateRecord fate;
  fate.packet = {"client -> server", "udp|server:53|1", 4};
  fate.fate.dropped = DropCause::kLoss;
  fate.fate.copies = 0;
  fate.size = 6;
  fate.sent_at = Instant{1ms};
  fate.activity = "client step 1 (send)";
  const auto json = nlohmann::json::parse(json_of("", fate));
  EXPECT_EQ(json["event"], "fate");
  EXPECT_EQ(json["direction"], "client -> server");
  EXPECT_EQ(json["flow"], "udp|server:53|1");
  EXPECT_EQ(json["ordinal"], 4);
  EXPECT_EQ(json["fate"], "dropped (loss)");
  EXPECT_EQ(json["sent_ns"], 1'000'000);
  EXPECT_EQ(json["activity"], "client step 1 (send)");
  EXPECT_EQ(json_of("",
                    ArrivalRecord{
                        {"a -> b", "udp|b:1|1", 2}, 1, true, Instant{1ms}, Instant{21ms}, false}),
            R"({"at_ns":1500000,"actor":"","event":"arrival","direction":"a -> b",)"
            R"("flow":"udp|b:1|1","ordinal":2,"copy":1,"corrupted":true,"sent_ns":1000000,)"
            R"("arrived_ns":21000000,"read":false})");
}

TEST(EventToJson, OctetsThatAreNoTextNeverMakeItFail) {
  const std::string json = json_of("client\xFF", ConnectionClosed{1, "\xC3"});
  EXPECT_TRUE(nlohmann::json::accept(json));
}

}  // namespace
}  // namespace netrig
