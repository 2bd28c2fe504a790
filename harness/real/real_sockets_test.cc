// What RealSockets promises beyond the kernel: blocking is the fiber's, time-outs and deadlines,
// handles, addresses, what may be touched. Each test runs in a sandbox of its own.
#include "harness/real/real_sockets.h"

#include <array>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

#include "harness/real/real_testing.h"

namespace netrig {
namespace {

struct Kind {
  const char* name;
  int domain;
  int type;
};
constexpr Kind kTcp{"tcp", AF_INET, SOCK_STREAM};
constexpr Kind kTcp6{"tcp6", AF_INET6, SOCK_STREAM};
constexpr Kind kUnixStream{"unix", AF_UNIX, SOCK_STREAM};
constexpr Kind kSeqpacket{"unix_seqpacket", AF_UNIX, SOCK_SEQPACKET};

Endpoint service(const TestWorld& world, const Kind& kind) {
  if (kind.domain == AF_UNIX) return Endpoint::unix_path("/tmp/service");
  return world.at("server", 80, kind.domain == AF_INET6);
}

Socket listening(TestWorld& world, const Kind& kind) {
  const Socket socket = world.server().socket(kind.domain, kind.type, 0).value();
  EXPECT_EQ(outcome(world.server().bind(socket, service(world, kind))), "ok");
  EXPECT_EQ(outcome(world.server().listen(socket, 16)), "ok");
  return socket;
}

// Both ends of a connection, in two fibers.
void with_connection(TestWorld& world, const Kind& kind,
                     const std::function<void(SocketApi&, Socket)>& at_server,
                     const std::function<void(SocketApi&, Socket)>& at_client) {
  const Socket listener = listening(world, kind);
  world.spawn("server", [&, listener] {
    const auto accepted = world.server().accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    at_server(world.server(), accepted->socket);
  });
  world.spawn("client", [&] {
    const Socket socket = world.client().socket(kind.domain, kind.type, 0).value();
    ASSERT_EQ(outcome(world.client().connect(socket, service(world, kind))), "ok");
    at_client(world.client(), socket);
  });
  world.run();
}

class Connections : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Connections,
                         ::testing::Values(kTcp, kTcp6, kUnixStream, kSeqpacket),
                         [](const auto& each) { return each.param.name; });

TEST_P(Connections, ExchangeBlocksFibersNotTheThread) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, GetParam(),
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(recv_text(api, socket), "Hello from client!");
          EXPECT_EQ(outcome(api.send(socket, "Hello from server!", 0)), "ok");
          EXPECT_EQ(recv_text(api, socket), "");
          EXPECT_EQ(outcome(api.close(socket)), "ok");
        },
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(outcome(api.send(socket, "Hello from client!", 0)), "ok");
          EXPECT_EQ(recv_text(api, socket), "Hello from server!");
          EXPECT_EQ(outcome(api.close(socket)), "ok");
        });
    world.finish();
  });
}

TEST_P(Connections, HalfClosedOneStillCarriesTheOtherDirection) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, GetParam(),
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(recv_text(api, socket), "");
          EXPECT_EQ(outcome(api.send(socket, "late answer", 0)), "ok");
        },
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(outcome(api.shutdown(socket, SHUT_WR)), "ok");
          EXPECT_EQ(recv_text(api, socket), "late answer");
          EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EPIPE");
        });
    world.finish();
  });
}

TEST_P(Connections, BlockingReadGivesUpAtTheFibersDeadlineOrTheSocketsOwn) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, GetParam(),
        [&](SocketApi& api, Socket socket) { EXPECT_EQ(recv_text(api, socket), "bye"); },
        [&](SocketApi& api, Socket socket) {
          {
            const DeadlineScope scope(world.loop(), world.loop().now() + 10ms);
            EXPECT_EQ(recv_text(api, socket), "TIMEOUT");
          }
          EXPECT_EQ(outcome(api.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, 10'000)), "ok");
          EXPECT_EQ(api.getsockopt(socket, SOL_SOCKET, SO_RCVTIMEO), 10'000);
          EXPECT_EQ(recv_text(api, socket), "EAGAIN");
          EXPECT_EQ(recv_text(api, socket, 10, MSG_DONTWAIT), "EAGAIN");
          EXPECT_EQ(outcome(api.set_nonblocking(socket, true)), "ok");
          EXPECT_EQ(recv_text(api, socket), "EAGAIN");
          EXPECT_EQ(outcome(api.send(socket, "bye", 0)), "ok");
        });
    world.finish();
  });
}

TEST(RealSockets, ClientOfEachHostComesFromItsOwnAddress) {
  in_sandbox([] {
    for (const bool v6 : {false, true}) {
      TestWorld world;
      const Socket listener = listening(world, v6 ? kTcp6 : kTcp);
      world.spawn("server", [&] {
        const auto accepted = world.server().accept(listener);
        ASSERT_EQ(outcome(accepted), "ok");
        EXPECT_EQ(accepted->peer.address(), world.world->address("client", v6));
        EXPECT_NE(accepted->peer.port(), 0);
      });
      world.spawn("client", [&] {
        const int domain = v6 ? AF_INET6 : AF_INET;
        const Socket socket = world.client().socket(domain, SOCK_STREAM, 0).value();
        EXPECT_EQ(outcome(world.client().connect(socket, world.at("server", 80, v6))), "ok");
      });
      world.run();
      world.finish();
    }
  });
}

TEST(RealSockets, WritingAfterAnOrderlyCloseIsEpipeAndReadingAfterAResetEconnreset) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, kTcp,
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(outcome(api.set_linger(socket, {.on = true, .seconds = 0})), "ok");
          EXPECT_EQ(outcome(api.close(socket)), "ok");
        },
        [](SocketApi& api, Socket socket) {
          EXPECT_EQ(recv_text(api, socket), "ECONNRESET");
          EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EPIPE");
        });
    world.finish();
  });
}

TEST(RealSockets, NonblockingConnectIsInProgressAndThenReady) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = listening(world, kTcp);
    world.spawn("client", [&] {
      SocketApi& api = world.client();
      const Socket socket = api.socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(api.set_nonblocking(socket, true)), "ok");
      EXPECT_EQ(outcome(api.connect(socket, world.at("server", 80))), "EINPROGRESS");
      std::array<PollEntry, 1> entries{{{socket, POLLOUT, 0}}};
      EXPECT_EQ(api.poll(entries, 1s), 1);
      EXPECT_EQ(entries[0].revents, POLLOUT);
      EXPECT_EQ(api.getsockopt(socket, SOL_SOCKET, SO_ERROR), 0);
      EXPECT_EQ(outcome(world.server().accept(listener)), "ok");
    });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, NonblockingSendTakesAPartAndABlockingOneAll) {
  in_sandbox([] {
    TestWorld world;
    const std::string much(4 << 20, 'x');
    size_t got = 0;
    with_connection(
        world, kTcp,
        [&](SocketApi& api, Socket socket) {
          std::string buffer(1 << 16, '\0');
          while (const auto size = api.recv(socket, buffer, 0).value_or(0)) got += size;
        },
        [&](SocketApi& api, Socket socket) {
          EXPECT_EQ(api.send(socket, much, 0), much.size());
          EXPECT_EQ(outcome(api.set_nonblocking(socket, true)), "ok");
          const auto part = api.send(socket, std::string(64 << 20, 'y'), 0);
          ASSERT_EQ(outcome(part), "ok");
          EXPECT_GT(*part, 0u);
          EXPECT_LT(*part, size_t{64} << 20);
          got -= *part;
          EXPECT_EQ(outcome(api.close(socket)), "ok");
        });
    EXPECT_EQ(got, much.size());
    world.finish();
  });
}

TEST(RealSockets, SendThatTimesOutAfterAPartReturnsThePart) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, kTcp,
        [&](SocketApi&, Socket) { world.loop().sleep_until(world.loop().now() + 60ms); },
        [&](SocketApi& api, Socket socket) {
          const DeadlineScope scope(world.loop(), world.loop().now() + 20ms);
          const auto part = api.send(socket, std::string(64 << 20, 'y'), 0);
          ASSERT_EQ(outcome(part), "ok");
          EXPECT_LT(*part, size_t{64} << 20);
          // What the peer's kernel takes makes room here, but not for ever.
          std::string last = "ok";
          for (int tries = 0; last == "ok" && tries < 100; ++tries) {
            last = outcome(api.send(socket, std::string(1 << 20, 'y'), 0));
          }
          EXPECT_EQ(last, "TIMEOUT");
        });
    world.finish();
  });
}

TEST(RealSockets, WaitallCollectsAndPeekTakesNothing) {
  in_sandbox([] {
    TestWorld world;
    with_connection(
        world, kTcp,
        [&](SocketApi& api, Socket socket) {
          EXPECT_EQ(recv_text(api, socket, 3, MSG_PEEK), "abc");
          EXPECT_EQ(recv_text(api, socket, 6, MSG_WAITALL), "abcdef");
          EXPECT_EQ(recv_text(api, socket, 6, MSG_WAITALL), "gh");
        },
        [&](SocketApi& api, Socket socket) {
          api.send(socket, "abc", 0);
          world.loop().sleep_until(world.loop().now() + 5ms);
          api.send(socket, "defgh", 0);
          api.close(socket);
        });
    world.finish();
  });
}

TEST(RealSockets, OutsideAFiberACallDoesNotWait) {
  in_sandbox([] {
    TestWorld world;
    const Socket listener = listening(world, kTcp);
    EXPECT_EQ(outcome(world.server().accept(listener)), "EAGAIN");
    world.finish();
  });
}

TEST(RealSockets, LingeringCloseWaitsForTheDataNotTheThread) {
  in_sandbox([] {
    TestWorld world;
    bool other_ran = false;
    bool closed = false;
    const std::string much(1 << 20, 'x');
    with_connection(
        world, kTcp,
        [&](SocketApi& api, Socket socket) {
          world.loop().sleep_until(world.loop().now() + 20ms);
          other_ran = !closed;
          std::string buffer(1 << 16, '\0');
          while (api.recv(socket, buffer, 0).value_or(0) > 0) {
          }
        },
        [&](SocketApi& api, Socket socket) {
          api.set_nonblocking(socket, true);
          // More than both kernels' buffers hold, or the data would be delivered at once.
          while (api.send(socket, much, 0)) {
          }
          api.set_nonblocking(socket, false);
          EXPECT_EQ(outcome(api.set_linger(socket, {.on = true, .seconds = 5})), "ok");
          EXPECT_EQ(outcome(api.close(socket)), "ok");
          closed = true;
        });
    EXPECT_TRUE(other_ran);
    EXPECT_TRUE(closed);
    world.finish();
  });
}

}  // namespace
}  // namespace netrig
