// UDP on simulated hosts: who gets what, what is refused, what poll says.
#include <array>
#include <netinet/in.h>
#include <poll.h>

#include "fakes/host/host_testing.h"
#include "fakes/host/udp_socket.h"

namespace netrig {
namespace {

constexpr short kAll = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;

Socket udp(SocketApi& api, int domain = AF_INET) {
  return api.socket(domain, SOCK_DGRAM, 0).value();
}

TEST(HostUdp, ServerOnAllAddressesReachesItsConnectedClient) {
  for (const bool v6 : {false, true}) {
    TestHosts hosts;
    const int domain = v6 ? AF_INET6 : AF_INET;
    const Socket server = udp(hosts.server, domain);
    const IpAddress any = v6 ? IpAddress::v6({}) : IpAddress();
    ASSERT_EQ(outcome(hosts.server.bind(server, Endpoint(any, 53))), "ok");
    hosts.spawn("server", [&] {
      std::string buffer(100, '\0');
      const auto got = hosts.server.recvfrom(server, buffer, 0);
      ASSERT_EQ(outcome(got), "ok");
      EXPECT_EQ(got->from.address(), hosts.network.address(0, v6));
      EXPECT_EQ(outcome(hosts.server.sendto(server, "answer", 0, got->from)), "ok");
    });
    hosts.spawn("client", [&] {
      const Socket socket = udp(hosts.client, domain);
      ASSERT_EQ(outcome(hosts.client.connect(socket, hosts.at("server", 53, v6))), "ok");
      EXPECT_EQ(outcome(hosts.client.send(socket, "question", 0)), "ok");
      EXPECT_EQ(recv_text(hosts.client, socket), "answer");
    });
    hosts.run();
    ASSERT_EQ(hosts.observed.fates.size(), 2u);
    EXPECT_EQ(hosts.observed.fates[0].packet.direction, "client -> server");
    EXPECT_EQ(hosts.observed.fates[0].packet.flow, "udp|server:53|1");
    EXPECT_EQ(hosts.observed.fates[0].activity, "client");
    EXPECT_EQ(hosts.observed.fates[1].packet.direction, "server -> client");
    EXPECT_EQ(hosts.observed.fates[1].packet.flow, "udp|server:53|1");
    EXPECT_EQ(hosts.observed.arrivals.size(), 2u);
  }
}

TEST(HostUdp, FlowNamesSayTheEndThatWasBoundByHand) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = udp(hosts.server);
    const Socket client = udp(hosts.client);
    EXPECT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
    EXPECT_EQ(outcome(hosts.client.bind(client, hosts.at("client", 0))), "ok");
    EXPECT_EQ(outcome(hosts.client.sendto(client, "1", 0, hosts.at("server", 53))), "ok");
    const Endpoint back = hosts.client.getsockname(client).value();
    EXPECT_EQ(outcome(hosts.server.sendto(server, "2", 0, back)), "ok");
    EXPECT_EQ(outcome(hosts.server.sendto(server, "3", 0, hosts.at("client", 40000))), "ok");
    EXPECT_EQ(outcome(hosts.client.sendto(client, "4", 0, hosts.at("client", 40001))), "ok");
  });
  ASSERT_EQ(hosts.observed.fates.size(), 4u);
  EXPECT_EQ(hosts.observed.fates[0].packet.flow, "udp|server:53|1");
  // The client called bind() too: its own port, which the host chose, is the service.
  EXPECT_EQ(hosts.observed.fates[1].packet.flow, "udp|client:0|1");
  EXPECT_EQ(hosts.observed.fates[2].packet.flow, "udp|server:53|1");
  EXPECT_EQ(hosts.observed.fates[3].packet.direction, "client -> client");
}

TEST(HostUdp, RefusalIsToldByTheNextCallOfAConnectedSocketOnly) {
  TestHosts hosts;
  hosts.run([&] {
    FakeHost& api = hosts.client;
    const Socket connected = udp(api);
    EXPECT_EQ(outcome(api.connect(connected, hosts.at("server", 54))), "ok");
    EXPECT_EQ(outcome(api.send(connected, "one", 0)), "ok");
    EXPECT_EQ(poll_once(api, connected, kAll), POLLOUT | POLLERR);
    EXPECT_EQ(recv_text(api, connected), "ECONNREFUSED");
    EXPECT_EQ(recv_text(api, connected, 10, MSG_DONTWAIT), "EAGAIN");
    EXPECT_EQ(outcome(api.send(connected, "two", 0)), "ok");
    EXPECT_EQ(outcome(api.send(connected, "three", 0)), "ECONNREFUSED");
    EXPECT_EQ(outcome(api.send(connected, "four", 0)), "ok");
    EXPECT_EQ(api.getsockopt(connected, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EXPECT_EQ(api.getsockopt(connected, SOL_SOCKET, SO_ERROR), 0);
    const Socket unconnected = udp(api);
    EXPECT_EQ(outcome(api.sendto(unconnected, "x", 0, hosts.at("server", 54))), "ok");
    EXPECT_EQ(outcome(api.sendto(unconnected, "x", 0, hosts.at("server", 54))), "ok");
    EXPECT_EQ(outcome(api.setsockopt(unconnected, IPPROTO_IP, IP_RECVERR, 1)), "ok");
    EXPECT_EQ(outcome(api.sendto(unconnected, "x", 0, hosts.at("server", 54))), "ok");
    EXPECT_EQ(recv_text(api, unconnected), "ECONNREFUSED");
  });
}

TEST(HostUdp, DatagramThatIsTooLongForTheBufferIsCutAndTold) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = udp(hosts.server);
    ASSERT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
    const Socket socket = udp(hosts.client);
    for (const char* text : {"0123456789", "0123456789", "0123456789", ""}) {
      EXPECT_EQ(outcome(hosts.client.sendto(socket, text, 0, hosts.at("server", 53))), "ok");
    }
    EXPECT_EQ(hosts.server.readable_octets(server), 10u);
    EXPECT_EQ(recv_text(hosts.server, server, 4, MSG_PEEK), "0123");
    EXPECT_EQ(recv_text(hosts.server, server, 4), "0123");
    std::string buffer(4, '\0');
    EXPECT_EQ(hosts.server.recv(server, buffer, MSG_TRUNC), 10u);
    std::array<std::span<char>, 2> parts{std::span<char>(buffer).subspan(0, 1),
                                         std::span<char>(buffer).subspan(1)};
    const auto message = hosts.server.recvmsg(server, parts, 0);
    ASSERT_EQ(outcome(message), "ok");
    EXPECT_EQ(message->size, 4u);
    EXPECT_EQ(buffer, "0123");
    EXPECT_EQ(message->flags, MSG_TRUNC);
    EXPECT_EQ(hosts.server.recv(server, buffer, 0), 0u) << "an empty datagram is no error";
  });
  EXPECT_EQ(hosts.observed.arrivals.size(), 4u) << "peeking must not count";
}

TEST(HostUdp, CallsInTheWrongStateAnswerAsLinuxDoes) {
  TestHosts hosts;
  hosts.run([&] {
    FakeHost& api = hosts.client;
    const Socket fresh = udp(api);
    EXPECT_EQ(outcome(api.send(fresh, "x", 0)), "EDESTADDRREQ");
    EXPECT_EQ(outcome(api.send(fresh, "", 0)), "EDESTADDRREQ");
    EXPECT_EQ(outcome(api.getpeername(fresh)), "ENOTCONN");
    EXPECT_EQ(outcome(api.listen(fresh, 1)), "EOPNOTSUPP");
    EXPECT_EQ(outcome(api.accept(fresh)), "EOPNOTSUPP");
    EXPECT_EQ(outcome(api.shutdown(fresh, 3)), "EINVAL");
    EXPECT_EQ(outcome(api.sendto(fresh, "x", 0, hosts.at("server", 0))), "EINVAL");
    EXPECT_EQ(outcome(api.sendto(fresh, "x", MSG_OOB, hosts.at("server", 9))), "EOPNOTSUPP");
    EXPECT_EQ(outcome(api.sendto(fresh, "x", 0, hosts.at("server", 9, true))), "EAFNOSUPPORT");
    const Endpoint nowhere(*IpAddress::parse("192.0.2.1"), 9);
    EXPECT_EQ(outcome(api.sendto(fresh, "x", 0, nowhere)), "ENETUNREACH");
    EXPECT_EQ(outcome(api.connect(fresh, nowhere)), "ENETUNREACH");
    EXPECT_EQ(outcome(api.connect(fresh, Endpoint::unix_path("/tmp/x"))), "EAFNOSUPPORT");
    EXPECT_EQ(outcome(api.bind(fresh, hosts.at("client", 99))), "EINVAL") << "it has a port";
    EXPECT_EQ(outcome(api.getsockopt(fresh, IPPROTO_IP, IP_MTU)), "ENOTCONN");
    EXPECT_EQ(recv_text(api, fresh, 1, MSG_DONTWAIT), "EAGAIN");
    const Socket shut = udp(api);
    EXPECT_EQ(outcome(api.shutdown(shut, SHUT_RD)), "ENOTCONN");
    EXPECT_EQ(poll_once(api, shut, kAll), POLLIN | POLLOUT | POLLRDHUP);
    EXPECT_EQ(outcome(api.connect(shut, hosts.at("server", 53))), "ok");
    EXPECT_EQ(api.getsockopt(shut, IPPROTO_IP, IP_MTU), 1500);
    EXPECT_EQ(outcome(api.shutdown(shut, SHUT_WR)), "ok");
    EXPECT_EQ(poll_once(api, shut, kAll), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    EXPECT_EQ(outcome(api.send(shut, "x", 0)), "EPIPE");
    EXPECT_EQ(recv_text(api, shut, 1, MSG_DONTWAIT), "EAGAIN");
  });
}

TEST(HostUdp, SizesAreLimitedByTheLengthFields) {
  TestHosts hosts;
  hosts.run([&] {
    FakeHost& api = hosts.client;
    const Socket v4 = udp(api);
    const Socket v6 = udp(api, AF_INET6);
    const std::string much(65528, 'x');
    const auto to = [&](Socket socket, size_t size, bool is_v6) {
      const ByteView data = ByteView(much).substr(0, size);
      return outcome(api.sendto(socket, data, 0, hosts.at("server", 9, is_v6)));
    };
    EXPECT_EQ(to(v4, 65507, false), "ok");
    EXPECT_EQ(to(v4, 65508, false), "EMSGSIZE");
    EXPECT_EQ(to(v6, 65527, true), "ok");
    EXPECT_EQ(to(v6, 65528, true), "EMSGSIZE");
    EXPECT_EQ(to(v6, 65508, false), "EMSGSIZE");
  });
}

TEST(HostUdp, AddressesOfOthersAndPortsInUseAreRefused) {
  TestHosts hosts;
  FakeHost& api = hosts.client;
  const Socket one = udp(api);
  const Socket two = udp(api);
  EXPECT_EQ(outcome(api.bind(one, hosts.at("client", 90))), "ok");
  EXPECT_EQ(outcome(api.bind(two, hosts.at("client", 90))), "EADDRINUSE");
  EXPECT_EQ(outcome(api.bind(two, Endpoint(IpAddress(), 90))), "EADDRINUSE");
  EXPECT_EQ(outcome(api.bind(two, hosts.at("server", 90))), "EADDRNOTAVAIL");
  EXPECT_EQ(outcome(api.bind(two, Endpoint(*IpAddress::parse("192.0.2.1"), 90))), "EADDRNOTAVAIL");
  EXPECT_EQ(outcome(api.bind(two, hosts.at("client", 90, true))), "EAFNOSUPPORT");
  EXPECT_EQ(outcome(api.bind(two, Endpoint(*IpAddress::parse("127.0.0.1"), 90))), "ok");
  EXPECT_EQ(outcome(api.bind(two, hosts.at("client", 91))), "EINVAL");
  const Socket six = udp(api, AF_INET6);
  EXPECT_EQ(outcome(api.bind(six, Endpoint(IpAddress::v6({}), 90))), "EADDRINUSE");
  EXPECT_EQ(outcome(api.setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, 1)), "ok");
  EXPECT_EQ(outcome(api.bind(six, Endpoint(IpAddress::v6({}), 90))), "ok");
  EXPECT_EQ(outcome(api.setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, 0)), "EINVAL");
}

TEST(HostUdp, Ipv6SocketSpeaksIpv4ByMappedAddresses) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = udp(hosts.server, AF_INET6);
    ASSERT_EQ(outcome(hosts.server.bind(server, Endpoint(IpAddress::v6({}), 53))), "ok");
    const Socket client = udp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.sendto(client, "four", 0, hosts.at("server", 53))), "ok");
    std::string buffer(10, '\0');
    const auto got = hosts.server.recvfrom(server, buffer, 0);
    ASSERT_EQ(outcome(got), "ok");
    EXPECT_EQ(got->from.address().to_string(), "::ffff:10.0.0.1");
    EXPECT_EQ(outcome(hosts.server.sendto(server, "back", 0, got->from)), "ok");
    EXPECT_EQ(recv_text(hosts.client, client), "back");
    const Socket only = udp(hosts.server, AF_INET6);
    EXPECT_EQ(outcome(hosts.server.setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, 1)), "ok");
    EXPECT_EQ(outcome(hosts.server.sendto(only, "x", 0, got->from)), "ENETUNREACH");
  });
}

// The numbers are those of Linux 6.18.
TEST(HostUdp, WhatDoesNotFitTheReceiveBufferIsDroppedSilently) {
  EXPECT_EQ(udp_true_size(1, false), 832u);
  EXPECT_EQ(udp_true_size(645, false), 1280u);
  EXPECT_EQ(udp_true_size(1684, false), 2304u);
  EXPECT_EQ(udp_true_size(65507, false), 102656u);
  EXPECT_EQ(udp_true_size(65507, true), 104960u);
  const std::tuple<int64_t, size_t, int> cases[] = {
      {0, 1, 2},        {0, 5000, 1},     {4096, 100, 9},    {10000, 500, 15},
      {10000, 1400, 8}, {106496, 1, 256}, {106496, 5000, 26}};
  for (const auto& [buffer, size, fit] : cases) {
    TestHosts hosts;
    hosts.run([&, size = size, buffer = buffer, fit = fit] {
      const Socket server = udp(hosts.server);
      ASSERT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
      ASSERT_EQ(outcome(hosts.server.setsockopt(server, SOL_SOCKET, SO_RCVBUF, buffer)), "ok");
      const Socket client = udp(hosts.client);
      const std::string text(size, 'x');
      for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(hosts.client.sendto(client, text, 0, hosts.at("server", 53)), size);
      }
      int got = 0;
      while (recv_text(hosts.server, server, 65536, MSG_DONTWAIT).size() == size) ++got;
      EXPECT_EQ(got, fit) << buffer << " " << size;
    });
  }
}

TEST(HostUdp, MoreMakesOneDatagramOfSeveralCalls) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = udp(hosts.server);
    ASSERT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
    const Socket client = udp(hosts.client);
    ASSERT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 53))), "ok");
    EXPECT_EQ(hosts.client.send(client, "ab", MSG_MORE), 2u);
    EXPECT_EQ(recv_text(hosts.server, server, 10, MSG_DONTWAIT), "EAGAIN");
    EXPECT_EQ(hosts.client.send(client, "cd", 0), 2u);
    EXPECT_EQ(recv_text(hosts.server, server), "abcd");
  });
}

TEST(HostUdp, ReusedPortGoesToTheLastBoundAndAGroupIsShared) {
  TestHosts hosts;
  hosts.run([&] {
    FakeHost& api = hosts.server;
    std::array<Socket, 3> sockets{udp(api), udp(api), udp(api)};
    for (const Socket socket : sockets) {
      EXPECT_EQ(outcome(api.setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, 1)), "ok");
      EXPECT_EQ(outcome(api.bind(socket, hosts.at("server", 53))), "ok");
    }
    const Socket client = udp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.sendto(client, "x", 0, hosts.at("server", 53))), "ok");
    EXPECT_EQ(recv_text(api, sockets[2], 1, MSG_DONTWAIT), "x");
    std::array<Socket, 4> group{udp(api), udp(api), udp(api), udp(api)};
    for (const Socket socket : group) {
      EXPECT_EQ(outcome(api.setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, 1)), "ok");
      EXPECT_EQ(outcome(api.bind(socket, hosts.at("server", 54))), "ok");
    }
    for (int i = 0; i < 64; ++i) {
      const Socket one = udp(hosts.client);
      EXPECT_EQ(outcome(hosts.client.sendto(one, "x", 0, hosts.at("server", 54))), "ok");
    }
    for (const Socket socket : group) {
      EXPECT_EQ(recv_text(api, socket, 1, MSG_DONTWAIT), "x") << "each has a share";
    }
  });
}

// Found by netrig_parity_check: __skb_wait_for_more_packets() ends a call that would wait.
TEST(HostUdp, ABlockingReadOfASocketThatIsShutDownReturnsAtOnce) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket socket = udp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.shutdown(socket, SHUT_RD)), "ENOTCONN");
    EXPECT_EQ(recv_text(hosts.client, socket), "");
    EXPECT_EQ(recv_text(hosts.client, socket, 10, MSG_DONTWAIT), "EAGAIN");
  });
}

TEST(HostUdp, UnreadDatagramsAreToldAtTheEnd) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = udp(hosts.server);
    ASSERT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
    const Socket client = udp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.sendto(client, "x", 0, hosts.at("server", 53))), "ok");
  });
  hosts.client.close_all();
  hosts.server.close_all();
  ASSERT_EQ(hosts.observed.arrivals.size(), 1u);
  EXPECT_FALSE(hosts.observed.arrivals[0].read);
}

}  // namespace
}  // namespace netrig
