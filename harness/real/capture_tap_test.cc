// The capture of a run: whole, clean, and every packet with its cause.
#include "harness/real/capture_tap.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "harness/net/packet.h"
#include "harness/real/real_testing.h"

namespace netrig {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CaptureTap, CaptureHoldsEveryPacketOfATcpExchangeWithItsCause) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    world.spawn("server step 1", [&] {
      ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
      const auto accepted = world.server().accept(listener);
      ASSERT_EQ(outcome(accepted), "ok");
      world.loop().set_activity("server step 2");
      EXPECT_EQ(recv_text(world.server(), accepted->socket), "ping");
      world.server().send(accepted->socket, "pong", 0);
      EXPECT_EQ(recv_text(world.server(), accepted->socket), "");
      world.loop().set_activity("server step 3");
      world.server().close(accepted->socket);
    });
    world.spawn("client step 1", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      world.loop().set_activity("client step 2");
      world.client().send(socket, "ping", 0);
      EXPECT_EQ(recv_text(world.client(), socket), "pong");
      world.loop().set_activity("client step 3");
      world.client().close(socket);
    });
    world.run();
    world.finish();
    expect_clean(world.recording);
    std::vector<std::string> story;
    int finished = 0;
    bool last_is_ack = false;
    for (const auto& captured : world.recording.packets) {
      const Packet packet = decoded(captured);
      const uint8_t flags = packet.tcp->flags;
      const bool pure_ack = (flags & (kTcpSyn | kTcpFin | kTcpRst)) == 0 && packet.payload.empty();
      last_is_ack = pure_ack;
      if ((flags & kTcpFin) != 0) ++finished;
      if (!pure_ack) story.push_back(captured.comment);
    }
    EXPECT_THAT(story, ElementsAre("client step 1", "server step 1", "client step 2",
                                   "server step 2", "client step 3", "server step 3"));
    EXPECT_EQ(finished, 2);
    EXPECT_TRUE(last_is_ack) << "the acknowledgement of the last FIN is missing";
  });
}

TEST(CaptureTap, CaptureOfALargeTransferIsWholeAndWithinTheMtu) {
  in_sandbox([] {
    TestWorld world;
    const size_t total = size_t{16} << 20;
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      std::string buffer(1 << 16, '\0');
      while (world.server().recv(accepted->socket, buffer, 0).value_or(0) > 0) {
      }
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      EXPECT_EQ(world.client().send(socket, std::string(total, 'x'), 0), total);
      world.client().close(socket);
    });
    world.run();
    world.finish();
    uint64_t octets = 0;
    size_t without = 0;
    for (const auto& captured : world.recording.packets) {
      EXPECT_LE(captured.original_length, 1500u);
      const Packet packet = decoded(captured);
      octets += packet.payload_length;
      if (packet.payload_length > 0 && captured.comment != "client") ++without;
    }
    EXPECT_GE(octets, total);
    EXPECT_EQ(without, 0u);
  });
}

TEST(CaptureTap, UnixStreamsAreInTheCaptureAsASegmentedConversation) {
  in_sandbox([] {
    TestWorld world;
    const auto path = Endpoint::unix_path("/tmp/app.sock");
    const Socket listener = world.server().socket(AF_UNIX, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, path)), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 4)), "ok");
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      EXPECT_EQ(recv_text(world.server(), accepted->socket), "ping");
      world.server().send(accepted->socket, "pong", 0);
      world.server().close(accepted->socket);
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_UNIX, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, path)), "ok");
      world.client().send(socket, "ping", 0);
      EXPECT_EQ(recv_text(world.client(), socket), "pong");
      EXPECT_EQ(recv_text(world.client(), socket), "");
      world.client().close(socket);
    });
    world.run();
    world.finish();
    expect_clean(world.recording);
    std::map<std::string, std::string> said;
    int fins = 0;
    for (const auto& captured : world.recording.packets) {
      const Packet packet = decoded(captured);
      if (!packet.payload.empty()) said[captured.comment] += packet.payload;
      if ((packet.tcp->flags & kTcpFin) != 0) ++fins;
    }
    EXPECT_EQ(said, (std::map<std::string, std::string>{{"client", "ping"}, {"server", "pong"}}));
    EXPECT_EQ(fins, 2);
    EXPECT_EQ(world.recording.interfaces.back().name, "unix:/tmp/app.sock");
  });
}

TEST(CaptureTap, FragmentsOfALargeDatagramAllCarryItsComment) {
  in_sandbox([] {
    TestWorld world;
    EXPECT_THAT(send_numbers(world, 2, 5000), ElementsAre("1", "2"));
    world.finish();
    EXPECT_GT(world.recording.packets.size(), 6u);
    for (const auto& captured : world.recording.packets) {
      EXPECT_EQ(captured.comment, "client step 1");
      EXPECT_LE(captured.original_length, 1500u);
    }
  });
}

// A fiber that sends and never waits must not make the capture's ring overflow.
TEST(CaptureTap, FloodOfDatagramsIsCapturedWhole) {
  in_sandbox([] {
    TestWorld world;
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
      ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
      for (int i = 0; i < 10'000; ++i) {
        world.client().sendto(socket, "x", 0, world.at("server", 53));
      }
    });
    world.run();
    world.finish();
    EXPECT_EQ(world.recording.packets.size(), 10'000u);
  });
}

// A capture file on a full disk: /dev/full answers ENOSPC to every write.
TEST(CaptureTap, CaptureThatCannotBeWrittenMakesTheRunInvalid) {
  in_sandbox([] {
    ASSERT_EQ(::mkdir("/tmp/full", 0755), 0);
    ASSERT_EQ(::symlink("/dev/full", "/tmp/full/capture.pcapng"), 0);
    RealWorldOptions options;
    options.hosts = {"client"};
    options.output_directory = Fd(::open("/tmp/full", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto world = RealWorld::make(std::move(options));
    ASSERT_TRUE(world.has_value());
    const auto report = (*world)->finish();
    ASSERT_EQ(report.invalid.size(), 1u);
    EXPECT_THAT(report.invalid[0], HasSubstr("ENOSPC"));
  });
}

}  // namespace
}  // namespace netrig
