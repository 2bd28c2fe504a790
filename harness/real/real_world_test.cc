// Being stuck, and the end of a run.
#include "harness/real/real_world.h"

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

TEST(RealWorld, DeadlockIsToldWithinAFifthOfASecond) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      recv_text(world.server(), accepted->socket);
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      recv_text(world.client(), socket);
    });
    EXPECT_EQ(world.loop().run(), Loop::Ended::kStuck);
    world.loop().run_until([] { return true; });
    EXPECT_LT(world.loop().now(), Instant(200ms));
    world.finish();
  });
}

TEST(RealWorld, BothEndsWritingIntoFullWindowsIsADeadlock) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 1)), "ok");
    const std::string much(64 << 20, 'x');
    world.spawn("server", [&] {
      const auto accepted = world.server().accept(listener);
      world.server().send(accepted->socket, much, 0);
    });
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
      ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
      world.client().send(socket, much, 0);
    });
    bool late = false;
    world.loop().watchdog(world.loop().now() + 10s, [&] { late = true; });
    EXPECT_EQ(world.loop().run(), Loop::Ended::kStuck);
    EXPECT_FALSE(late);
    world.finish();
  });
}

TEST(RealWorld, ThousandClientsAreServedAtOnce) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = world.server().socket(AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(listener, world.at("server", 80))), "ok");
    ASSERT_EQ(outcome(world.server().listen(listener, 4096)), "ok");
    int answered = 0;
    constexpr int kClients = 1000;
    world.spawn("acceptor", [&] {
      for (int i = 0; i < kClients; ++i) {
        const auto accepted = world.server().accept(listener);
        ASSERT_EQ(outcome(accepted), "ok");
        world.spawn("server", [&world, socket = accepted->socket] {
          EXPECT_EQ(recv_text(world.server(), socket), "hello");
          world.server().send(socket, "hello", 0);
          world.server().close(socket);
        });
      }
    });
    for (int i = 0; i < kClients; ++i) {
      world.spawn("client", [&] {
        const Socket socket = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
        ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80))), "ok");
        world.client().send(socket, "hello", 0);
        if (recv_text(world.client(), socket) == "hello") ++answered;
        world.client().close(socket);
      });
    }
    world.run();
    EXPECT_EQ(answered, kClients);
    world.finish();
  });
}

TEST(RealWorld, MakesItsTemporaryFolderAndRemovesIt) {
  in_sandbox([] {
    std::string tmp;
    {
      TestWorld world;
      tmp = world.world->tmp();
      EXPECT_EQ(::access(tmp.c_str(), W_OK), 0);
      const Socket socket = world.client().socket(AF_UNIX, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(world.client().bind(socket, Endpoint::unix_path(tmp + "/s"))), "ok");
      world.finish();
    }
    EXPECT_NE(::access(tmp.c_str(), F_OK), 0);
  });
}

// Without a sandbox, on the machine's own lo: nothing but loopback may be touched.
TEST(RealWorld, WithTheMachinesNetworkOnlyLoopbackIsAllowed) {
  RealWorldOptions options;
  options.hosts = {"client", "server"};
  options.host_network = true;
  options.capture = false;
  auto world = RealWorld::make(std::move(options));
  ASSERT_TRUE(world.has_value()) << world.error();
  SocketApi& api = (*world)->host("client");
  EXPECT_EQ((*world)->address("server", false).to_string(), "127.0.0.2");
  const Socket socket = api.socket(AF_INET, SOCK_STREAM, 0).value();
  const Endpoint remote(*IpAddress::parse("192.0.2.1"), 9);
  EXPECT_EQ(outcome(api.connect(socket, remote)), "EPERM");
  EXPECT_EQ(outcome(api.bind(socket, Endpoint(IpAddress(), 0))), "EPERM");
  const Socket udp = api.socket(AF_INET, SOCK_DGRAM, 0).value();
  EXPECT_EQ(outcome(api.sendto(udp, "x", 0, remote)), "EPERM");
  const Socket path = api.socket(AF_UNIX, SOCK_STREAM, 0).value();
  EXPECT_EQ(outcome(api.bind(path, Endpoint::unix_path("/tmp/elsewhere"))), "EACCES");
  EXPECT_EQ(outcome(api.bind(path, Endpoint::unix_path((*world)->tmp() + "/s"))), "ok");
  (*world)->finish();
}

}  // namespace
}  // namespace netrig
