#include "fakes/tcp/segment.h"

#include <gtest/gtest.h>

namespace netrig::tcp {
namespace {

Bytes octets(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

Segment parse(const Bytes& options) {
  TcpHeader header;
  header.flags = kTcpSyn;
  header.options = options;
  return from_header(header, {});
}

TEST(Segment, SynOptionsStandInLinuxOrder) {
  Segment syn;
  syn.mss = 1460;
  syn.sack_permitted = true;
  syn.timestamps = {1, 2};
  syn.window_scale = 7;
  EXPECT_EQ(to_header(syn).options,
            octets({2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7}));
  EXPECT_EQ(options_size(syn), 20u);
  syn.timestamps.reset();
  EXPECT_EQ(to_header(syn).options, octets({2, 4, 5, 0xB4, 1, 1, 4, 2, 1, 3, 3, 7}));
  EXPECT_EQ(options_size(syn), 12u);
}

TEST(Segment, SackBlocksFillWhatTimestampsLeave) {
  Segment ack;
  ack.timestamps = {1, 2};
  ack.sack_count = 4;
  for (uint32_t i = 0; i < 4; ++i) ack.sacks[i] = {SeqNum(i), SeqNum(i + 1)};
  EXPECT_EQ(options_size(ack), 40u);  // three blocks
  EXPECT_EQ(to_header(ack).options.size(), 40u);
  const Segment back = from_header(to_header(ack), {});
  EXPECT_EQ(back.sack_count, 3);
  EXPECT_EQ(back.sacks[2], ack.sacks[2]);
  EXPECT_EQ(back.timestamps->echo, 2u);
}

TEST(Segment, WhatIsWrittenIsRead) {
  Segment segment;
  segment.source_port = 1;
  segment.destination_port = 2;
  segment.seq = SeqNum(0xFFFFFFFE);
  segment.ack = SeqNum(7);
  segment.flags = kTcpSyn | kTcpEce;
  segment.window = 65535;
  segment.urgent_pointer = 3;
  segment.mss = 536;
  segment.window_scale = 14;
  const Segment back = from_header(to_header(segment), {});
  EXPECT_EQ(back.seq, segment.seq);
  EXPECT_EQ(back.flags, segment.flags);
  EXPECT_EQ(back.mss, segment.mss);
  EXPECT_EQ(back.window_scale, segment.window_scale);
  EXPECT_FALSE(back.timestamps);
  EXPECT_FALSE(back.sack_permitted);
}

TEST(Segment, ALyingOptionEndsTheParsingAndKeepsWhatCameBefore) {
  for (const Bytes& lie :
       {octets({8, 0}), octets({8, 1}), octets({8, 11, 0}), octets({8}), octets({3, 200, 1})}) {
    const Segment segment = parse(octets({2, 4, 1, 0}) + lie + octets({4, 2}));
    EXPECT_EQ(segment.mss, 256) << lie.size();
    EXPECT_FALSE(segment.timestamps);
  }
  // A known option of a wrong size is skipped, as an unknown one is.
  const Segment segment = parse(octets({2, 3, 1, 99, 4, 1, 1, 4, 2}));
  EXPECT_FALSE(segment.mss);
  EXPECT_TRUE(segment.sack_permitted);
  EXPECT_FALSE(parse(octets({0, 4, 2})).sack_permitted);  // the end of the list
  EXPECT_EQ(parse(octets({5, 9, 0, 0, 0, 0, 0, 0, 0})).sack_count, 0);
}

TEST(Segment, SackBlocksBeyondFourAreNotLookedAt) {
  Bytes options = octets({5, 42});
  options += Bytes(40, '\1');
  EXPECT_EQ(parse(options).sack_count, 4);
}

}  // namespace
}  // namespace netrig::tcp
