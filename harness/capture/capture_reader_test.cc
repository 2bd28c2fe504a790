#include "harness/capture/capture_reader.h"

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <zlib.h>

#include "harness/capture/capture_testing.h"
#include "harness/capture/gzip.h"

namespace netrig {
namespace {

using testing::append_block;
using testing::append_enhanced;
using testing::append_interface;
using testing::append_option;
using testing::append_pcap_record;
using testing::append_section;
using testing::pcap_header;
using testing::udp_octets;

constexpr ByteOrder kOrders[] = {ByteOrder::kLittle, ByteOrder::kBig};

Bytes gzip(const Bytes& plain) {
  z_stream zlib{};
  EXPECT_EQ(deflateInit2(&zlib, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&zlib, plain.size()), '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  zlib.avail_in = static_cast<uInt>(plain.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

Bytes small_pcap() {
  Bytes file = pcap_header(ByteOrder::kLittle, 0xa1b2c3d4, 101);
  for (uint32_t i = 0; i < 3; ++i) {
    const Bytes packet = udp_octets(Bytes(i + 1, 'x'));
    append_pcap_record(file, ByteOrder::kLittle, i, 0, packet, 100);
  }
  return file;
}

Bytes small_pcapng(ByteOrder order) {
  Bytes file;
  append_section(file, order);
  Bytes name;
  append_option(name, order, 2, "eth0");
  append_interface(file, order, 101, name);
  for (size_t i = 0; i < 3; ++i) {
    Bytes comment;
    append_option(comment, order, 1, "a comment");
    append_enhanced(file, order, 0, i, udp_octets(Bytes(i + 1, 'x')), comment);
  }
  return file;
}

TEST(ParseCapture, ReadsPcapOfEveryByteOrderAndResolution) {
  struct Case {
    uint32_t magic;
    int64_t tick_ns;
    bool modified;
  };
  const Bytes packet = udp_octets("hello");
  for (const ByteOrder order : kOrders) {
    for (const Case c : {Case{0xa1b2c3d4, 1000, false}, Case{0xa1b23c4d, 1, false},
                         Case{0xa1b2cd34, 1000, true}}) {
      Bytes file = pcap_header(order, c.magic, 101);
      append_pcap_record(file, order, 1'700'000'000, 123'456, packet, 999, c.modified);
      append_pcap_record(file, order, 4'000'000'000, 999'999, packet, 999, c.modified);
      const auto recording = parse_capture(file);
      ASSERT_TRUE(recording) << recording.error();
      EXPECT_TRUE(recording->notes.empty());
      ASSERT_EQ(recording->packets.size(), 2U);
      EXPECT_EQ(recording->packets[0].time_ns, 1'700'000'000'000'000'000 + 123'456 * c.tick_ns);
      EXPECT_EQ(recording->packets[1].time_ns, 4'000'000'000'000'000'000 + 999'999 * c.tick_ns);
      EXPECT_EQ(recording->packets[1].data, packet);
      EXPECT_EQ(recording->packets[1].original_length, 999U);
      ASSERT_EQ(recording->interfaces.size(), 1U);
      EXPECT_EQ(recording->interfaces[0].link_type, 101);
    }
  }
}

TEST(ParseCapture, ReadsTheSwappedLengthsOfPcapBefore23) {
  const Bytes packet = udp_octets("hello");
  Bytes file = pcap_header(ByteOrder::kLittle, 0xa1b2c3d4, 101, 2);
  append_u32(file, 1);
  append_u32(file, 0);
  append_u32(file, 500);  // the original length first
  append_u32(file, static_cast<uint32_t>(packet.size()));
  file += packet;
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 1U);
  EXPECT_EQ(recording->packets[0].original_length, 500U);
}

TEST(ParseCapture, TakesTheLinkLayerOffTheOriginalLengthToo) {
  const Bytes packet = udp_octets("hello");
  const Bytes ethernet = Bytes(12, '\1') + Bytes("\x08\x00", 2) + packet;
  Bytes file = pcap_header(ByteOrder::kLittle, 0xa1b2c3d4, 1);
  append_pcap_record(file, ByteOrder::kLittle, 0, 0, ethernet.substr(0, 40), 47);
  append_pcap_record(file, ByteOrder::kLittle, 0, 0, ethernet + Bytes(13, '\0'), 60);  // padded
  append_pcap_record(file, ByteOrder::kLittle, 0, 0, Bytes(12, '\1') + "\x08\x06 arp", 18);
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 2U);
  EXPECT_EQ(recording->packets[0].data, packet.substr(0, 26));
  EXPECT_EQ(recording->packets[0].original_length, packet.size());
  EXPECT_EQ(recording->packets[1].data, packet);
  EXPECT_EQ(recording->packets[1].original_length, packet.size());
  EXPECT_EQ(recording->skipped, 1U);
}

TEST(ParseCapture, CountsAndNamesLinkTypesThatItDoesNotKnow) {
  Bytes file = pcap_header(ByteOrder::kLittle, 0xa1b2c3d4, 147);
  for (int i = 0; i < 3; ++i) append_pcap_record(file, ByteOrder::kLittle, 0, 0, "whatever", 8);
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->skipped, 3U);
  EXPECT_EQ(recording->notes, std::vector<std::string>{"link type 147 is not known: 3 packets"});
}

TEST(ParseCapture, ReadsPcapngSectionsOfBothByteOrdersInOneFile) {
  const auto recording =
      parse_capture(small_pcapng(ByteOrder::kBig) + small_pcapng(ByteOrder::kLittle));
  ASSERT_TRUE(recording) << recording.error();
  EXPECT_TRUE(recording->notes.empty());
  EXPECT_EQ(recording->interfaces.size(), 2U);
  ASSERT_EQ(recording->packets.size(), 6U);
  EXPECT_EQ(recording->packets[2].interface, 0U);
  EXPECT_EQ(recording->packets[3].interface, 1U);  // interface 0 of the second section
  EXPECT_EQ(recording->packets[5].data, udp_octets("xxx"));
  EXPECT_EQ(recording->packets[5].comment, "a comment");
  EXPECT_EQ(recording->packets[5].time_ns, 2000);  // microseconds unless told otherwise
}

TEST(ParseCapture, ReadsEveryTimestampResolutionAndOffset) {
  struct Case {
    uint8_t resolution;
    int64_t offset_seconds;
    uint64_t ticks;
    int64_t time_ns;
  };
  const std::vector<Case> cases = {
      {9, 0, 1'700'000'000'123'456'789, 1'700'000'000'123'456'789},
      {3, 0, 1500, 1'500'000'000},
      {0, 0, 7, 7'000'000'000},
      {12, 0, 5'999, 5},
      {127, 0, UINT64_MAX, 0},
      {0x80, 0, 3, 3'000'000'000},
      {0x8a, 0, 1024 + 512, 1'500'000'000},  // 2^-10 s
      {0xff, 0, UINT64_MAX, 0},
      {6, 100, 1, 100'000'001'000},
      {6, -1, 0, -1'000'000'000},
      {0, 0, UINT64_MAX, INT64_MAX},  // no date that 64 bits hold
      {0, INT64_MIN, 0, INT64_MIN},
  };
  for (const ByteOrder order : kOrders) {
    for (const Case& c : cases) {
      Bytes file;
      append_section(file, order);
      Bytes options;
      append_option(options, order, 9, Bytes(1, static_cast<char>(c.resolution)));
      Bytes offset;
      const auto seconds = static_cast<uint64_t>(c.offset_seconds);
      const auto high = static_cast<uint32_t>(seconds >> 32);
      const auto low = static_cast<uint32_t>(seconds);
      append_u32(offset, order == ByteOrder::kBig ? high : low, order);
      append_u32(offset, order == ByteOrder::kBig ? low : high, order);
      append_option(options, order, 14, offset);
      append_interface(file, order, 101, options);
      append_enhanced(file, order, 0, c.ticks, udp_octets("x"));
      const auto recording = parse_capture(file);
      ASSERT_TRUE(recording);
      ASSERT_EQ(recording->packets.size(), 1U);
      EXPECT_EQ(recording->packets[0].time_ns, c.time_ns) << int{c.resolution};
    }
  }
}

TEST(ParseCapture, ReadsSimpleAndOldPacketBlocksAndPassesOverOthers) {
  const ByteOrder order = ByteOrder::kLittle;
  const Bytes packet = udp_octets("hello");
  Bytes file;
  append_section(file, order);
  append_interface(file, order, 101, {}, 30);
  append_block(file, order, 4, "names");  // NRB
  append_block(file, order, 0x0BAD, "custom");
  Bytes simple;
  append_u32(simple, static_cast<uint32_t>(packet.size()));
  append_block(file, order, 3, simple + packet.substr(0, 30) + "xx");  // cut by the snap length
  Bytes old;
  append_u16(old, 0);
  append_u16(old, 5);  // drops
  append_u32(old, 0);
  append_u32(old, 9);
  append_u32(old, static_cast<uint32_t>(packet.size()));
  append_u32(old, static_cast<uint32_t>(packet.size()));
  append_block(file, order, 2, old + packet);
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 2U);
  EXPECT_EQ(recording->packets[0].data, packet.substr(0, 30));
  EXPECT_EQ(recording->packets[0].original_length, packet.size());
  EXPECT_EQ(recording->packets[1].data, packet);
  EXPECT_EQ(recording->packets[1].time_ns, 9000);
}

TEST(ParseCapture, JoinsSeveralCommentsByNewlines) {
  Bytes file;
  append_section(file, ByteOrder::kLittle);
  append_interface(file, ByteOrder::kLittle, 101);
  Bytes options;
  append_option(options, ByteOrder::kLittle, 1, "one");
  append_option(options, ByteOrder::kLittle, 2, "flag");
  append_option(options, ByteOrder::kLittle, 1, "two");
  append_option(options, ByteOrder::kLittle, 0, "");
  append_option(options, ByteOrder::kLittle, 1, "behind the end");
  append_enhanced(file, ByteOrder::kLittle, 0, 0, udp_octets("x"), options);
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 1U);
  EXPECT_EQ(recording->packets[0].comment, "one\ntwo");
}

// Wherever the file ends, what was whole is there, and a note says so unless the cut is between
// packets.
void expect_cut_tails_are_told(const Bytes& file, const std::vector<size_t>& packet_ends) {
  const auto whole = parse_capture(file);
  ASSERT_TRUE(whole);
  for (size_t length = 4; length < file.size(); ++length) {
    const auto cut = parse_capture(ByteView(file).substr(0, length));
    ASSERT_TRUE(cut) << length << ": " << cut.error();
    const auto packets = static_cast<size_t>(
        std::ranges::count_if(packet_ends, [&](size_t end) { return end <= length; }));
    ASSERT_EQ(cut->packets.size(), packets) << length;
    for (size_t i = 0; i < packets; ++i) EXPECT_EQ(cut->packets[i].data, whole->packets[i].data);
    const bool between = std::ranges::find(packet_ends, length) != packet_ends.end();
    if (packets > 0) {
      EXPECT_EQ(cut->notes.empty(), between) << length;
    }
  }
}

TEST(ParseCapture, KeepsWhatWasWholeWhereverAFileIsCutOff) {
  const Bytes pcap = small_pcap();
  expect_cut_tails_are_told(pcap, {24 + 45, 24 + 45 + 46, 24 + 45 + 46 + 47});
  for (const ByteOrder order : kOrders) {
    const Bytes file = small_pcapng(order);
    // Packet blocks have 28 octets and the padded data, 16 of comment, 4 at the end.
    const size_t block = 28 + 32 + 16 + 4;
    expect_cut_tails_are_told(file, {file.size() - 2 * block, file.size() - block, file.size()});
  }
  for (size_t length = 1; length < 4; ++length) {
    EXPECT_FALSE(parse_capture(ByteView(pcap).substr(0, length)));
  }
  EXPECT_EQ(parse_capture(ByteView(pcap).substr(0, 10))->notes,
            std::vector<std::string>{"the file header is cut off"});
}

TEST(ParseCapture, EndsAtABlockWhoseLengthIsImpossible) {
  for (const uint32_t length : {0U, 1U, 11U, 0x7fffffffU, 0xffffffffU}) {
    Bytes file = small_pcapng(ByteOrder::kLittle);
    const size_t packets = parse_capture(file)->packets.size();
    append_u32(file, 6);
    append_u32(file, length);
    file += Bytes(40, '\0');
    const auto recording = parse_capture(file);
    ASSERT_TRUE(recording);
    EXPECT_EQ(recording->packets.size(), packets);
    EXPECT_EQ(recording->notes.size(), 1U) << length;
  }
}

TEST(ParseCapture, CountsPacketsThatContradictTheirBlock) {
  const ByteOrder order = ByteOrder::kLittle;
  Bytes file;
  append_section(file, order);
  append_enhanced(file, order, 0, 0, udp_octets("no interface yet"));
  append_interface(file, order, 101);
  append_enhanced(file, order, 1, 0, udp_octets("no such interface"));
  append_block(file, order, 6, "too short");
  Bytes lying = Bytes(12, '\0');
  append_u32(lying, 0xfffffff0);
  append_u32(lying, 0xfffffff0);
  append_block(file, order, 6, lying + udp_octets("longer than its block"));
  append_enhanced(file, order, 0, 0, udp_octets("good"));
  const auto recording = parse_capture(file);
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->packets.size(), 1U);
  EXPECT_EQ(recording->skipped, 4U);
  EXPECT_EQ(recording->notes, (std::vector<std::string>{
                                  "a packet block is too short: 1 packet",
                                  "a packet is longer than its block: 1 packet",
                                  "a packet names an interface that is not described: 2 packets"}));
}

TEST(ParseCapture, ReadsGzipOfSeveralMembers) {
  const Bytes file = small_pcap();
  const Bytes packed = gzip(file.substr(0, 60)) + gzip(file.substr(60));
  const auto recording = parse_capture(packed);
  ASSERT_TRUE(recording) << recording.error();
  EXPECT_EQ(recording->packets.size(), 3U);
  EXPECT_TRUE(recording->notes.empty());
  const auto trailed = parse_capture(packed + "trailing garbage");
  ASSERT_TRUE(trailed);
  EXPECT_EQ(trailed->packets.size(), 3U);
  EXPECT_EQ(trailed->notes.size(), 1U);
}

TEST(ParseCapture, SurvivesGzipThatIsCutOffOrDamagedAnywhere) {
  const Bytes packed = gzip(small_pcap());
  for (size_t length = 0; length < packed.size(); ++length) {
    const auto cut = parse_capture(ByteView(packed).substr(0, length));
    if (cut) {
      EXPECT_FALSE(cut->notes.empty()) << length;
    }
    Bytes damaged = packed;
    damaged[length] = static_cast<char>(damaged[length] ^ 0x55);
    (void)parse_capture(damaged);
  }
}

TEST(Gunzip, RefusesMoreThanItsLimit) {
  const Bytes packed = gzip(Bytes(1'000'000, 'x'));
  ASSERT_LT(packed.size(), 2000U);
  std::vector<std::string> notes;
  EXPECT_EQ(gunzip(packed, 1'000'000, notes)->size(), 1'000'000U);
  const auto refused = gunzip(packed, 999'999, notes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "gzip: larger than 999999B after decompression");
}

TEST(ParseCapture, SaysHowAFileStartsThatIsNoCapture) {
  EXPECT_EQ(parse_capture("\x7f"
                          "ELF...")
                .error(),
            "not a capture: starts with 7f 45 4c 46");
  EXPECT_EQ(parse_capture("").error(), "not a capture: it is empty");
  EXPECT_EQ(parse_capture("\xd4\xc3").error(), "not a capture: starts with d4 c3");
  EXPECT_EQ(parse_capture(gzip("hello")).error(), "not a capture: starts with 68 65 6c 6c");
}

TEST(ReadCaptureFile, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(read_capture_file("/nonexistent/x").error(),
            "cannot be opened: No such file or directory");
  EXPECT_EQ(read_capture_file("/").error(), "cannot be read: Is a directory");
}

}  // namespace
}  // namespace netrig
