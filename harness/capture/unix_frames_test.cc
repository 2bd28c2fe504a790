#include "harness/capture/unix_frames.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "harness/capture/capture_testing.h"
#include "harness/capture/packet_filter.h"
#include "harness/capture/pcapng_writer.h"
#include "harness/capture/stream.h"

namespace netrig {
namespace {

using testing::output_of;

// Gathers what is emitted.
struct Tap {
  Recording recording;
  UnixFrames frames{
      [this](const std::string& name) {
        recording.interfaces.push_back({.name = name, .link_type = 101});
        return static_cast<uint32_t>(recording.interfaces.size() - 1);
      },
      [this](CapturedPacket&& packet) { recording.packets.push_back(std::move(packet)); }};
};

Bytes pattern(size_t length) {
  Bytes octets(length, '\0');
  for (size_t i = 0; i < length; ++i) octets[i] = static_cast<char>(i * 7 + i / 256);
  return octets;
}

// One of everything, on three services.
void play(UnixFrames& frames, const Bytes& large) {
  frames.connected(1, "unix:/run/app.sock", 1000, "client step 1: connect");
  frames.stream_data(1, true, "hello", 2000, "client step 2: send");
  frames.stream_data(1, false, large, 3000, "");
  frames.connected(2, "unix:/run/app.sock", 3500, "");
  frames.stream_data(1, true, large, 4000, "");
  frames.finished(1, true, 5000, "");
  frames.stream_data(1, false, "bye", 6000, "");
  frames.finished(1, false, 7000, "");
  frames.stream_data(2, false, "second", 7500, "");
  frames.reset(2, true, 8000, "client step 9: reset");
  frames.datagram("unix:@datagrams", 7, true, "question", 9000, "");
  frames.datagram("unix:@datagrams", 7, false, "answer", 9500, "");
  frames.datagram("unix:@datagrams", 8, true, "", 9600, "");
  frames.datagram("unix:@datagrams", 8, true, Bytes(100'000, 'x'), 9700, "");
}

TEST(UnixFrames, ReassembleToTheSameOctets) {
  Tap tap;
  const Bytes large = pattern(100'000);
  play(tap.frames, large);
  const auto conversations = reassemble(tap.recording);
  ASSERT_EQ(conversations.size(), 2U);
  EXPECT_EQ(conversations[0].client.to_string(), "127.0.0.1:32768");
  EXPECT_EQ(conversations[0].server.to_string(), "127.0.0.1:1");
  EXPECT_EQ(conversations[0].from_client.octets, "hello" + large);
  EXPECT_EQ(conversations[0].from_server.octets, large + "bye");
  EXPECT_TRUE(conversations[0].from_client.finished);
  EXPECT_TRUE(conversations[0].from_server.finished);
  EXPECT_FALSE(conversations[0].from_client.gap);
  EXPECT_FALSE(conversations[0].from_server.gap);
  EXPECT_EQ(conversations[1].client.to_string(), "127.0.0.1:32769");
  EXPECT_EQ(conversations[1].from_server.octets, "second");
  EXPECT_TRUE(conversations[1].from_client.reset);
  EXPECT_TRUE(PacketFilter::builtin("retransmission").select(tap.recording).empty());
}

TEST(UnixFrames, CarryTimeInterfaceAndComment) {
  Tap tap;
  play(tap.frames, "x");
  ASSERT_EQ(tap.recording.interfaces.size(), 2U);
  EXPECT_EQ(tap.recording.interfaces[0].name, "unix:/run/app.sock");
  EXPECT_EQ(tap.recording.interfaces[1].name, "unix:@datagrams");
  const CapturedPacket& syn = tap.recording.packets[0];
  EXPECT_EQ(syn.comment, "client step 1: connect");
  EXPECT_EQ(syn.time_ns, 1000);
  EXPECT_EQ(tap.recording.packets[3].comment, "client step 2: send");
  EXPECT_EQ(tap.recording.packets.back().interface, 1U);
  EXPECT_TRUE(std::ranges::is_sorted(tap.recording.packets, {}, &CapturedPacket::time_ns));
}

TEST(UnixFrames, CutStreamsIntoPacketsAndDatagramsToWhatUdpCarries) {
  Tap tap;
  tap.frames.connected(1, "unix:/s", 0, "");
  tap.frames.stream_data(1, true, pattern(40'000), 0, "");
  ASSERT_EQ(tap.recording.packets.size(), 6U);
  EXPECT_EQ(decode_packet(tap.recording.packets[3].data)->payload.size(), 16384U);
  EXPECT_EQ(decode_packet(tap.recording.packets[5].data)->payload.size(), 40'000U - 2 * 16384);
  tap.frames.datagram("unix:/d", 1, true, Bytes(100'000, 'x'), 0, "");
  const CapturedPacket& datagram = tap.recording.packets.back();
  EXPECT_EQ(datagram.data.size(), 65535U);
  EXPECT_EQ(datagram.original_length, 100'028U);
  EXPECT_EQ(decode_packet(datagram.data)->destination().to_string(), "127.0.0.1:2");
}

TEST(UnixFrames, IgnoreWhatComesAfterAnEnd) {
  Tap tap;
  tap.frames.connected(1, "unix:/s", 0, "");
  tap.frames.finished(1, true, 0, "");
  const size_t packets = tap.recording.packets.size();
  tap.frames.stream_data(1, true, "late", 0, "");
  tap.frames.finished(1, true, 0, "");
  tap.frames.stream_data(99, true, "of nobody", 0, "");
  EXPECT_EQ(tap.recording.packets.size(), packets);
  tap.frames.reset(1, false, 0, "");
  tap.frames.reset(1, true, 0, "");
  tap.frames.finished(1, false, 0, "");
  EXPECT_EQ(tap.recording.packets.size(), packets + 1);
}

TEST(UnixFrames, KeepConversationsApartWhenThePeersPortsHaveGoneRound) {
  Tap tap;
  for (uint64_t i = 0; i <= 32768; ++i) {
    tap.frames.connected(i, "unix:/s", 0, "");
    tap.frames.reset(i, true, 0, "");
  }
  EXPECT_EQ(reassemble(tap.recording).size(), 32769U);
}

TEST(UnixFrames, AreWholeAndRightToTshark) {
  if (!testing::has_tshark()) GTEST_SKIP() << "tshark is not installed";
  Tap tap;
  const Bytes large = pattern(100'000);
  play(tap.frames, large);
  testing::TemporaryFile file;
  PcapngWriter writer(file.take(), "netrig test");
  for (const CaptureInterface& interface : tap.recording.interfaces) {
    writer.add_interface(interface.name);
  }
  for (const CapturedPacket& packet : tap.recording.packets) writer.write(packet);
  ASSERT_TRUE(writer.close());
  const std::string tshark =
      "tshark -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -r " +
      file.path();
  // Errors and warnings of its expert, a broken checksum or an analysis flag would be a line here.
  EXPECT_EQ(output_of(tshark + " -Y '_ws.malformed || tcp.checksum.status == 0 ||"
                               " udp.checksum.status == 0 || ip.checksum.status == 0 ||"
                               " (tcp.analysis.flags && !tcp.analysis.window_update) ||"
                               " _ws.expert.severity >= 0x00600000' 2>/dev/null"
                               " | grep -v RST"),
            "");
  const std::string checked = output_of(tshark + " -Y 'tcp.checksum.status == 1' 2>/dev/null");
  EXPECT_GT(std::ranges::count(checked, '\n'), 20);
  // Follow Stream gives the octets that the client and the service wrote.
  const std::string followed = output_of(tshark + " -q -z follow,tcp,raw,1 2>/dev/null");
  EXPECT_NE(followed.find("7365636f6e64"), std::string::npos) << followed;  // "second"
}

}  // namespace
}  // namespace netrig
