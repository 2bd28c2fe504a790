// Datagrams, descriptors, handles and refusals of RealSockets. Each test runs in a sandbox of its
// own.
#include <array>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

#include "harness/real/real_sockets.h"
#include "harness/real/real_testing.h"

namespace netrig {
namespace {

// A server bound to all addresses answers from the one that was asked, and an unbound client sends
// from its own: else the connected client would not take the answer.
TEST(RealSockets, UdpServerOnAllAddressesReachesItsConnectedClient) {
  in_sandbox([] {
    for (const bool v6 : {false, true}) {
      TestWorld world;
      const int domain = v6 ? AF_INET6 : AF_INET;
      const Socket server = world.server().socket(domain, SOCK_DGRAM, 0).value();
      const IpAddress any = v6 ? IpAddress::v6({}) : IpAddress();
      ASSERT_EQ(outcome(world.server().bind(server, Endpoint(any, 53))), "ok");
      world.spawn("server", [&] {
        std::string buffer(100, '\0');
        const auto got = world.server().recvfrom(server, buffer, 0);
        ASSERT_EQ(outcome(got), "ok");
        EXPECT_EQ(got->from.address(), world.world->address("client", v6));
        EXPECT_EQ(outcome(world.server().sendto(server, "answer", 0, got->from)), "ok");
      });
      world.spawn("client", [&] {
        const Socket socket = world.client().socket(domain, SOCK_DGRAM, 0).value();
        ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 53, v6))), "ok");
        EXPECT_EQ(outcome(world.client().send(socket, "question", 0)), "ok");
        EXPECT_EQ(recv_text(world.client(), socket), "answer");
      });
      world.run();
      world.finish();
    }
  });
}

TEST(RealSockets, UnixDatagramsKeepTheirBoundariesAndWaitForRoom) {
  in_sandbox([] {
    TestWorld world;
    const auto path = Endpoint::unix_path("/tmp/log");
    const Socket server = world.server().socket(AF_UNIX, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, path)), "ok");
    constexpr int kMany = 200;  // far more than the receive queue takes
    world.spawn("client", [&] {
      const Socket socket = world.client().socket(AF_UNIX, SOCK_DGRAM, 0).value();
      for (int i = 0; i < kMany; ++i) {
        EXPECT_EQ(outcome(world.client().sendto(socket, std::to_string(i), 0, path)), "ok");
      }
    });
    world.spawn("server", [&] {
      world.loop().sleep_until(world.loop().now() + 5ms);
      for (int i = 0; i < kMany; ++i) {
        EXPECT_EQ(recv_text(world.server(), server), std::to_string(i));
      }
    });
    world.run();
    world.finish();
    EXPECT_EQ(world.observed.arrivals.size(), size_t{kMany});
  });
}

TEST(RealSockets, RefusalsAreTheKernels) {
  in_sandbox([] {
    TestWorld world;
    world.spawn("client", [&] {
      SocketApi& api = world.client();
      const Socket tcp = api.socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(api.connect(tcp, world.at("server", 81))), "ECONNREFUSED");
      const Socket nobody = api.socket(AF_UNIX, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(api.connect(nobody, Endpoint::unix_path("/tmp/nobody"))), "ENOENT");
      const Socket one = api.socket(AF_INET, SOCK_STREAM, 0).value();
      const Socket two = api.socket(AF_INET, SOCK_STREAM, 0).value();
      EXPECT_EQ(outcome(api.bind(one, world.at("client", 90))), "ok");
      EXPECT_EQ(outcome(api.bind(two, world.at("client", 90))), "EADDRINUSE");
      EXPECT_EQ(outcome(api.bind(two, world.at("server", 90))), "EADDRNOTAVAIL");
      EXPECT_EQ(recv_text(api, two), "ENOTCONN");
      const Socket udp = api.socket(AF_INET, SOCK_DGRAM, 0).value();
      EXPECT_EQ(outcome(api.send(udp, "x", 0)), "EDESTADDRREQ");
      EXPECT_EQ(outcome(api.sendto(udp, std::string(65508, 'x'), 0, world.at("server", 9))),
                "EMSGSIZE");
    });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, UdpRefusalIsToldByTheNextCall) {
  in_sandbox([] {
    TestWorld world;
    world.spawn("client", [&] {
      SocketApi& api = world.client();
      const Socket socket = api.socket(AF_INET, SOCK_DGRAM, 0).value();
      EXPECT_EQ(outcome(api.connect(socket, world.at("server", 54))), "ok");
      EXPECT_EQ(outcome(api.send(socket, "one", 0)), "ok");
      EXPECT_EQ(recv_text(api, socket), "ECONNREFUSED");
    });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, DatagramThatIsTooLongForTheBufferIsCutAndTold) {
  in_sandbox([] {
    TestWorld world;
    const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
    world.spawn("both", [&] {
      const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
      for (const char* text : {"0123456789", "0123456789", "0123456789", ""}) {
        EXPECT_EQ(outcome(world.client().sendto(socket, text, 0, world.at("server", 53))), "ok");
      }
      EXPECT_EQ(recv_text(world.server(), server, 4, MSG_PEEK), "0123");
      EXPECT_EQ(recv_text(world.server(), server, 4), "0123");
      std::string buffer(4, '\0');
      EXPECT_EQ(world.server().recv(server, buffer, MSG_TRUNC), 10u);
      std::array<std::span<char>, 1> parts{std::span<char>(buffer)};
      const auto message = world.server().recvmsg(server, parts, 0);
      ASSERT_EQ(outcome(message), "ok");
      EXPECT_EQ(message->size, 4u);
      EXPECT_EQ(message->flags & MSG_TRUNC, MSG_TRUNC);
      EXPECT_EQ(world.server().recv(server, buffer, 0), 0u) << "an empty datagram is no error";
    });
    world.run();
    world.finish();
    EXPECT_EQ(world.observed.arrivals.size(), 4u) << "peeking must not count";
  });
}

TEST(RealSockets, PassedSocketWorksAtItsReceiverEvenIfTheSenderClosedIt) {
  in_sandbox([] {
    TestWorld world;
    const auto pair = world.client().socketpair(AF_UNIX, SOCK_STREAM, 0).value();
    const auto inner = world.client().socketpair(AF_UNIX, SOCK_STREAM, 0).value();
    world.spawn("f", [&] {
      SocketApi& api = world.client();
      EXPECT_EQ(outcome(api.set_nonblocking(inner.second, true)), "ok");
      const ByteView data = "take it";
      ControlData control;
      control.rights.push_back(inner.second);
      EXPECT_EQ(outcome(api.sendmsg(pair.first, {&data, 1}, 0, nullptr, control)), "ok");
      EXPECT_EQ(outcome(api.close(inner.second)), "ok");
      EXPECT_EQ(recv_text(api, inner.second), "EBADF");
      std::string buffer(100, '\0');
      std::array<std::span<char>, 1> parts{std::span<char>(buffer)};
      const auto message = api.recvmsg(pair.second, parts, 0);
      ASSERT_EQ(outcome(message), "ok");
      ASSERT_EQ(message->control.rights.size(), 1u);
      const Socket taken = message->control.rights[0];
      // O_NONBLOCK belongs to the open file, which is the same one.
      EXPECT_EQ(recv_text(api, taken), "EAGAIN");
      EXPECT_EQ(outcome(api.send(inner.first, "through", 0)), "ok");
      EXPECT_EQ(recv_text(api, taken), "through");
    });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, PollTellsExactlyWhatIsReady) {
  in_sandbox([] {
    TestWorld world;
    const auto pair = world.client().socketpair(AF_UNIX, SOCK_STREAM, 0).value();
    const auto closed = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
    ASSERT_EQ(outcome(world.client().close(closed)), "ok");
    world.spawn("poller", [&] {
      SocketApi& api = world.client();
      std::array<PollEntry, 2> entries{{{pair.first, POLLIN, 0}, {pair.second, POLLIN, 0}}};
      EXPECT_EQ(api.poll(entries, 0ms), 0);
      EXPECT_EQ(api.poll(entries, 5ms), 0);
      EXPECT_EQ(api.poll(entries, -1ns), 1);
      EXPECT_EQ(entries[0].revents, 0);
      EXPECT_EQ(entries[1].revents, POLLIN);
      std::array<PollEntry, 1> bad{{{closed, POLLIN, 0}}};
      EXPECT_EQ(api.poll(bad, -1ns), 1);
      EXPECT_EQ(bad[0].revents, POLLNVAL);
      const DeadlineScope scope(world.loop(), world.loop().now() + 5ms);
      std::array<PollEntry, 1> never{{{pair.first, POLLIN, 0}}};
      EXPECT_EQ(api.poll(never, -1ns).error(), Errno::timeout());
    });
    world.spawn("writer", [&] {
      world.loop().sleep_until(world.loop().now() + 15ms);
      EXPECT_EQ(outcome(world.client().send(pair.first, "x", 0)), "ok");
    });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, ClosingASocketWakesTheFiberThatReadsFromIt) {
  in_sandbox([] {
    TestWorld world;
    const auto pair = world.client().socketpair(AF_UNIX, SOCK_STREAM, 0).value();
    world.spawn("reader", [&] { EXPECT_EQ(recv_text(world.client(), pair.first), "EBADF"); });
    world.spawn("closer", [&] { world.client().close(pair.first); });
    world.run();
    world.finish();
  });
}

TEST(RealSockets, HandlesAreSmallReusedAndOfOneHost) {
  in_sandbox([] {
    TestWorld world;
    const Socket a = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
    const Socket b = world.client().socket(AF_INET, SOCK_STREAM, 0).value();
    EXPECT_EQ(world.server().socket(AF_INET, SOCK_STREAM, 0).value(), a);
    EXPECT_EQ(outcome(world.client().close(a)), "ok");
    EXPECT_EQ(outcome(world.client().close(a)), "EBADF");
    EXPECT_EQ(outcome(world.client().getsockname(a)), "EBADF");
    EXPECT_EQ(world.client().socket(AF_INET, SOCK_STREAM, 0).value(), a);
    EXPECT_NE(a, b);
    world.finish();
  });
}

TEST(RealSockets, OnlySocketsThatLinksCanSeeAreMade) {
  in_sandbox([] {
    TestWorld world;
    SocketApi& api = world.client();
    EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_RAW, IPPROTO_RAW)), "ESOCKTNOSUPPORT");
    EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)), "EPROTONOSUPPORT");
    EXPECT_EQ(outcome(api.socket(AF_PACKET, SOCK_RAW, 0)), "EAFNOSUPPORT");
    EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), "EINVAL");
    const Socket path = api.socket(AF_UNIX, SOCK_STREAM, 0).value();
    EXPECT_EQ(outcome(api.bind(path, Endpoint::unix_path("relative"))), "EINVAL");
    EXPECT_EQ(outcome(api.bind(path, Endpoint::unix_path("/tmp/../etc/x"))), "EACCES");
    EXPECT_EQ(outcome(api.connect(path, Endpoint::unix_path("/etc/x"))), "EACCES");
    EXPECT_EQ(outcome(api.bind(path, Endpoint::unix_path("/tmp/" + std::string(104, 'x')))),
              "EINVAL");
    world.finish();
  });
}

}  // namespace
}  // namespace netrig
