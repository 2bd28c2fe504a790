#include "harness/capture/pcapng_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "harness/capture/capture_reader.h"
#include "harness/capture/capture_testing.h"

namespace netrig {
namespace {

using testing::captured;
using testing::output_of;
using testing::TemporaryFile;
using testing::udp_octets;

constexpr int64_t kTime = 1'700'000'000'123'456'789;

TEST(PcapngWriter, WritesWhatTheReaderGivesBack) {
  TemporaryFile file;
  PcapngWriter writer(file.take(), "netrig test");
  EXPECT_EQ(writer.add_interface("lo"), 0U);
  EXPECT_EQ(writer.add_interface("unix:/run/app.sock"), 1U);
  std::vector<CapturedPacket> packets;
  for (size_t i = 0; i < 9; ++i) {  // every padding, with and without a comment
    auto packet = captured(udp_octets(Bytes(i, 'x')), kTime + static_cast<int64_t>(i), i % 2);
    if (i % 3 == 0) packet.comment = Bytes(i + 1, 'c');
    packets.push_back(packet);
    writer.write(packet);
  }
  packets.push_back(captured(udp_octets("cut off here").substr(0, 30), 0));
  packets.back().original_length = 9000;
  writer.write(packets.back());
  EXPECT_EQ(writer.packets_written(), 10U);
  ASSERT_TRUE(writer.close());

  const auto recording = read_capture_file(file.path());
  ASSERT_TRUE(recording) << recording.error();
  EXPECT_TRUE(recording->notes.empty());
  ASSERT_EQ(recording->interfaces.size(), 2U);
  EXPECT_EQ(recording->interfaces[0].name, "lo");
  EXPECT_EQ(recording->interfaces[1].name, "unix:/run/app.sock");
  EXPECT_EQ(recording->interfaces[1].link_type, kLinkTypeRaw);
  ASSERT_EQ(recording->packets.size(), packets.size());
  for (size_t i = 0; i < packets.size(); ++i) {
    const CapturedPacket& read = recording->packets[i];
    EXPECT_EQ(read.time_ns, packets[i].time_ns) << i;
    EXPECT_EQ(read.interface, packets[i].interface) << i;
    EXPECT_EQ(read.data, packets[i].data) << i;
    EXPECT_EQ(read.original_length, packets[i].original_length) << i;
    EXPECT_EQ(read.comment, packets[i].comment) << i;
  }
}

TEST(PcapngWriter, TellsOfAFullDiskWhenItIsClosed) {
  PcapngWriter writer(Fd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), "netrig test");
  writer.add_interface("lo");
  for (int i = 0; i < 1000; ++i) writer.write(captured(udp_octets(Bytes(1000, 'x'))));
  const Result<void> closed = writer.close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error(), Errno(ENOSPC));
}

TEST(PcapngWriter, TellsOfAFileThatWasNeverOpen) {
  PcapngWriter writer(Fd(), "netrig test");
  EXPECT_EQ(writer.close(), Result<void>(fail_with(EBADF)));
}

TEST(PcapngWriter, CutsAndMendsCommentsThatTheFormatCannotHold) {
  TemporaryFile file;
  PcapngWriter writer(file.take(), "netrig test");
  writer.add_interface("lo");
  auto packet = captured(udp_octets("x"));
  packet.comment = "bad \xff octet";
  writer.write(packet);
  packet.comment = Bytes(65534, 'a') + "\u00e9";  // its second octet is the 65536th
  writer.write(packet);
  ASSERT_TRUE(writer.close());
  const auto recording = read_capture_file(file.path());
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 2U);
  EXPECT_EQ(recording->packets[0].comment, "bad ? octet");
  EXPECT_EQ(recording->packets[1].comment, Bytes(65534, 'a'));
}

TEST(PcapngWriter, FlushesOnceWhenItIsMovedAndThenDestroyed) {
  TemporaryFile file;
  {
    PcapngWriter first(file.take(), "netrig test");
    first.add_interface("lo");
    first.write(captured(udp_octets("one")));
    PcapngWriter second = std::move(first);
    second.write(captured(udp_octets("two")));
    PcapngWriter third(Fd(), "other");
    third = std::move(second);
    third.write(captured(udp_octets("three")));
  }
  const auto recording = read_capture_file(file.path());
  ASSERT_TRUE(recording) << recording.error();
  EXPECT_EQ(recording->packets.size(), 3U);
  EXPECT_TRUE(recording->notes.empty());
}

TEST(PcapngWriter, WritesTimesNamesAndCommentsAsTsharkReadsThem) {
  if (!testing::has_tshark()) GTEST_SKIP() << "tshark is not installed";
  TemporaryFile file;
  PcapngWriter writer(file.take(), "netrig test");
  writer.add_interface("lo");
  writer.add_interface("unix:@name");
  auto packet = captured(udp_octets("hello"), kTime, 1);
  packet.comment = "client step 2: send";
  writer.write(packet);
  writer.write(captured(udp_octets("hello", true), kTime + 1, 0));
  ASSERT_TRUE(writer.close());
  const std::string fields = output_of("tshark -r " + file.path() +
                                       " -T fields -E separator='|' -e frame.time_epoch"
                                       " -e frame.interface_name -e frame.comment -e udp.length"
                                       " -e ipv6.src -e _ws.malformed 2>&1 | grep -v Running");
  EXPECT_EQ(fields,
            "1700000000.123456789|unix:@name|client step 2: send|13||\n"
            "1700000000.123456790|lo||13|fd00::1|\n");
  const std::string about = output_of("capinfos " + file.path() + " 2>&1");
  EXPECT_NE(about.find("netrig test"), std::string::npos) << about;
}

}  // namespace
}  // namespace netrig
