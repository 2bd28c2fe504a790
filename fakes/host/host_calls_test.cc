// Handles, poll, refusals and options of simulated hosts: bodies of harness/real's own tests.
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "fakes/host/host_testing.h"

namespace netrig {
namespace {

TEST(HostCalls, HandlesAreSmallReusedAndOfOneHost) {
  TestHosts hosts;
  const Socket a = hosts.client.socket(AF_INET, SOCK_STREAM, 0).value();
  const Socket b = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  EXPECT_EQ(a.handle, 3);
  EXPECT_EQ(hosts.server.socket(AF_INET, SOCK_STREAM, 0).value(), a);
  EXPECT_EQ(outcome(hosts.client.close(a)), "ok");
  EXPECT_EQ(outcome(hosts.client.close(a)), "EBADF");
  EXPECT_EQ(outcome(hosts.client.getsockname(a)), "EBADF");
  EXPECT_EQ(outcome(hosts.client.close(Socket{-1})), "EBADF");
  EXPECT_EQ(outcome(hosts.client.close(Socket{0})), "EBADF");
  EXPECT_EQ(hosts.client.socket(AF_INET, SOCK_STREAM, 0).value(), a);
  EXPECT_NE(a, b);
}

TEST(HostCalls, TooManyHandlesAreRefused) {
  FakeHostOptions options;
  options.handles_max = 2;
  TestHosts hosts({}, options);
  const Socket first = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  EXPECT_EQ(outcome(hosts.client.socket(AF_INET, SOCK_DGRAM, 0)), "ok");
  EXPECT_EQ(outcome(hosts.client.socket(AF_INET, SOCK_DGRAM, 0)), "EMFILE");
  EXPECT_EQ(outcome(hosts.client.close(first)), "ok");
  EXPECT_EQ(hosts.client.socket(AF_INET, SOCK_STREAM, 0), first);
}

TEST(HostCalls, OnlySocketsThatLinksCanSeeAreMade) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_RAW, IPPROTO_RAW)), "ESOCKTNOSUPPORT");
  EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_SEQPACKET, 0)), "ESOCKTNOSUPPORT");
  EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)), "EPROTONOSUPPORT");
  EXPECT_EQ(outcome(api.socket(AF_PACKET, SOCK_RAW, 0)), "EAFNOSUPPORT");
  EXPECT_EQ(outcome(api.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), "EINVAL");
  EXPECT_EQ(outcome(api.socketpair(AF_INET, SOCK_STREAM, 0)), "EOPNOTSUPP");
}

TEST(HostCalls, PollTellsExactlyWhatIsReady) {
  TestHosts hosts;
  const Socket server = hosts.server.socket(AF_INET, SOCK_DGRAM, 0).value();
  const Socket idle = hosts.server.socket(AF_INET, SOCK_DGRAM, 0).value();
  const Socket closed = hosts.server.socket(AF_INET, SOCK_DGRAM, 0).value();
  ASSERT_EQ(outcome(hosts.server.bind(server, hosts.at("server", 53))), "ok");
  ASSERT_EQ(outcome(hosts.server.close(closed)), "ok");
  hosts.spawn("poller", [&] {
    SocketApi& api = hosts.server;
    std::array<PollEntry, 2> entries{{{idle, POLLIN, 0}, {server, POLLIN, 0}}};
    EXPECT_EQ(api.poll(entries, 0ms), 0);
    EXPECT_EQ(api.poll(entries, 5ms), 0);
    EXPECT_EQ(hosts.loop.now(), Instant{} + 5ms);
    EXPECT_EQ(api.poll(entries, -1ns), 1);
    EXPECT_EQ(hosts.loop.now(), Instant{} + 15ms);
    EXPECT_EQ(entries[0].revents, 0);
    EXPECT_EQ(entries[1].revents, POLLIN);
    std::array<PollEntry, 1> bad{{{closed, POLLIN, 0}}};
    EXPECT_EQ(api.poll(bad, -1ns), 1);
    EXPECT_EQ(bad[0].revents, POLLNVAL);
    const DeadlineScope scope(hosts.loop, hosts.loop.now() + 5ms);
    std::array<PollEntry, 1> never{{{idle, POLLIN, 0}}};
    EXPECT_EQ(api.poll(never, -1ns).error(), Errno::timeout());
  });
  hosts.spawn("writer", [&] {
    hosts.sleep(15ms);
    const Socket socket = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
    EXPECT_EQ(outcome(hosts.client.sendto(socket, "x", 0, hosts.at("server", 53))), "ok");
  });
  hosts.run();
}

TEST(HostCalls, ClosingASocketWakesTheFiberThatReadsFromIt) {
  TestHosts hosts;
  const Socket socket = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  hosts.spawn("reader", [&] { EXPECT_EQ(recv_text(hosts.client, socket), "EBADF"); });
  hosts.spawn("poller", [&] {
    PollEntry entry{socket, POLLIN, 0};
    EXPECT_EQ(hosts.client.poll({&entry, 1}, -1ns), 1);
    EXPECT_EQ(entry.revents, POLLNVAL);
  });
  hosts.spawn("closer", [&] { EXPECT_EQ(outcome(hosts.client.close(socket)), "ok"); });
  hosts.run();
}

TEST(HostCalls, OutsideAFiberACallDoesNotWait) {
  TestHosts hosts;
  const Socket socket = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  EXPECT_EQ(recv_text(hosts.client, socket), "EAGAIN");
  PollEntry entry{socket, POLLIN, 0};
  EXPECT_EQ(hosts.client.poll({&entry, 1}, -1ns), 0);
}

TEST(HostCalls, ReaderWhoIsNeverAnsweredIsKnownToBeStuck) {
  TestHosts hosts;
  const Socket socket = hosts.client.socket(AF_INET, SOCK_DGRAM, 0).value();
  hosts.spawn("reader", [&] { recv_text(hosts.client, socket); });
  EXPECT_EQ(hosts.loop.run(), Loop::Ended::kStuck);
}

struct OptionCase {
  int domain, type, level, name;
  int64_t value;
  const char* result;
  int64_t told;  // afterwards
};

// Values and errors are those of Linux 6.18.
TEST(HostCalls, OptionsAreTakenAndToldAsByLinux) {
  const OptionCase cases[] = {
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, 0, "ok", 2304},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, 1460, "ok", 2920},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, -1, "ok", 8388608},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_SNDBUF, 1, "ok", 4608},
      {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_SNDBUF, 100000, "ok", 200000},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVLOWAT, 0, "ok", 1},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVLOWAT, 1000000, "ok", 524288},
      {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVLOWAT, -1, "ok", 2147483647},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, 7, "ok", 1},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_TYPE, 1, "ENOPROTOOPT", 1},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PROTOCOL, 1, "ENOPROTOOPT", 6},
      {AF_INET6, SOCK_DGRAM, SOL_SOCKET, SO_DOMAIN, 1, "ENOPROTOOPT", AF_INET6},
      {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PRIORITY, -1, "ok", -1},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, 2, "ok", 1},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_MAXSEG, 87, "EINVAL", 536},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_MAXSEG, 1000, "ok", 1000},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPIDLE, 0, "EINVAL", 7200},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPIDLE, 32767, "ok", 32767},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPCNT, 128, "EINVAL", 9},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_SYNCNT, 127, "ok", 127},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_LINGER2, -5, "ok", -1},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_LINGER2, 200, "ok", 120},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_DEFER_ACCEPT, 16, "ok", 31},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1000, "ok", 1087},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_WINDOW_CLAMP, 7, "ok", 1152},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_USER_TIMEOUT, -1, "EINVAL", 0},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_QUICKACK, 0, "ok", 0},
      {AF_INET, SOCK_STREAM, IPPROTO_IP, IP_TTL, 0, "EINVAL", 64},
      {AF_INET, SOCK_STREAM, IPPROTO_IP, IP_TTL, 255, "ok", 255},
      {AF_INET, SOCK_STREAM, IPPROTO_IP, IP_TOS, 255, "ok", 252},
      {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_TOS, 255, "ok", 255},
      {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MTU_DISCOVER, 6, "EINVAL", 1},
      {AF_INET6, SOCK_STREAM, IPPROTO_IPV6, IPV6_V6ONLY, 5, "ok", 1},
      {AF_INET6, SOCK_STREAM, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 0, "ok", 0},
      {AF_INET6, SOCK_STREAM, IPPROTO_IPV6, IPV6_TCLASS, 255, "ok", 252},
      {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_TCLASS, 256, "EINVAL", 0},
  };
  TestHosts hosts;
  for (const OptionCase& each : cases) {
    const Socket socket = hosts.client.socket(each.domain, each.type, 0).value();
    const std::string where = std::to_string(each.level) + "/" + std::to_string(each.name);
    EXPECT_EQ(outcome(hosts.client.setsockopt(socket, each.level, each.name, each.value)),
              each.result)
        << where;
    EXPECT_EQ(hosts.client.getsockopt(socket, each.level, each.name), each.told) << where;
    EXPECT_EQ(outcome(hosts.client.close(socket)), "ok");
  }
}

TEST(HostCalls, OptionsOfOtherProtocolsAreRefusedAsByLinux) {
  TestHosts hosts;
  SocketApi& api = hosts.client;
  const Socket tcp = api.socket(AF_INET, SOCK_STREAM, 0).value();
  const Socket udp = api.socket(AF_INET, SOCK_DGRAM, 0).value();
  const Socket six = api.socket(AF_INET6, SOCK_DGRAM, 0).value();
  EXPECT_EQ(outcome(api.getsockopt(udp, IPPROTO_TCP, TCP_NODELAY)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api.setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, 1)), "ENOPROTOOPT");
  EXPECT_EQ(outcome(api.getsockopt(six, IPPROTO_TCP, TCP_NODELAY)), "ENOPROTOOPT");
  EXPECT_EQ(outcome(api.getsockopt(tcp, IPPROTO_IPV6, IPV6_V6ONLY)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api.setsockopt(tcp, SOL_SOCKET, SO_PASSCRED, 1)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api.setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, -1)), "EDOM");
  EXPECT_EQ(outcome(api.setsockopt(tcp, SOL_SOCKET, SO_RCVBUF, int64_t{1} << 40)), "EINVAL");
  EXPECT_EQ(api.getsockopt_bytes(tcp, IPPROTO_TCP, TCP_CONGESTION, 4), "reno");
  EXPECT_EQ(outcome(api.setsockopt_bytes(tcp, IPPROTO_TCP, TCP_CONGESTION, "cubic")), "ok");
  EXPECT_EQ(outcome(api.setsockopt_bytes(tcp, IPPROTO_TCP, TCP_CONGESTION, "bogus")), "ENOENT");
  EXPECT_EQ(outcome(api.setsockopt_bytes(tcp, IPPROTO_TCP, TCP_CONGESTION, "")), "EINVAL");
  EXPECT_EQ(api.getsockopt_bytes(tcp, IPPROTO_TCP, TCP_CONGESTION, 99),
            Bytes("cubic") + Bytes(11, '\0'));
  EXPECT_EQ(api.getsockopt_bytes(tcp, IPPROTO_TCP, TCP_INFO, 4), Bytes("\7\0\0\0", 4));
  EXPECT_EQ(outcome(api.setsockopt_bytes(tcp, IPPROTO_IP, IP_TTL, "\7")), "ok");
  EXPECT_EQ(api.getsockopt_bytes(tcp, IPPROTO_IP, IP_TTL, 1), "\7");
  EXPECT_EQ(outcome(api.set_linger(tcp, {.on = true, .seconds = 7})), "ok");
  EXPECT_EQ(outcome(api.set_linger(tcp, {.on = false, .seconds = 3})), "ok");
  EXPECT_EQ(api.get_linger(tcp)->seconds, 7);
  EXPECT_FALSE(api.get_linger(tcp)->on);
  EXPECT_EQ(api.peer_credentials(tcp)->uid, -1);
}

}  // namespace
}  // namespace netrig
