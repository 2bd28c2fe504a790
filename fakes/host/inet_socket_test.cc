// Rules of Linux's inet sockets that random socket programs found (netrig_parity_check): addresses,
// ports and what outlives a connection.
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "fakes/host/host_testing.h"

namespace netrig {
namespace {

constexpr short kAll = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;

Socket made(SocketApi& api, int domain, int type) {
  const Socket socket = api.socket(domain, type, 0).value();
  EXPECT_TRUE(api.set_nonblocking(socket, true).has_value());
  return socket;
}
Socket tcp(SocketApi& api, int domain = AF_INET) {
  return made(api, domain, SOCK_STREAM);
}
Socket udp(SocketApi& api, int domain = AF_INET) {
  return made(api, domain, SOCK_DGRAM);
}
Endpoint ip(const char* address, uint16_t port) {
  return Endpoint(*IpAddress::parse(address), port);
}
void set(SocketApi& api, Socket socket, int name, int64_t value) {
  EXPECT_EQ(outcome(api.setsockopt(socket, SOL_SOCKET, name, value)), "ok");
}

TEST(InetSocket, BindingToAnIpv6AddressMakesItIpv6Only) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  struct Case {
    Endpoint local;
    int64_t v6only;
  };
  for (const Case& each : {Case{hosts.at("client", 7000, true), 1}, Case{ip("::1", 7001), 1},
                           Case{ip("::", 7002), 0}, Case{ip("::ffff:127.0.0.1", 7003), 0}}) {
    const Socket socket = tcp(api, AF_INET6);
    EXPECT_EQ(outcome(api.bind(socket, each.local)), "ok");
    EXPECT_EQ(api.getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY).value(), each.v6only);
  }
  const Socket failed = tcp(api, AF_INET6);
  EXPECT_EQ(outcome(api.bind(failed, hosts.at("client", 7000, true))), "EADDRINUSE");
  EXPECT_EQ(api.getsockopt(failed, IPPROTO_IPV6, IPV6_V6ONLY).value(), 0);
}

TEST(InetSocket, AnIpv4AddressOfAnIpv6SocketReachesNoIpv6One) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  for (const char* local : {"::ffff:0.0.0.0", "::ffff:127.0.0.1"}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      const Socket socket = made(api, AF_INET6, type);
      EXPECT_EQ(outcome(api.bind(socket, ip(local, 0))), "ok");
      EXPECT_EQ(outcome(api.connect(socket, ip("::1", 9))), "EAFNOSUPPORT") << local;
    }
  }
  const Socket only = udp(api, AF_INET6);
  EXPECT_EQ(outcome(api.bind(only, ip("::1", 0))), "ok");
  EXPECT_EQ(outcome(api.connect(only, ip("127.0.0.1", 9))), "EAFNOSUPPORT");
}

TEST(InetSocket, TheIpv6WildcardAsDestinationIsLoopbackWhateverTheSourceIs) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  const Socket socket = udp(api, AF_INET6);
  EXPECT_EQ(outcome(api.bind(socket, hosts.at("client", 7000, true))), "ok");
  EXPECT_EQ(outcome(api.connect(socket, ip("::", 9))), "ok");
  EXPECT_EQ(api.getpeername(socket)->to_string(), ip("::1", 9).to_string());
}

TEST(InetSocket, UdpPeerWithoutAPortIsHeardFromAnyPort) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  const Socket socket = udp(api);
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 0))), "ok");
  const Socket other = udp(hosts.server);
  EXPECT_EQ(outcome(hosts.server.bind(other, hosts.at("server", 53))), "ok");
  const Endpoint mine = *api.getsockname(socket);
  EXPECT_EQ(outcome(hosts.server.sendto(other, "hello", 0, mine)), "ok");
  EXPECT_EQ(recv_text(api, socket), "hello");
  EXPECT_EQ(outcome(api.sendto(socket, "x", 0, hosts.at("server", 54))), "ok");
  EXPECT_EQ(outcome(api.send(socket, "x", 0)), "ECONNREFUSED");
  EXPECT_EQ(outcome(api.sendto(socket, "x", 0, hosts.at("server", 0))), "EINVAL");
  const Socket six = udp(api, AF_INET6);
  EXPECT_EQ(outcome(api.connect(six, hosts.at("server", 0))), "ok");
  EXPECT_EQ(outcome(api.send(six, "x", 0)), "EINVAL") << "udp_sendmsg() gets the peer as a name";
}

TEST(InetSocket, MaxSegmentOfARefusedConnectionIsTheDefaultLessTimestamps) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  for (const bool v6 : {false, true}) {
    const Socket socket = tcp(api, v6 ? AF_INET6 : AF_INET);
    EXPECT_EQ(api.getsockopt(socket, IPPROTO_TCP, TCP_MAXSEG).value(), 536);
    EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 80, v6))), "EINPROGRESS");
    EXPECT_EQ(api.getsockopt(socket, IPPROTO_TCP, TCP_MAXSEG).value(), v6 ? 1208 : 524);
  }
}

TEST(InetSocket, UrgentAndHeldDatagramsAnswerInTheKernelsOrder) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  EXPECT_EQ(outcome(api.send(udp(api), "x", MSG_OOB)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api.send(udp(api, AF_INET6), "x", MSG_OOB)), "EDESTADDRREQ");
  const Socket socket = udp(api);
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("client", 9))), "ok");
  EXPECT_EQ(outcome(api.send(socket, "x", MSG_MORE)), "ok");
  EXPECT_EQ(outcome(api.send(socket, "y", MSG_OOB)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api.shutdown(socket, SHUT_WR)), "ok");
  EXPECT_EQ(outcome(api.send(socket, "y", 0)), "ok") << "it fits behind what is held";
  EXPECT_EQ(outcome(api.send(socket, "z", 0)), "ECONNREFUSED");
  EXPECT_EQ(outcome(api.send(socket, "z", 0)), "EPIPE");
}

TEST(InetSocket, ASocketBoundAgainAfterAFailedConnectKeepsItsPort) {
  TestHosts hosts;
  const Socket socket = tcp(hosts.client);
  EXPECT_EQ(outcome(hosts.client.connect(socket, ip("0.0.0.0", 9))), "EINPROGRESS");
  EXPECT_EQ(outcome(hosts.client.bind(socket, hosts.at("client", 0))), "ok");
  set(hosts.client, socket, SO_REUSEADDR, 0);
  EXPECT_EQ(outcome(hosts.client.bind(socket, hosts.at("client", 80))), "EINVAL");
  EXPECT_EQ(outcome(hosts.client.connect(socket, hosts.at("client", 9))), "ECONNREFUSED");
  EXPECT_EQ(outcome(hosts.client.bind(socket, hosts.at("client", 80))), "EINVAL");
}

TEST(InetSocket, ADatagramThatIsHeldGoesToThePeerConnectedMeanwhile) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  const Socket socket = udp(api);
  const Socket first = udp(hosts.server);
  const Socket second = udp(hosts.server);
  EXPECT_EQ(outcome(hosts.server.bind(first, hosts.at("server", 53))), "ok");
  EXPECT_EQ(outcome(hosts.server.bind(second, hosts.at("server", 54))), "ok");
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 53))), "ok");
  EXPECT_EQ(outcome(api.send(socket, "a", MSG_MORE)), "ok");
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("server", 54))), "ok");
  EXPECT_EQ(outcome(api.send(socket, "b", 0)), "ok");
  EXPECT_EQ(recv_text(hosts.server, first), "EAGAIN");
  EXPECT_EQ(recv_text(hosts.server, second), "ab");
}

// A listener, its client and the accepted socket.
struct Three {
  Three(TestHosts& hosts, uint16_t port, int how = -1) {
    listener = tcp(hosts.server);
    if (how >= 0) {
      EXPECT_EQ(outcome(hosts.server.shutdown(listener, how)), "ENOTCONN");
    }
    EXPECT_EQ(outcome(hosts.server.bind(listener, hosts.at("server", port))), "ok");
    EXPECT_EQ(outcome(hosts.server.listen(listener, 2)), "ok");
    client = tcp(hosts.client);
    EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", port))), "EINPROGRESS");
    accepted = hosts.server.accept(listener)->socket;
  }
  Socket listener, client, accepted;
};

TEST(InetSocket, ReadingNothingAnswersNothingWhereOnlyTheUrgentOctetWaits) {
  TestHosts hosts;
  const Three three(hosts, 80);
  EXPECT_EQ(outcome(hosts.server.send(three.accepted, "x", MSG_OOB)), "ok");
  EXPECT_EQ(recv_text(hosts.client, three.client, 0), "");
  EXPECT_EQ(poll_once(hosts.client, three.client, kAll), POLLPRI | POLLOUT);
  EXPECT_EQ(recv_text(hosts.client, three.client), "EAGAIN");
  EXPECT_EQ(poll_once(hosts.client, three.client, kAll), POLLOUT) << "it was passed over";
}

TEST(InetSocket, AnAcceptedSocketGivesItsPortBackWhenItIsReset) {
  TestHosts hosts;
  const Three three(hosts, 80);
  EXPECT_EQ(outcome(hosts.client.set_linger(three.client, {true, 0})), "ok");
  EXPECT_EQ(outcome(hosts.client.close(three.client)), "ok");
  EXPECT_EQ(outcome(hosts.server.bind(three.accepted, hosts.at("server", 80))), "EADDRINUSE");
  EXPECT_EQ(outcome(hosts.server.bind(three.accepted, hosts.at("server", 81))), "ok");
}

TEST(InetSocket, ShutdownBeforeConnectingOrListeningStays) {
  TestHosts hosts;
  struct Case {
    int how;
    short child, peer;
  };
  // What the kernel's poll answers for the accepted socket and for its peer.
  uint16_t port = 80;
  for (const Case& each : {Case{SHUT_RD, POLLIN | POLLOUT | POLLRDHUP, POLLOUT},
                           Case{SHUT_WR, POLLOUT, POLLIN | POLLOUT | POLLRDHUP}}) {
    const Three three(hosts, port++, each.how);
    EXPECT_EQ(poll_once(hosts.server, three.accepted, kAll), each.child);
    EXPECT_EQ(poll_once(hosts.client, three.client, kAll), each.peer);
  }
  const Three three(hosts, port);
  const Socket client = tcp(hosts.client);
  EXPECT_EQ(outcome(hosts.client.shutdown(client, SHUT_WR)), "ENOTCONN");
  EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", port))), "EINPROGRESS");
  EXPECT_EQ(outcome(hosts.client.send(client, "x", 0)), "EPIPE");
  const Socket accepted = hosts.server.accept(three.listener)->socket;
  EXPECT_EQ(recv_text(hosts.server, accepted), "EAGAIN") << "no FIN was sent";
}

TEST(InetSocket, AListenerThatWasShutDownMayNotListenAgainWhereItsConnectionsAre) {
  TestHosts hosts;
  const Three three(hosts, 80);
  EXPECT_EQ(outcome(hosts.server.shutdown(three.listener, SHUT_RD)), "ok");
  EXPECT_EQ(recv_text(hosts.server, three.listener), "ENOTCONN") << "tcp_disconnect() forgets it";
  EXPECT_EQ(outcome(hosts.server.listen(three.listener, 2)), "EADDRINUSE");
}

TEST(InetSocket, AConnectionInTimeWaitHoldsThePortOfASocketThatIsStillOpen) {
  TestHosts hosts;
  const Three three(hosts, 80);
  EXPECT_EQ(outcome(hosts.server.close(three.listener)), "ok");
  EXPECT_EQ(outcome(hosts.server.shutdown(three.accepted, SHUT_WR)), "ok");
  EXPECT_EQ(outcome(hosts.client.shutdown(three.client, SHUT_WR)), "ok");
  EXPECT_EQ(outcome(hosts.server.bind(tcp(hosts.server), hosts.at("server", 80))), "EADDRINUSE");
}

TEST(InetSocket, TimeWaitOfAConnectionToItselfHoldsThePortItStillHas) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  const Socket socket = tcp(api);
  EXPECT_EQ(outcome(api.bind(socket, hosts.at("client", 80))), "ok");
  EXPECT_EQ(outcome(api.shutdown(socket, SHUT_WR)), "ENOTCONN");
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("client", 80))), "EINPROGRESS");
  EXPECT_EQ(outcome(api.connect(socket, hosts.at("client", 80))), "ECONNABORTED");
  EXPECT_EQ(outcome(api.listen(socket, 0)), "EADDRINUSE");
}

// tb->fastreuse: what a port was taken with counts while its sockets live.
TEST(InetSocket, APortTakenWithReuseIsSharedThoughTheFirstDoesNotAskForItAnyMore) {
  TestHosts hosts;
  SocketApi& api = hosts.server;
  const Socket first = tcp(api);
  const Socket second = tcp(api);
  set(api, first, SO_REUSEADDR, 1);
  EXPECT_EQ(outcome(api.bind(first, hosts.at("server", 80))), "ok");
  set(api, first, SO_REUSEADDR, 0);
  set(api, second, SO_REUSEADDR, 1);
  EXPECT_EQ(outcome(api.bind(second, hosts.at("server", 80))), "ok");
  EXPECT_EQ(outcome(api.bind(tcp(api), hosts.at("server", 80))), "EADDRINUSE");
}

TEST(InetSocket, ListenersThatAllReuseThePortShareTheConnectionsTheSameWayEveryTime) {
  std::array<size_t, 2> counts{};
  for (size_t run = 0; run < 2; ++run) {
    TestHosts hosts;
    SocketApi& api = hosts.server;
    std::array<Socket, 3> group;
    for (Socket& each : group) {
      each = tcp(api);
      set(api, each, SO_REUSEPORT, 1);
      EXPECT_EQ(outcome(api.bind(each, hosts.at("server", 80))), "ok");
      EXPECT_EQ(outcome(api.listen(each, 64)), "ok");
    }
    for (int i = 0; i < 60; ++i) {
      const Socket client = tcp(hosts.client);
      EXPECT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "EINPROGRESS");
    }
    size_t first = 0;
    while (api.accept(group[0])) ++first;
    EXPECT_GT(first, 8u);
    EXPECT_LT(first, 32u);
    counts[run] = first;
    EXPECT_EQ(outcome(api.close(group[0])), "ok");
    EXPECT_EQ(outcome(hosts.client.connect(tcp(hosts.client), hosts.at("server", 80))),
              "EINPROGRESS");
    EXPECT_TRUE(api.accept(group[1]).has_value());
    EXPECT_TRUE(api.accept(group[2]).has_value());
  }
  EXPECT_EQ(counts[0], counts[1]);
}

}  // namespace
}  // namespace netrig
