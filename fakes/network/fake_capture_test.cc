#include "fakes/network/fake_capture.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include "fakes/network/network_testing.h"
#include "harness/capture/capture_reader.h"
#include "harness/capture/capture_testing.h"

namespace netrig::network_test {
namespace {

using ::netrig::testing::TemporaryFile;
using ::testing::ElementsAre;

const std::vector<std::string> kHosts{"client", "server"};

// A network whose capture is read back.
struct Captured {
  explicit Captured(NetworkOptions options = {}, bool sent = false)
      : capture(std::make_unique<FakeCapture>(loop, PcapngWriter(file.take(), "netrig"),
                                              FakeCaptureOptions{.sent = sent, .hosts = kHosts})) {
    options.capture = capture.get();
    options.hosts = kHosts;
    network = std::make_unique<Network>(loop, pool, options);
    network->attach(0, client);
    network->attach(1, server);
  }
  FakePacket udp(ByteView payload, bool v6 = false) {
    FakePacket packet;
    packet.from = 0;
    packet.to = 1;
    packet.source = network->address(0, v6);
    packet.destination = network->address(1, v6);
    packet.body = FakeUdp{40000, 53, pool.copy(payload)};
    packet.flow = network->flow(0, 1, "udp|server:53", "1");
    packet.activity = "client step 1 (send)";
    return packet;
  }
  FakePacket segment(uint8_t flags, const std::string& activity) {
    FakePacket packet = udp("");
    tcp::Segment body;
    body.flags = flags;
    packet.body = body;
    packet.activity = activity;
    return packet;
  }
  Recording read() {
    network->settle();
    loop.run_until([] { return false; });
    EXPECT_TRUE(capture->close());
    auto recording = parse_capture(file.read());
    EXPECT_TRUE(recording) << recording.error();
    return recording.value_or(Recording{});
  }
  std::vector<std::string> comments() {
    std::vector<std::string> all;
    for (const CapturedPacket& packet : read().packets) all.push_back(packet.comment);
    return all;
  }

  FakeLoop loop;
  BytePool pool;
  TemporaryFile file;
  std::unique_ptr<FakeCapture> capture;
  KeepingReceiver client{loop};
  KeepingReceiver server{loop};
  std::unique_ptr<Network> network;
};

NetworkOptions delayed_and_third_dropped() {
  LinkConfig config;
  config.delay = {20ms, 20ms};
  config.rules = {{.nth = {3}}};
  return with_link("client -> server", config);
}

TEST(FakeCapture, ShowsPacketsWhenTheyAreDeliveredAndNoDroppedOnes) {
  Captured run(delayed_and_third_dropped());
  for (const auto* text : {"one", "two", "three"}) run.network->send(run.udp(text));
  const Recording recording = run.read();
  ASSERT_EQ(recording.interfaces.size(), 1u);
  EXPECT_EQ(recording.interfaces[0].name, "client -> server");
  ASSERT_EQ(recording.packets.size(), 2u);
  EXPECT_EQ(recording.packets[0].time_ns, 946'684'800'020'000'000);
  EXPECT_EQ(recording.packets[0].comment, "client step 1 (send); delayed 20ms");
  const auto packet = decode_packet(recording.packets[1].data);
  EXPECT_EQ(packet->source().to_string(), "10.0.0.1:40000");
  EXPECT_EQ(packet->destination().to_string(), "10.0.0.2:53");
  EXPECT_EQ(packet->payload, "two");
  EXPECT_TRUE(packet->transport_checksum_ok);
}

TEST(FakeCapture, ShowsPacketsWhenTheyAreSentWithTheirFateIfAsked) {
  Captured run(delayed_and_third_dropped(), true);
  for (const auto* text : {"one", "two", "three"}) run.network->send(run.udp(text));
  const Recording recording = run.read();
  ASSERT_EQ(recording.packets.size(), 3u);
  EXPECT_EQ(recording.packets[2].time_ns, 946'684'800'000'000'000);
  EXPECT_EQ(recording.packets[2].comment, "client step 1 (send); dropped (rule)");
}

TEST(FakeCapture, SaysWhichCopyIsTheDuplicate) {
  LinkConfig config;
  config.rules = {{.nth = {1}, .action = LinkRule::Action::kDuplicate}};
  Captured run(with_link("client -> server", config));
  run.network->send(run.udp("x"));
  EXPECT_THAT(run.comments(),
              ElementsAre("client step 1 (send); duplicated", "client step 1 (send); duplicate"));
}

TEST(FakeCapture, GivesEachDirectionOfALinkAnInterfaceWhenItsFirstPacketComes) {
  Captured run;
  FakePacket answer = run.udp("two");
  answer.from = 1;
  answer.to = 0;
  FakePacket within = run.udp("three");
  within.from = 1;
  run.network->send(std::move(answer));
  run.network->send(run.udp("one"));
  run.network->send(std::move(within));
  run.network->send(run.udp("four"));
  const Recording recording = run.read();
  std::vector<std::string> names;
  for (const CaptureInterface& each : recording.interfaces) names.push_back(each.name);
  EXPECT_THAT(names, ElementsAre("server -> client", "client -> server", "lo"));
  std::vector<uint32_t> taps;
  for (const CapturedPacket& each : recording.packets) taps.push_back(each.interface);
  EXPECT_THAT(taps, ElementsAre(0, 1, 2, 1));
}

// As real's packet_comments.cc says it.
TEST(FakeCapture, NamesTheStacksOwnAnswersAndLeavesAcknowledgementsAlone) {
  Captured run;
  run.network->send(run.segment(kTcpSyn, "client step 1 (connect)"));
  run.network->send(run.segment(kTcpAck, ""));
  run.network->send(run.segment(kTcpRst | kTcpAck, ""));
  run.network->send(run.segment(kTcpRst, "client step 2 (close)"));
  FakePacket unreachable = run.udp("");
  unreachable.body = FakeIcmpError{.type = 3, .code = 3, .quoted = Bytes(28, '\x45')};
  unreachable.flow = 0;
  run.network->send(std::move(unreachable));
  EXPECT_THAT(run.comments(), ElementsAre("client step 1 (connect)", "", "answer of the kernel",
                                          "client step 2 (close)", "answer of the kernel"));
}

TEST(FakeCapture, ShowsADatagramBeyondTheMtuAsFragments) {
  for (const bool v6 : {false, true}) {
    Captured run;
    run.network->send(run.udp(Bytes(4000, 'x'), v6));
    const Recording recording = run.read();
    ASSERT_EQ(recording.packets.size(), 3u);
    size_t carried = 0;
    for (const CapturedPacket& each : recording.packets) {
      EXPECT_LE(each.data.size(), kFakeMtu);
      EXPECT_EQ(each.comment, "client step 1 (send)");
      const auto packet = decode_packet(each.data);
      EXPECT_EQ(packet->ip.fragment_offset, carried);
      carried += packet->payload_length + (packet->udp ? 8 : 0);
      EXPECT_EQ(packet->ip.more_fragments, carried < 4008);
    }
    EXPECT_EQ(carried, 4008u);
    EXPECT_EQ(run.server.arrived.size(), 1u);
  }
}

TEST(FakeCapture, ShowsUnixTrafficOnInterfacesOfItsOwn) {
  Captured run;
  FakePacket packet = run.udp("");
  packet.body =
      FakeUnixDatagram{.payload = run.pool.copy("log line"), .service = "unix:/run/log", .peer = 7};
  run.network->send(std::move(packet));
  run.network->settle();
  run.capture->unix_connected(1, "unix:/run/app.sock", "client step 1 (connect)");
  run.capture->unix_data(1, true, "hello", "client step 2 (send)");
  const Recording recording = run.read();
  ASSERT_EQ(recording.packets.size(), 5u);
  ASSERT_EQ(recording.interfaces.size(), 2u);
  EXPECT_EQ(recording.interfaces[recording.packets[0].interface].name, "unix:/run/log");
  EXPECT_EQ(recording.packets[0].comment, "client step 1 (send)");
  EXPECT_EQ(recording.packets[4].comment, "client step 2 (send)");
}

// Someone else's reading of the octets: of IPv4, IPv6, UDP in fragments and TCP only the segment
// that the link damaged has a wrong checksum.
TEST(FakeCapture, ShowsTsharkAWrongChecksumOnlyWhereTheLinkDamagedASegment) {
  if (!::netrig::testing::has_tshark()) GTEST_SKIP() << "no tshark";
  LinkConfig config;
  config.rules = {{.match = Transport::kTcp, .nth = {2}, .action = LinkRule::Action::kCorrupt},
                  {.match = Transport::kUdp, .nth = {1}, .action = LinkRule::Action::kCorrupt}};
  Captured run(with_link("client -> server", config));
  for (const bool v6 : {false, true}) {
    run.network->send(run.udp("damaged, but whole again", v6));
    run.network->send(run.udp(Bytes(3000, 'x'), v6));
  }
  for (int i = 0; i < 3; ++i) {
    FakePacket packet = run.segment(kTcpAck, "");
    std::get<tcp::Segment>(packet.body).payload = run.pool.copy("data");
    run.network->send(std::move(packet));
  }
  EXPECT_EQ(run.read().packets.size(), 1u + 3u + 1u + 3u + 3u);
  const std::string bad = ::netrig::testing::output_of(
      "tshark -n -r " + run.file.path() +
      " -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -Y "
      "'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0' "
      "-T fields -e frame.number 2>/dev/null");
  EXPECT_EQ(bad, "10\n");
}

TEST(FakeCapture, IsTheSameToTheOctetOnEveryRepeat) {
  const auto once = [] {
    LinkConfig config;
    config.delay = {1ms, 9ms};
    config.loss = config.corrupt = config.reorder = {200'000};
    Captured run(with_link("client -> server", config));
    for (int i = 0; i < 100; ++i) run.network->send(run.udp("payload " + std::to_string(i)));
    run.read();
    return run.file.read();
  };
  EXPECT_EQ(once(), once());
}

}  // namespace
}  // namespace netrig::network_test
