// When acknowledgements go and which windows they tell: Linux's delayed ACK and window selection.
#include <gtest/gtest.h>

#include "fakes/tcp/ack_policy.h"
#include "fakes/tcp/receive_queue.h"
#include "fakes/tcp/stack_testing.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kIss = Script::kPeerIss;

// Full segments of 1000 octets from `seq` on; answers how many ACKs came.
size_t feed(Script& script, uint32_t& seq, int count, size_t size = 1000) {
  const std::string data(size, 'd');
  script.sent.clear();
  for (int i = 0; i < count; ++i) {
    script.inject({.seq = seq, .ack = script.iss + 1, .data = data});
    seq += static_cast<uint32_t>(size);
  }
  return script.sent.size();
}

TEST(AckAndWindow, TheFirstSegmentsAreAcknowledgedOneByOneThenEverySecond) {
  Script script;
  Connection& connection = script.passive();
  uint32_t seq = kIss + 1;
  EXPECT_EQ(feed(script, seq, 10), 10u);  // quick-ACK mode
  (void)receive_text(connection, script.now);
  EXPECT_LE(feed(script, seq, 20), 20u);
  (void)receive_text(connection, script.now);
  size_t acks = 0;
  for (int i = 0; i < 20; ++i) {
    feed(script, seq, 2);
    // If the window did not move, the ACK comes when it does: by reading (__tcp_ack_snd_check).
    (void)receive_text(connection, script.now);
    acks += script.sent.size();
  }
  EXPECT_LE(acks, 30u);
  EXPECT_GE(acks, 20u);
}

TEST(AckAndWindow, InAConversationTheAckWaits40Milliseconds) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.flags = kTcpAck | kTcpPsh, .seq = kIss + 1, .ack = script.iss + 1, .data = "a"});
  EXPECT_EQ(script.sent.size(), 1u);  // quick-ACK mode
  ASSERT_TRUE(send_text(connection, script.now, "reply"));
  script.inject({.flags = kTcpAck | kTcpPsh, .seq = kIss + 2, .ack = script.iss + 6, .data = "b"});
  script.sent.clear();
  script.pass(39ms);
  EXPECT_TRUE(script.sent.empty());
  script.pass(1ms);
  ASSERT_EQ(script.sent.size(), 1u);
  EXPECT_EQ(script.next().ack.value(), kIss + 3);
}

TEST(AckAndWindow, QuickAckOffDelaysTheFirstAckToo) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.quickack = false;
  script.passive(options);
  script.inject({.flags = kTcpAck | kTcpPsh, .seq = kIss + 1, .ack = script.iss + 1, .data = "a"});
  EXPECT_TRUE(script.sent.empty());
  script.pass(40ms);
  EXPECT_EQ(script.sent.size(), 1u);
}

TEST(AckAndWindow, TheOfferIsNeverTakenBackAndReopensByReading) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.receive_buffer = 16384;
  options.receive_buffer_fixed = true;
  Connection& connection = script.passive(options);
  uint32_t seq = kIss + 1;
  uint32_t edge = 0;
  uint16_t window = 1;
  for (int i = 0; i < 40 && window > 0; ++i) {
    feed(script, seq, 1, 500);
    script.pass(500ms);
    for (; !script.sent.empty(); script.sent.pop_front()) {
      window = script.sent.front().window;
      const uint32_t now = script.sent.front().ack.value() + window;
      EXPECT_GE(now, edge);
      edge = now;
    }
  }
  EXPECT_EQ(window, 0u);
  const size_t readable = connection.readable_octets();
  EXPECT_LT(readable, 16384u);  // of the buffer, packets take some
  feed(script, seq, 10, 500);   // more than was offered
  EXPECT_EQ(connection.readable_octets(), readable);
  script.sent.clear();
  EXPECT_GT(receive_text(connection, script.now)->size(), 4000u);
  ASSERT_FALSE(script.sent.empty());  // the window update
  EXPECT_GT(script.sent.back().window, 2000);
}

TEST(AckAndWindow, ManyTinySegmentsAreJoined) {
  BytePool pool;
  ReceiveQueue queue(pool);
  SackReport report;
  queue.start(SeqNum(0xFFFFFF00));
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const char octet = static_cast<char>('a' + i % 26);
    expected += octet;
    queue.append(pool.copy({&octet, 1}), false, false, report);
  }
  EXPECT_LT(pool.blocks_in_use(), 200u);
  std::string text(6000, '\0');
  const std::span<char> part(text);
  text.resize(queue.read({&part, 1}, 6000, false));
  EXPECT_EQ(text, expected);
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(AckAndWindow, WhatIsBehindAGapIsBoundedByTheReceiveBuffer) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.receive_buffer = 32768;
  options.receive_buffer_fixed = true;
  script.passive(options);
  // One octet of every two: each would be a piece of its own.
  for (uint32_t i = 1; i < 8000; ++i) {
    script.inject({.seq = kIss + 1 + 2 * i, .ack = script.iss + 1, .data = "x"});
    script.sent.clear();
  }
  EXPECT_LT(script.pool.blocks_in_use(), 100u);
}

TEST(AckAndWindow, EarlyPiecesComeOutInOrderWhateverTheirOrder) {
  // All orders of five pieces, two of them overlapping others.
  const std::string whole = "abcdefghijklmnopqrstuvwxyz";
  std::vector<std::pair<uint32_t, uint32_t>> pieces = {
      {0, 6}, {5, 12}, {12, 20}, {10, 14}, {20, 26}};
  std::sort(pieces.begin(), pieces.end());
  do {
    BytePool pool;
    ReceiveQueue queue(pool);
    SackReport report;
    const SeqNum first(0xFFFFFFF0);
    queue.start(first);
    bool fin_reached = false;
    for (const auto& [from, to] : pieces) {
      const SeqNum seq = first + from;
      SharedBytes payload = pool.copy(std::string_view(whole).substr(from, to - from));
      const bool fin = to == 26;
      if (seq > queue.rcv_nxt()) {
        queue.insert_early(seq, payload, fin, report);
      } else if (seq + (to - from) > queue.rcv_nxt()) {
        const auto known = static_cast<size_t>(queue.rcv_nxt() - seq);
        fin_reached |=
            queue.append(payload.slice(known, payload.size() - known), fin, false, report);
      }
    }
    EXPECT_TRUE(fin_reached);
    EXPECT_FALSE(queue.has_gap());
    std::string text(100, '\0');
    const std::span<char> part(text);
    text.resize(queue.read({&part, 1}, 100, false));
    ASSERT_EQ(text, whole);
    EXPECT_EQ(queue.rcv_nxt(), first + 27);
  } while (std::next_permutation(pieces.begin(), pieces.end()));
}

TEST(AckAndWindow, OptionsSetAgainDoNotUndoAutotuning) {
  Script script;
  ConnectionOptions options = Script::plain();
  Connection& connection = script.passive(options);
  const size_t tuned = connection.options().send_buffer;
  EXPECT_GT(tuned, options.send_buffer);
  options.nodelay = true;
  connection.set_options(script.now, options);
  EXPECT_EQ(connection.options().send_buffer, tuned);
  options.send_buffer = 5000;
  options.send_buffer_fixed = true;
  connection.set_options(script.now, options);
  EXPECT_EQ(connection.options().send_buffer, 5000u);
}

}  // namespace
}  // namespace netrig::tcp
