#include "harness/capture/stream.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "harness/capture/capture_testing.h"

namespace netrig {
namespace {

using testing::recording_of;
using testing::Segment;

constexpr uint32_t kClientStart = 0xfffffff0;  // sequence numbers wrap around after 16
constexpr uint32_t kServerStart = 7000;

std::vector<Segment> handshake() {
  return {{true, kClientStart, 0, kTcpSyn},
          {false, kServerStart, kClientStart + 1, kTcpSyn | kTcpAck},
          {true, kClientStart + 1, kServerStart + 1, kTcpAck}};
}

// `offset` counts the octets of the stream.
Segment from_client(uint32_t offset, Bytes payload, uint8_t flags = kTcpAck) {
  return {true, kClientStart + 1 + offset, kServerStart + 1, flags, std::move(payload)};
}
Segment from_server(uint32_t offset, Bytes payload, uint8_t flags = kTcpAck,
                    uint32_t acknowledged = 0) {
  return {false, kServerStart + 1 + offset, kClientStart + 1 + acknowledged, flags,
          std::move(payload)};
}

Conversation only(const std::vector<Segment>& segments) {
  auto conversations = reassemble(recording_of(segments));
  EXPECT_EQ(conversations.size(), 1U);
  return conversations.empty() ? Conversation{} : conversations[0];
}

TEST(Reassemble, PutsBothDirectionsOfAWholeConversationTogether) {
  auto segments = handshake();
  segments.push_back(from_client(0, "Hello from client!"));
  segments.push_back(from_server(0, "Hello from server!", kTcpAck, 18));
  segments.push_back(from_client(18, "", kTcpFin | kTcpAck));
  segments.push_back(from_server(18, "", kTcpFin | kTcpAck, 19));
  const Conversation conversation = only(segments);
  EXPECT_EQ(conversation.client.to_string(), "10.0.0.1:40000");
  EXPECT_EQ(conversation.server.to_string(), "10.0.0.2:80");
  EXPECT_TRUE(conversation.start_seen);
  EXPECT_EQ(conversation.packets.size(), 7U);
  for (const StreamDirection& direction : {conversation.from_client, conversation.from_server}) {
    EXPECT_TRUE(direction.finished);
    EXPECT_FALSE(direction.gap);
    EXPECT_FALSE(direction.reset);
  }
  EXPECT_EQ(conversation.from_client.octets, "Hello from client!");
  EXPECT_EQ(conversation.from_server.octets, "Hello from server!");
}

TEST(Reassemble, GivesTheSameOctetsInWhateverOrderSegmentsComeAndHoweverOften) {
  Bytes text;
  for (int i = 0; i < 500; ++i) text += std::to_string(i) + ",";
  std::vector<Segment> data;
  for (uint32_t offset = 0; offset < text.size(); offset += 37) {
    data.push_back(from_client(offset, text.substr(offset, 37)));
    if (offset % 3 == 0) data.push_back(from_client(offset, text.substr(offset, 50)));
    if (offset % 5 == 0 && offset > 20)
      data.push_back(from_client(offset - 20, text.substr(offset - 20, 60)));
  }
  data.push_back(from_client(static_cast<uint32_t>(text.size()), "", kTcpFin | kTcpAck));
  std::minstd_rand random(1);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(data.begin(), data.end(), random);
    auto segments = handshake();
    segments.insert(segments.end(), data.begin(), data.end());
    if (round % 2 == 1) std::rotate(segments.begin(), segments.begin() + 3, segments.begin() + 4);
    const Conversation conversation = only(segments);
    ASSERT_EQ(conversation.from_client.octets, text) << round;
    ASSERT_TRUE(conversation.from_client.finished);
    ASSERT_FALSE(conversation.from_client.gap);
  }
}

TEST(Reassemble, LetsTheFirstWriteWin) {
  auto segments = handshake();
  segments.push_back(from_client(2, "cd"));
  segments.push_back(from_client(0, "XXXXXX"));
  segments.push_back(from_client(1, "YYYYYYYY"));
  EXPECT_EQ(only(segments).from_client.octets, "XXcdXXYYY");
}

TEST(Reassemble, StopsAtAGapAndSaysSo) {
  auto segments = handshake();
  segments.push_back(from_client(0, "before"));
  segments.push_back(from_client(10, "after"));
  Conversation conversation = only(segments);
  EXPECT_EQ(conversation.from_client.octets, "before");
  EXPECT_TRUE(conversation.from_client.gap);
  EXPECT_FALSE(conversation.from_client.finished);
  segments.push_back(from_client(6, "----"));
  conversation = only(segments);
  EXPECT_EQ(conversation.from_client.octets, "before----after");
  EXPECT_FALSE(conversation.from_client.gap);
}

TEST(Reassemble, FindsAGapThatOnlyAFinAnAcknowledgementOrACutPacketShows) {
  auto fin = handshake();
  fin.push_back(from_client(0, "text"));
  fin.push_back(from_client(9, "", kTcpFin | kTcpAck));
  EXPECT_TRUE(only(fin).from_client.gap);
  EXPECT_FALSE(only(fin).from_client.finished);

  auto acknowledged = handshake();
  acknowledged.push_back(from_client(0, "text"));
  acknowledged.push_back(from_server(0, "", kTcpAck, 4));
  EXPECT_FALSE(only(acknowledged).from_client.gap);
  acknowledged.push_back(from_server(0, "", kTcpAck, 9));
  EXPECT_TRUE(only(acknowledged).from_client.gap);

  auto segments = handshake();
  segments.push_back(from_client(0, "text"));
  Recording cut = recording_of(segments);
  cut.packets.back().data.pop_back();
  const auto conversations = reassemble(cut);
  EXPECT_EQ(conversations.at(0).from_client.octets, "tex");
  EXPECT_TRUE(conversations.at(0).from_client.gap);
}

TEST(Reassemble, TakesAFinForAPositionAndNotForAnEvent) {
  auto segments = handshake();
  segments.push_back(from_client(4, "", kTcpFin | kTcpAck));
  segments.push_back(from_client(0, "text"));  // after it in time, before it in the stream
  Conversation conversation = only(segments);
  EXPECT_EQ(conversation.from_client.octets, "text");
  EXPECT_TRUE(conversation.from_client.finished);
  segments.push_back(from_client(4, "beyond"));
  conversation = only(segments);
  EXPECT_EQ(conversation.from_client.octets, "text");
  EXPECT_FALSE(conversation.from_client.gap);
}

TEST(Reassemble, TellsAResetAndIgnoresWhatItCarries) {
  auto segments = handshake();
  segments.push_back(from_client(0, "text"));
  segments.push_back(from_server(0, "no stream data", kTcpRst | kTcpAck, 4));
  const Conversation conversation = only(segments);
  EXPECT_TRUE(conversation.from_server.reset);
  EXPECT_FALSE(conversation.from_client.reset);
  EXPECT_EQ(conversation.from_server.octets, "");
  EXPECT_FALSE(conversation.from_server.gap);
}

TEST(Reassemble, SplitsReusedPortsAtTheNewSyn) {
  auto segments = handshake();
  segments.push_back(from_client(0, "first"));
  segments.push_back({true, kClientStart, 0, kTcpSyn});  // only the old SYN again
  segments.push_back({true, 99, 0, kTcpSyn});
  segments.push_back({false, 300, 100, kTcpSyn | kTcpAck});
  segments.push_back({true, 100, 301, kTcpAck, "second"});
  const auto conversations = reassemble(recording_of(segments));
  ASSERT_EQ(conversations.size(), 2U);
  EXPECT_EQ(conversations[0].from_client.octets, "first");
  EXPECT_EQ(conversations[0].packets.size(), 5U);
  EXPECT_EQ(conversations[1].from_client.octets, "second");
  EXPECT_EQ(conversations[1].packets, (std::vector<size_t>{5, 6, 7}));
}

TEST(Reassemble, JoinsAConversationInTheMiddleAndSaysSo) {
  const Conversation conversation =
      only({from_server(5, "world"), from_server(0, "hello"), from_client(0, "x")});
  EXPECT_FALSE(conversation.start_seen);
  EXPECT_EQ(conversation.client.to_string(), "10.0.0.2:80");  // who was seen first
  EXPECT_EQ(conversation.from_client.octets, "helloworld");
  EXPECT_EQ(conversation.from_server.octets, "x");
}

TEST(Reassemble, KnowsTheClientFromASynAckAlone) {
  auto segments = handshake();
  segments.erase(segments.begin());
  segments.push_back(from_client(3, "lost the start"));
  const Conversation conversation = only(segments);
  EXPECT_EQ(conversation.client.to_string(), "10.0.0.1:40000");
  EXPECT_TRUE(conversation.from_client.gap);
  EXPECT_EQ(conversation.from_client.octets, "");
}

TEST(Reassemble, KeepsAKeepAlivesMadeUpOctetOut) {
  auto segments = handshake();
  segments.push_back({true, kClientStart, kServerStart + 1, kTcpAck, "?"});
  segments.push_back(from_client(0, "text"));
  segments.push_back(from_client(3, "?"));
  EXPECT_EQ(only(segments).from_client.octets, "text");
}

TEST(Reassemble, FollowsAStreamPastFourGigabytesOfSequenceNumbers) {
  // Nine steps of half the sequence space: only positions of 64 bits tell the second lap from the
  // first.
  auto segments = handshake();
  uint32_t sequence = kClientStart + 1;
  for (int i = 0; i < 9; ++i) {
    segments.push_back({true, sequence, kServerStart + 1, kTcpAck, "x"});
    sequence += 0x7fffff00;
  }
  const Conversation conversation = only(segments);
  EXPECT_EQ(conversation.from_client.octets, "x");
  EXPECT_TRUE(conversation.from_client.gap);
}

TEST(Reassemble, KeepsConversationsApartAndInTheOrderOfTheirFirstPacket) {
  std::vector<Segment> segments;
  for (uint16_t port : {40003, 40001, 40002}) {
    segments.push_back({true, 5, 0, kTcpSyn, {}, port == 40001, port});
  }
  for (uint16_t port : {40001, 40002, 40003}) {
    segments.push_back({true, 6, 1, kTcpAck, std::to_string(port), port == 40001, port});
  }
  const auto conversations = reassemble(recording_of(segments));
  ASSERT_EQ(conversations.size(), 3U);
  EXPECT_EQ(conversations[0].from_client.octets, "40003");
  EXPECT_EQ(conversations[1].from_client.octets, "40001");
  EXPECT_EQ(conversations[1].client.to_string(), "[fd00::1]:40001");
  EXPECT_EQ(conversations[2].from_client.octets, "40002");
}

}  // namespace
}  // namespace netrig
