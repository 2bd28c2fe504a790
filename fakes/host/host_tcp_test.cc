// TCP on simulated hosts, call by call: what RealSockets answers, these answer.
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "fakes/host/host_testing.h"

namespace netrig {
namespace {

constexpr short kAll = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;

Socket tcp(SocketApi& api, int domain = AF_INET) {
  return api.socket(domain, SOCK_STREAM, 0).value();
}

Socket listening(TestHosts& hosts, bool v6 = false, int backlog = 16) {
  const Socket socket = tcp(hosts.server, v6 ? AF_INET6 : AF_INET);
  EXPECT_EQ(outcome(hosts.server.bind(socket, hosts.at("server", 80, v6))), "ok");
  EXPECT_EQ(outcome(hosts.server.listen(socket, backlog)), "ok");
  return socket;
}

// Both ends of a connection, in two fibers.
void with_connection(TestHosts& hosts, const std::function<void(SocketApi&, Socket)>& at_server,
                     const std::function<void(SocketApi&, Socket)>& at_client, bool v6 = false) {
  const Socket listener = listening(hosts, v6);
  hosts.spawn("server", [&, listener] {
    const auto accepted = hosts.server.accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    at_server(hosts.server, accepted->socket);
  });
  hosts.spawn("client", [&, v6] {
    const Socket socket = tcp(hosts.client, v6 ? AF_INET6 : AF_INET);
    ASSERT_EQ(outcome(hosts.client.connect(socket, hosts.at("server", 80, v6))), "ok");
    at_client(hosts.client, socket);
  });
  hosts.run();
}

// A connection whose ends are at hand: {client's, server's}.
std::pair<Socket, Socket> connected(TestHosts& hosts, Socket listener) {
  const Socket socket = tcp(hosts.client);
  EXPECT_EQ(outcome(hosts.client.connect(socket, hosts.at("server", 80))), "ok");
  const auto accepted = hosts.server.accept(listener);
  EXPECT_EQ(outcome(accepted), "ok");
  return {socket, accepted ? accepted->socket : Socket{}};
}

class HostTcpFamilies : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Families, HostTcpFamilies, ::testing::Values(false, true),
                         [](const auto& each) { return each.param ? "v6" : "v4"; });

TEST_P(HostTcpFamilies, ExchangeBlocksFibersAndEndsInEof) {
  TestHosts hosts;
  with_connection(
      hosts,
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
      },
      GetParam());
}

TEST_P(HostTcpFamilies, ClientComesFromItsHostsAddress) {
  TestHosts hosts;
  const bool v6 = GetParam();
  const Socket listener = listening(hosts, v6);
  hosts.spawn("server", [&] {
    const auto accepted = hosts.server.accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    EXPECT_EQ(accepted->peer.address(), hosts.network.address(0, v6));
    EXPECT_NE(accepted->peer.port(), 0);
    EXPECT_EQ(hosts.server.getpeername(accepted->socket), accepted->peer);
    EXPECT_EQ(hosts.server.getsockname(accepted->socket), hosts.at("server", 80, v6));
  });
  hosts.spawn("client", [&] {
    const Socket socket = tcp(hosts.client, v6 ? AF_INET6 : AF_INET);
    EXPECT_EQ(outcome(hosts.client.connect(socket, hosts.at("server", 80, v6))), "ok");
    EXPECT_EQ(hosts.client.getpeername(socket), hosts.at("server", 80, v6));
  });
  hosts.run();
}

TEST(HostTcp, HalfClosedOneStillCarriesTheOtherDirection) {
  TestHosts hosts;
  with_connection(
      hosts,
      [](SocketApi& api, Socket socket) {
        EXPECT_EQ(recv_text(api, socket), "");
        EXPECT_EQ(outcome(api.send(socket, "late answer", 0)), "ok");
      },
      [](SocketApi& api, Socket socket) {
        EXPECT_EQ(outcome(api.shutdown(socket, SHUT_WR)), "ok");
        EXPECT_EQ(recv_text(api, socket), "late answer");
        EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EPIPE");
      });
}

TEST(HostTcp, BlockingReadGivesUpAtTheFibersDeadlineOrTheSocketsOwn) {
  TestHosts hosts;
  with_connection(
      hosts, [&](SocketApi& api, Socket socket) { EXPECT_EQ(recv_text(api, socket), "bye"); },
      [&](SocketApi& api, Socket socket) {
        {
          const DeadlineScope scope(hosts.loop, hosts.loop.now() + 10ms);
          EXPECT_EQ(recv_text(api, socket), "TIMEOUT");
        }
        EXPECT_EQ(outcome(api.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, 10'000)), "ok");
        EXPECT_EQ(api.getsockopt(socket, SOL_SOCKET, SO_RCVTIMEO), 10'000);
        const Instant before = hosts.loop.now();
        EXPECT_EQ(recv_text(api, socket), "EAGAIN");
        EXPECT_EQ(hosts.loop.now() - before, 10ms);
        EXPECT_EQ(recv_text(api, socket, 10, MSG_DONTWAIT), "EAGAIN");
        EXPECT_EQ(outcome(api.set_nonblocking(socket, true)), "ok");
        EXPECT_EQ(recv_text(api, socket), "EAGAIN");
        EXPECT_EQ(outcome(api.send(socket, "bye", 0)), "ok");
      });
}

TEST(HostTcp, ResetIsToldOnceAndThenReadingEndsAndWritingIsEpipe) {
  TestHosts hosts;
  with_connection(
      hosts,
      [](SocketApi& api, Socket socket) {
        EXPECT_EQ(outcome(api.set_linger(socket, {.on = true, .seconds = 0})), "ok");
        EXPECT_EQ(outcome(api.close(socket)), "ok");
      },
      [](SocketApi& api, Socket socket) {
        EXPECT_EQ(recv_text(api, socket), "ECONNRESET");
        EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EPIPE");
        EXPECT_EQ(recv_text(api, socket), "");
        EXPECT_EQ(poll_once(api, socket, kAll), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
        EXPECT_EQ(outcome(api.getpeername(socket)), "ENOTCONN");
        EXPECT_EQ(outcome(api.shutdown(socket, SHUT_RDWR)), "ENOTCONN");
      });
}

TEST(HostTcp, NonblockingConnectIsInProgressThenOnceSuccessfulThenConnected) {
  TestHosts hosts;
  const Socket listener = listening(hosts);
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const Socket socket = tcp(api);
    EXPECT_EQ(outcome(api.set_nonblocking(socket, true)), "ok");
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80))), "EINPROGRESS");
    EXPECT_EQ(poll_once(api, socket, kAll), POLLOUT);
    EXPECT_EQ(api.getsockopt(socket, SOL_SOCKET, SO_ERROR), 0);
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80))), "ok");
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80))), "EISCONN");
    EXPECT_EQ(outcome(hosts.server.accept(listener)), "ok");
  });
}

TEST(HostTcp, NonblockingConnectOverADelayIsAlreadyUnderWay) {
  LinkConfig slow;
  slow.delay = {10ms, 10ms};
  TestHosts hosts({{"client -> server", slow}, {"server -> client", slow}});
  listening(hosts);
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const Socket socket = tcp(api);
    api.set_nonblocking(socket, true);
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80))), "EINPROGRESS");
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80))), "EALREADY");
    EXPECT_EQ(poll_once(api, socket, kAll), 0);
    EXPECT_EQ(outcome(api.send(socket, "x", 0)), "EAGAIN");
    EXPECT_EQ(recv_text(api, socket), "EAGAIN");
    EXPECT_EQ(outcome(api.getpeername(socket)), "ENOTCONN");
    PollEntry entry{socket, POLLOUT, 0};
    const Instant before = hosts.loop.now();
    EXPECT_EQ(api.poll({&entry, 1}, -1ns), 1);
    EXPECT_EQ(hosts.loop.now() - before, 20ms);
    EXPECT_EQ(entry.revents, POLLOUT);
  });
}

TEST(HostTcp, RefusedConnectIsToldAndTheSocketMayTryAgain) {
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const Socket blocking = tcp(api);
    EXPECT_EQ(outcome(api.connect(blocking, hosts.at("server", 81))), "ECONNREFUSED");
    EXPECT_EQ(poll_once(api, blocking, kAll), POLLOUT | POLLHUP);
    EXPECT_EQ(recv_text(api, blocking), "ENOTCONN");
    const Socket listener = listening(hosts);
    EXPECT_EQ(outcome(api.connect(blocking, hosts.at("server", 80))), "ok");
    EXPECT_EQ(outcome(hosts.server.accept(listener)), "ok");
    const Socket other = tcp(api);
    api.set_nonblocking(other, true);
    EXPECT_EQ(outcome(api.connect(other, hosts.at("server", 81))), "EINPROGRESS");
    EXPECT_EQ(poll_once(api, other, kAll), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    EXPECT_EQ(outcome(api.listen(other, 1)), "EINVAL");
    EXPECT_EQ(outcome(api.connect(other, hosts.at("server", 81))), "ECONNREFUSED");
    EXPECT_EQ(poll_once(api, other, kAll), POLLOUT | POLLHUP);
    const Socket third = tcp(api);
    api.set_nonblocking(third, true);
    EXPECT_EQ(outcome(api.connect(third, hosts.at("server", 81))), "EINPROGRESS");
    EXPECT_EQ(api.getsockopt(third, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EXPECT_EQ(recv_text(api, third), "");
    EXPECT_EQ(outcome(api.connect(third, hosts.at("server", 81))), "ECONNABORTED");
  });
}

TEST(HostTcp, CallsOnASocketThatWasNeverConnectedAnswerAsLinuxDoes) {
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const Socket fresh = tcp(api);
    EXPECT_EQ(poll_once(api, fresh, kAll), POLLOUT | POLLHUP);
    EXPECT_EQ(recv_text(api, fresh), "ENOTCONN");
    EXPECT_EQ(recv_text(api, fresh, 1, MSG_OOB), "EINVAL");
    EXPECT_EQ(outcome(api.send(fresh, "x", 0)), "EPIPE");
    EXPECT_EQ(outcome(api.sendto(fresh, "x", 0, hosts.at("server", 80))), "EPIPE");
    EXPECT_EQ(outcome(api.accept(fresh)), "EINVAL");
    EXPECT_EQ(outcome(api.getpeername(fresh)), "ENOTCONN");
    EXPECT_EQ(api.readable_octets(fresh), 0u);
    EXPECT_EQ(outcome(api.connect(fresh, hosts.at("server", 80, true))), "EAFNOSUPPORT");
    const Endpoint nowhere(*IpAddress::parse("192.0.2.1"), 9);
    EXPECT_EQ(outcome(api.connect(fresh, nowhere)), "ENETUNREACH");
    EXPECT_EQ(outcome(api.shutdown(fresh, SHUT_RD)), "ENOTCONN");
    EXPECT_EQ(poll_once(api, fresh, kAll), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    EXPECT_EQ(recv_text(api, fresh), "");
    const Socket six = tcp(api, AF_INET6);
    EXPECT_EQ(outcome(api.connect(six, hosts.at("server", 80))), "EINVAL");
  });
}

TEST(HostTcp, ListenerAnswersAsLinuxsDoes) {
  TestHosts hosts;
  const Socket listener = listening(hosts);
  hosts.run([&] {
    SocketApi& api = hosts.server;
    EXPECT_EQ(poll_once(api, listener, kAll), 0);
    EXPECT_EQ(recv_text(api, listener), "ENOTCONN");
    EXPECT_EQ(outcome(api.send(listener, "x", 0)), "EPIPE");
    EXPECT_EQ(outcome(api.connect(listener, hosts.at("client", 1))), "EISCONN");
    EXPECT_EQ(outcome(api.bind(listener, hosts.at("server", 81))), "EINVAL");
    EXPECT_EQ(outcome(api.readable_octets(listener)), "EINVAL");
    EXPECT_EQ(outcome(api.shutdown(listener, SHUT_WR)), "ok");
    EXPECT_EQ(api.getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    api.set_nonblocking(listener, true);
    EXPECT_EQ(outcome(api.accept(listener)), "EAGAIN");
    const Socket client = tcp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "ok");
    EXPECT_EQ(poll_once(api, listener, kAll), POLLIN);
    const auto child = api.accept(listener);
    ASSERT_EQ(outcome(child), "ok");
    EXPECT_EQ(outcome(api.shutdown(listener, SHUT_RD)), "ok");
    EXPECT_EQ(poll_once(api, listener, kAll), POLLOUT | POLLHUP);
    EXPECT_EQ(outcome(api.accept(listener)), "EINVAL");
    EXPECT_EQ(outcome(api.listen(listener, 1)), "EADDRINUSE") << "the child has the port";
    EXPECT_EQ(outcome(api.set_linger(child->socket, {.on = true, .seconds = 0})), "ok");
    EXPECT_EQ(outcome(api.close(child->socket)), "ok");
    EXPECT_EQ(outcome(api.listen(listener, 1)), "ok");
  });
}

TEST(HostTcp, EstablishedOneAnswersAndPollsAsLinuxsDoes) {
  TestHosts hosts;
  const Socket listener = listening(hosts);
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const auto [client, server] = connected(hosts, listener);
    EXPECT_EQ(poll_once(api, client, kAll), POLLOUT);
    EXPECT_EQ(recv_text(api, client, 10, MSG_DONTWAIT), "EAGAIN");
    EXPECT_EQ(outcome(api.listen(client, 1)), "EINVAL");
    EXPECT_EQ(outcome(api.accept(client)), "EINVAL");
    EXPECT_EQ(outcome(api.bind(client, hosts.at("client", 99))), "EINVAL");
    EXPECT_EQ(outcome(api.connect(client, hosts.at("server", 80))), "EISCONN");
    EXPECT_EQ(outcome(api.sendto(client, "hello", 0, hosts.at("server", 9))), "ok");
    EXPECT_EQ(hosts.server.readable_octets(server), 5u);
    EXPECT_EQ(poll_once(hosts.server, server, kAll), POLLIN | POLLOUT);
    EXPECT_EQ(hosts.server.getsockopt(server, IPPROTO_TCP, TCP_MAXSEG), 1448);
    std::string buffer(5, 'o');
    EXPECT_EQ(hosts.server.recv(server, buffer, MSG_TRUNC), 5u);
    EXPECT_EQ(buffer, "ooooo") << "thrown away, not copied";
    EXPECT_EQ(outcome(hosts.server.shutdown(server, SHUT_WR)), "ok");
    EXPECT_EQ(poll_once(api, client, kAll), POLLIN | POLLOUT | POLLRDHUP);
    EXPECT_EQ(recv_text(api, client), "");
    EXPECT_EQ(outcome(api.shutdown(client, SHUT_WR)), "ok");
    EXPECT_EQ(poll_once(api, client, kAll), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    EXPECT_EQ(poll_once(hosts.server, server, kAll), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    EXPECT_EQ(outcome(hosts.server.getpeername(server)), "ENOTCONN");
  });
}

TEST(HostTcp, WritingToAClosedPeerIsFirstTakenThenEpipe) {
  TestHosts hosts;
  const Socket listener = listening(hosts);
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const auto [client, server] = connected(hosts, listener);
    EXPECT_EQ(outcome(hosts.server.close(server)), "ok");
    EXPECT_EQ(outcome(api.send(client, "x", 0)), "ok");
    EXPECT_EQ(poll_once(api, client, kAll), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    EXPECT_EQ(recv_text(api, client), "");
    EXPECT_EQ(outcome(api.send(client, "x", 0)), "EPIPE");
  });
}

TEST(HostTcp, NonblockingSendTakesAPartAndABlockingOneAll) {
  TestHosts hosts;
  const std::string much(4 << 20, 'x');
  size_t got = 0;
  with_connection(
      hosts,
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
}

TEST(HostTcp, SendThatTimesOutAfterAPartReturnsThePart) {
  TestHosts hosts;
  with_connection(
      hosts, [&](SocketApi&, Socket) { hosts.sleep(60ms); },
      [&](SocketApi& api, Socket socket) {
        const DeadlineScope scope(hosts.loop, hosts.loop.now() + 20ms);
        const auto part = api.send(socket, std::string(64 << 20, 'y'), 0);
        ASSERT_EQ(outcome(part), "ok");
        EXPECT_LT(*part, size_t{64} << 20);
        EXPECT_EQ(outcome(api.send(socket, "x", 0)), "TIMEOUT");
      });
}

TEST(HostTcp, WaitallCollectsAndPeekTakesNothing) {
  TestHosts hosts;
  with_connection(
      hosts,
      [&](SocketApi& api, Socket socket) {
        EXPECT_EQ(recv_text(api, socket, 3, MSG_PEEK), "abc");
        EXPECT_EQ(recv_text(api, socket, 5, MSG_PEEK | MSG_WAITALL), "abcde");
        EXPECT_EQ(recv_text(api, socket, 6, MSG_WAITALL), "abcdef");
        EXPECT_EQ(recv_text(api, socket, 6, MSG_WAITALL), "gh");
      },
      [&](SocketApi& api, Socket socket) {
        api.send(socket, "abc", 0);
        hosts.sleep(5ms);
        api.send(socket, "defgh", 0);
        api.close(socket);
      });
}

TEST(HostTcp, LingeringCloseWaitsForTheDataNotTheThread) {
  LinkConfig slow;
  slow.delay = {10ms, 10ms};
  TestHosts hosts({{"client -> server", slow}, {"server -> client", slow}});
  with_connection(
      hosts,
      [&](SocketApi& api, Socket socket) {
        std::string buffer(1 << 16, '\0');
        while (api.recv(socket, buffer, 0).value_or(0) > 0) {
        }
        EXPECT_EQ(outcome(api.close(socket)), "ok");
      },
      [&](SocketApi& api, Socket socket) {
        EXPECT_EQ(outcome(api.send(socket, "x", 0)), "ok");
        EXPECT_EQ(outcome(api.set_linger(socket, {.on = true, .seconds = 5})), "ok");
        const Instant before = hosts.loop.now();
        EXPECT_EQ(outcome(api.close(socket)), "ok");
        EXPECT_EQ(hosts.loop.now() - before, 20ms);
      });
}

TEST(HostTcp, ClosingASocketWakesTheFiberThatUsesIt) {
  TestHosts hosts;
  const Socket listener = listening(hosts);
  hosts.spawn("acceptor", [&] { EXPECT_EQ(outcome(hosts.server.accept(listener)), "EBADF"); });
  hosts.spawn("closer", [&] { EXPECT_EQ(outcome(hosts.server.close(listener)), "ok"); });
  hosts.run();
}

TEST(HostTcp, PortsAreTakenUnlessAllAgreeToReuseThem) {
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& api = hosts.server;
    const Socket listener = listening(hosts);
    const Socket second = tcp(api);
    EXPECT_EQ(outcome(api.setsockopt(second, SOL_SOCKET, SO_REUSEADDR, 1)), "ok");
    EXPECT_EQ(outcome(api.bind(second, hosts.at("server", 80))), "EADDRINUSE");
    const auto [client, server] = connected(hosts, listener);
    EXPECT_EQ(outcome(api.close(listener)), "ok");
    EXPECT_EQ(outcome(api.bind(second, hosts.at("server", 80))), "EADDRINUSE") << "a child";
    EXPECT_EQ(outcome(api.setsockopt(server, SOL_SOCKET, SO_REUSEADDR, 1)), "ok");
    EXPECT_EQ(outcome(api.bind(second, hosts.at("server", 80))), "ok");
    EXPECT_EQ(outcome(api.listen(second, 1)), "ok");
  });
}

TEST(HostTcp, PortInTimeWaitIsTakenUnlessReused) {
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& api = hosts.server;
    for (const bool reuse : {false, true}) {
      const uint16_t port = reuse ? 81 : 80;
      const Socket listener = tcp(api);
      api.setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, reuse ? 1 : 0);
      EXPECT_EQ(outcome(api.bind(listener, hosts.at("server", port))), "ok");
      EXPECT_EQ(outcome(api.listen(listener, 1)), "ok");
      const Socket client = tcp(hosts.client);
      EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", port))), "ok");
      const auto accepted = api.accept(listener);
      EXPECT_EQ(outcome(api.close(accepted->socket)), "ok");  // the first to close waits
      EXPECT_EQ(recv_text(hosts.client, client), "");
      EXPECT_EQ(outcome(hosts.client.close(client)), "ok");
      EXPECT_EQ(outcome(api.close(listener)), "ok");
      const Socket again = tcp(api);
      api.setsockopt(again, SOL_SOCKET, SO_REUSEADDR, 1);
      EXPECT_EQ(outcome(api.bind(again, hosts.at("server", port))), reuse ? "ok" : "EADDRINUSE");
      const Socket strict = tcp(api);
      hosts.sleep(61s);
      EXPECT_EQ(outcome(api.bind(strict, hosts.at("server", port))), reuse ? "EADDRINUSE" : "ok");
    }
  });
}

TEST(HostTcp, DualStackListenerTakesIpv4AndShowsItMapped) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket listener = tcp(hosts.server, AF_INET6);
    EXPECT_EQ(outcome(hosts.server.bind(listener, Endpoint(IpAddress::v6({}), 80))), "ok");
    EXPECT_EQ(outcome(hosts.server.listen(listener, 4)), "ok");
    const Socket client = tcp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "ok");
    const auto accepted = hosts.server.accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    EXPECT_EQ(accepted->peer.address().to_string(), "::ffff:10.0.0.1");
    EXPECT_EQ(hosts.server.getsockname(accepted->socket)->address().to_string(), "::ffff:10.0.0.2");
  });
}

TEST(HostTcp, LoopbackStaysWithinTheHost) {
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& api = hosts.client;
    const Endpoint here(*IpAddress::parse("127.0.0.1"), 80);
    const Socket listener = tcp(api);
    EXPECT_EQ(outcome(api.bind(listener, here)), "ok");
    EXPECT_EQ(outcome(api.listen(listener, 1)), "ok");
    const Socket mine = tcp(api);
    EXPECT_EQ(outcome(api.connect(mine, here)), "ok");
    EXPECT_EQ(api.getsockname(mine)->address().to_string(), "127.0.0.1");
    const Socket other = tcp(hosts.server);
    EXPECT_EQ(outcome(hosts.server.connect(other, here)), "ECONNREFUSED");
  });
}

TEST(HostTcp, ThousandConnectionsAtOnce) {
  TestHosts hosts;
  const Socket listener = listening(hosts, false, 4096);
  constexpr int kMany = 1000;
  int served = 0;
  hosts.spawn("server", [&] {
    for (int i = 0; i < kMany; ++i) {
      const auto accepted = hosts.server.accept(listener);
      ASSERT_EQ(outcome(accepted), "ok");
      hosts.loop.spawn("one", [&, socket = accepted->socket] {
        if (recv_text(hosts.server, socket) == "ping") ++served;
        EXPECT_EQ(outcome(hosts.server.close(socket)), "ok");
      });
    }
  });
  for (int i = 0; i < kMany; ++i) {
    hosts.spawn("client", [&] {
      const Socket socket = tcp(hosts.client);
      EXPECT_EQ(outcome(hosts.client.connect(socket, hosts.at("server", 80))), "ok");
      EXPECT_EQ(outcome(hosts.client.send(socket, "ping", 0)), "ok");
      EXPECT_EQ(recv_text(hosts.client, socket), "");
      EXPECT_EQ(outcome(hosts.client.close(socket)), "ok");
    });
  }
  hosts.run();
  EXPECT_EQ(served, kMany);
}

}  // namespace
}  // namespace netrig
