// Simulated Unix sockets against what Linux 6.18 answered to the same calls (each table below was
// taken from the kernel).

#include "fakes/host/unix_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "fakes/host/host_testing.h"

namespace netrig {
namespace {

constexpr short kAllBits = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

std::string bits(SocketApi& api, Socket socket) {
  const short events = poll_once(api, socket, kAllBits);
  std::string words;
  constexpr std::pair<short, const char*> kNames[] = {
      {POLLIN, "IN"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLRDHUP, "RDHUP"}};
  for (const auto& [bit, name] : kNames) {
    if ((events & bit) != 0) words += (words.empty() ? "" : "|") + std::string(name);
  }
  return words.empty() ? "-" : words;
}

class UnixSockets : public ::testing::TestWithParam<int> {
 protected:
  SocketApi& api() { return hosts.client; }
  Socket make(int type) {
    const Socket socket = *api().socket(AF_UNIX, type, 0);
    EXPECT_TRUE(api().set_nonblocking(socket, true));
    return socket;
  }
  std::pair<Socket, Socket> pair(int type) {
    const auto ends = *api().socketpair(AF_UNIX, type, 0);
    for (const Socket end : {ends.first, ends.second}) {
      EXPECT_TRUE(api().set_nonblocking(end, true));
    }
    return ends;
  }
  Socket listener(int type, const Endpoint& name, int backlog = 5) {
    const Socket socket = make(type);
    EXPECT_EQ(outcome(api().bind(socket, name)), "ok");
    EXPECT_EQ(outcome(api().listen(socket, backlog)), "ok");
    return socket;
  }
  std::string send(Socket socket, ByteView data) { return outcome(api().send(socket, data, 0)); }
  std::string recv(Socket socket) { return recv_text(api(), socket); }
  std::string poll(Socket socket) { return bits(api(), socket); }

  TestHosts hosts;
};

// How many writes of a size a socket takes until EAGAIN, and how many octets that is.
struct Capacity {
  size_t size;
  int writes;
  size_t octets;
};

TEST_F(UnixSockets, AStreamTakesAsManyWritesAsTheKernelsMemoryAccountingAllows) {
  constexpr Capacity kCases[] = {{1, 278, 278},       {192, 278, 53376},   {193, 167, 32231},
                                 {700, 167, 116900},  {1000, 93, 93000},   {1700, 93, 158100},
                                 {3776, 49, 185024},  {3777, 44, 166188},  {5000, 34, 170000},
                                 {8000, 24, 192000},  {16000, 13, 208000}, {32000, 7, 224000},
                                 {48832, 5, 231872},  {50000, 5, 236544},  {100000, 3, 236544},
                                 {212960, 1, 212960}, {1000000, 1, 219264}};
  for (const Capacity& expected : kCases) {
    const auto [a, b] = pair(SOCK_STREAM);
    const Bytes data(expected.size, 'x');
    int writes = 0;
    size_t octets = 0;
    for (auto sent = api().send(a, data, 0); sent; sent = api().send(a, data, 0)) {
      ++writes;
      octets += *sent;
    }
    EXPECT_EQ(writes, expected.writes) << expected.size;
    EXPECT_EQ(octets, expected.octets) << expected.size;
  }
}

TEST_F(UnixSockets, ConnectedDatagramsAreLimitedByTheSendersMemoryAlone) {
  constexpr Capacity kCases[] = {{0, 278, 0},         {1, 278, 278},      {3776, 49, 185024},
                                 {3777, 26, 98202},   {8000, 13, 104000}, {32000, 7, 224000},
                                 {48832, 5, 244160},  {50000, 4, 200000}, {100000, 3, 300000},
                                 {212960, 1, 212960}, {212961, 0, 0}};
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    for (const Capacity& expected : kCases) {
      const auto [a, b] = pair(type);
      const Bytes data(expected.size, 'x');
      int writes = 0;
      while (api().send(a, data, 0)) ++writes;
      EXPECT_EQ(writes, expected.writes) << expected.size;
    }
    const auto [a, b] = pair(type);
    EXPECT_EQ(send(a, Bytes(212961, 'x')), "EMSGSIZE");
  }
}

TEST_F(UnixSockets, AnUnconnectedReceiverHoldsElevenDatagrams) {
  const Socket receiver = make(SOCK_DGRAM);
  ASSERT_TRUE(api().bind(receiver, Endpoint::unix_abstract("q")));
  const Socket sender = make(SOCK_DGRAM);
  ASSERT_TRUE(api().connect(sender, Endpoint::unix_abstract("q")));
  for (int i = 0; i < 11; ++i) EXPECT_EQ(send(sender, "1"), "ok");
  EXPECT_EQ(send(sender, "1"), "EAGAIN");
  EXPECT_EQ(poll(sender), "-");
  EXPECT_EQ(poll(make(SOCK_DGRAM)), "OUT");
  EXPECT_EQ(recv(receiver), "1");
  EXPECT_EQ(poll(sender), "OUT");
}

TEST_F(UnixSockets, AFreshSocketAnswersAsTheKernels) {
  const Socket stream = make(SOCK_STREAM), dgram = make(SOCK_DGRAM), seq = make(SOCK_SEQPACKET);
  EXPECT_EQ(poll(stream), "OUT|HUP");
  EXPECT_EQ(poll(dgram), "OUT");
  EXPECT_EQ(poll(seq), "OUT|HUP");
  EXPECT_EQ(recv(stream), "EINVAL");
  EXPECT_EQ(recv(dgram), "EAGAIN");
  EXPECT_EQ(recv(seq), "ENOTCONN");
  for (const Socket socket : {stream, dgram, seq}) {
    EXPECT_EQ(send(socket, "x"), "ENOTCONN");
    EXPECT_EQ(outcome(api().getpeername(socket)), "ENOTCONN");
    EXPECT_EQ(outcome(api().shutdown(socket, SHUT_RDWR)), "ok");
    EXPECT_EQ(poll(socket), "IN|OUT|HUP|RDHUP");
    EXPECT_EQ(outcome(api().getsockopt(socket, IPPROTO_TCP, TCP_NODELAY)), "EOPNOTSUPP");
  }
  EXPECT_EQ(recv(stream), "EINVAL");
  EXPECT_EQ(recv(dgram), "EAGAIN");
  EXPECT_EQ(send(dgram, "x"), "EPIPE");
  EXPECT_EQ(outcome(api().accept(stream)), "EINVAL");
  EXPECT_EQ(outcome(api().accept(dgram)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api().listen(stream, 1)), "EINVAL") << "it has no name";
  EXPECT_EQ(outcome(api().listen(dgram, 1)), "EOPNOTSUPP");
}

TEST_F(UnixSockets, NamesAreChecked) {
  const Endpoint nobody = Endpoint::unix_abstract("nobody");
  const Endpoint no_path = Endpoint::unix_path("/tmp/nobody");
  EXPECT_EQ(outcome(api().connect(make(SOCK_STREAM), nobody)), "ECONNREFUSED");
  EXPECT_EQ(outcome(api().connect(make(SOCK_STREAM), no_path)), "ENOENT");
  EXPECT_EQ(outcome(api().sendto(make(SOCK_STREAM), "x", 0, nobody)), "EOPNOTSUPP");
  EXPECT_EQ(outcome(api().sendto(make(SOCK_DGRAM), "x", 0, no_path)), "ENOENT");
  EXPECT_EQ(outcome(api().sendto(make(SOCK_SEQPACKET), "x", 0, no_path)), "ENOTCONN");

  const Socket bound = make(SOCK_STREAM);
  EXPECT_EQ(outcome(api().bind(bound, Endpoint::unix_path("/tmp/a"))), "ok");
  EXPECT_EQ(outcome(api().bind(bound, Endpoint::unix_path("/tmp/b"))), "EINVAL");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), Endpoint::unix_path("/tmp//./a"))), "EADDRINUSE");
  EXPECT_EQ(outcome(api().connect(make(SOCK_STREAM), Endpoint::unix_path("/tmp/a"))),
            "ECONNREFUSED");
  EXPECT_EQ(outcome(api().connect(make(SOCK_DGRAM), Endpoint::unix_path("/tmp/a"))), "EPROTOTYPE");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), Endpoint::unix_path("/tmp/a/x"))), "ENOTDIR");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), Endpoint::unix_path("/tmp/no/x"))), "ENOENT");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), Endpoint::unix_path("/etc/x"))), "EACCES");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), Endpoint::unix_path("x"))), "EINVAL");

  EXPECT_EQ(outcome(api().bind(make(SOCK_STREAM), nobody)), "ok");
  EXPECT_EQ(outcome(api().bind(make(SOCK_DGRAM), nobody)), "ok") << "of another type";
  EXPECT_EQ(outcome(api().bind(make(SOCK_STREAM), nobody)), "EADDRINUSE");
  const Socket automatic = make(SOCK_STREAM);
  EXPECT_EQ(outcome(api().bind(automatic, Endpoint::unix_unnamed())), "ok");
  EXPECT_EQ(api().getsockname(automatic)->path().size(), 6u);
  EXPECT_EQ(outcome(api().bind(automatic, Endpoint::unix_unnamed())), "ok");
}

TEST_F(UnixSockets, APathOutlivesItsSocketAndAnAbstractNameDoesNot) {
  const Endpoint path = Endpoint::unix_path("/tmp/stale");
  const Endpoint name = Endpoint::unix_abstract("stale");
  for (const Endpoint& where : {path, name}) {
    ASSERT_TRUE(api().close(listener(SOCK_STREAM, where)));
    EXPECT_EQ(outcome(api().connect(make(SOCK_STREAM), where)), "ECONNREFUSED");
  }
  EXPECT_EQ(outcome(api().bind(make(SOCK_STREAM), path)), "EADDRINUSE");
  EXPECT_EQ(outcome(api().bind(make(SOCK_STREAM), name)), "ok");
}

TEST_F(UnixSockets, ABacklogOfOneHoldsTwoConnectionsThatCanSpeakBeforeTheyAreAccepted) {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const Endpoint where = Endpoint::unix_abstract("backlog");
    const Socket server = listener(type, where, 1);
    EXPECT_EQ(poll(server), "-");
    const Socket first = make(type), second = make(type), third = make(type);
    EXPECT_EQ(outcome(api().connect(first, where)), "ok");
    EXPECT_EQ(outcome(api().connect(first, where)), "EISCONN");
    EXPECT_EQ(outcome(api().connect(second, where)), "ok");
    EXPECT_EQ(outcome(api().connect(third, where)), "EAGAIN");
    EXPECT_EQ(poll(server), "IN");
    EXPECT_EQ(send(first, "early"), "ok");
    const auto accepted = api().accept(server);
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->peer, Endpoint::unix_unnamed());
    EXPECT_EQ(*api().getsockname(accepted->socket), where);
    EXPECT_EQ(*api().getpeername(first), where);
    EXPECT_EQ(recv(accepted->socket), "early");
    EXPECT_EQ(outcome(api().connect(third, where)), "ok");
    ASSERT_TRUE(api().close(server));
    EXPECT_EQ(poll(second), "IN|OUT|ERR|HUP|RDHUP") << "it was never accepted";
    EXPECT_EQ(recv(second), "ECONNRESET");
    EXPECT_EQ(recv(second), "");
    EXPECT_EQ(send(second, "1"), "EPIPE");
    for (const Socket socket : {first, second, third}) EXPECT_TRUE(api().close(socket));
  }
}

struct Ending {
  const char* how;
  const char* poll_a;
  const char* first_recv;
  const char* second_recv;
  const char* send;
};

TEST_F(UnixSockets, TheEndOfAStreamIsSeenAsTheKernelShowsIt) {
  constexpr Ending kCases[] = {
      {"close", "IN|OUT|HUP|RDHUP", "", "", "EPIPE"},
      {"close unread", "IN|OUT|ERR|HUP|RDHUP", "ECONNRESET", "", "EPIPE"},
      {"close both unread", "IN|OUT|ERR|HUP|RDHUP", "yy", "ECONNRESET", "EPIPE"},
      {"shutdown write", "IN|OUT|RDHUP", "q", "", "ok"},
      {"shutdown both", "IN|OUT|HUP|RDHUP", "", "", "EPIPE"}};
  for (const Ending& expected : kCases) {
    const std::string how = expected.how;
    const auto [a, b] = pair(SOCK_STREAM);
    if (how.ends_with("unread")) {
      EXPECT_EQ(send(a, "zz"), "ok");
    }
    if (how == "close both unread") {
      EXPECT_EQ(send(b, "yy"), "ok");
    }
    if (how == "shutdown write") {
      EXPECT_EQ(send(b, "q"), "ok");
    }
    if (how.starts_with("close")) {
      EXPECT_TRUE(api().close(b));
    }
    if (how == "shutdown write") {
      EXPECT_TRUE(api().shutdown(b, SHUT_WR));
    }
    if (how == "shutdown both") {
      EXPECT_TRUE(api().shutdown(b, SHUT_RDWR));
    }
    EXPECT_EQ(poll(a), expected.poll_a) << how;
    EXPECT_EQ(recv(a), expected.first_recv) << how;
    EXPECT_EQ(recv(a), expected.second_recv) << how;
    EXPECT_EQ(send(a, "m"), expected.send) << how;
    EXPECT_TRUE(api().getpeername(a)) << how;
  }
}

TEST_F(UnixSockets, ADatagramPeerThatIsGoneIsToldOnce) {
  const auto [a, b] = pair(SOCK_DGRAM);
  ASSERT_TRUE(api().close(b));
  EXPECT_EQ(poll(a), "OUT");
  EXPECT_EQ(recv(a), "EAGAIN");
  EXPECT_EQ(send(a, "m"), "ECONNREFUSED");
  EXPECT_EQ(send(a, "m"), "ENOTCONN");
  EXPECT_EQ(outcome(api().getpeername(a)), "ENOTCONN");
}

TEST_F(UnixSockets, AConnectedDatagramSocketHearsItsPeerOnly) {
  const auto bound = [&](const char* name) {
    const Socket socket = make(SOCK_DGRAM);
    EXPECT_TRUE(api().bind(socket, Endpoint::unix_abstract(name)));
    return socket;
  };
  const Socket server = bound("s"), client = bound("c"), other = bound("o");
  ASSERT_TRUE(api().connect(client, Endpoint::unix_abstract("s")));
  EXPECT_EQ(outcome(api().sendto(other, "x", 0, Endpoint::unix_abstract("c"))), "EPERM");
  EXPECT_EQ(outcome(api().connect(other, Endpoint::unix_abstract("c"))), "EPERM");
  EXPECT_EQ(outcome(api().sendto(server, "x", 0, Endpoint::unix_abstract("c"))), "ok");
  ASSERT_TRUE(api().shutdown(server, SHUT_RD));
  EXPECT_EQ(send(client, "1"), "EPIPE");
}

TEST_F(UnixSockets, RightsComeWithTheirOctetAndEndWhatIsReceivedTogether) {
  const auto [a, b] = pair(SOCK_STREAM);
  const auto [p, q] = pair(SOCK_STREAM);
  const ByteView two = "two";
  EXPECT_EQ(send(a, "one"), "ok");
  EXPECT_TRUE(api().sendmsg(a, {&two, 1}, 0, nullptr, {.rights = {p}, .credentials = {}}));
  EXPECT_EQ(send(a, "three"), "ok");
  ASSERT_TRUE(api().close(p));
  char buffer[100];
  const std::span<char> room(buffer);
  const auto first = api().recvmsg(b, {&room, 1}, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(ByteView(buffer, first->size), "onetwo");
  ASSERT_EQ(first->control.rights.size(), 1u);
  EXPECT_EQ(recv(b), "three");
  EXPECT_EQ(send(first->control.rights[0], "through it"), "ok");
  EXPECT_EQ(recv(q), "through it");
  ASSERT_TRUE(api().close(first->control.rights[0]));
  EXPECT_EQ(recv(q), "") << "the last handle was closed";
}

// Found by netrig_parity_check: unix_stream_read_generic() detaches them before it copies.
TEST_F(UnixSockets, AReadOfNothingFromAStreamTakesTheRightsThatComeNext) {
  const auto [a, b] = pair(SOCK_STREAM);
  const ByteView octet = "x";
  EXPECT_TRUE(api().sendmsg(a, {&octet, 1}, 0, nullptr, {.rights = {a}, .credentials = {}}));
  const auto nothing = api().recvmsg(b, {}, 0);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->size, 0u);
  ASSERT_EQ(nothing->control.rights.size(), 1u);
  ASSERT_TRUE(api().close(nothing->control.rights[0]));
  char buffer[10];
  const std::span<char> room(buffer);
  const auto rest = api().recvmsg(b, {&room, 1}, 0);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size, 1u);
  EXPECT_TRUE(rest->control.rights.empty());
}

// Found by netrig_parity_check.
TEST_F(UnixSockets, ALookAtAStreamGoesOnToTheFirstRights) {
  const auto [a, b] = pair(SOCK_STREAM);
  const ByteView octet = "x";
  EXPECT_EQ(send(a, "1"), "ok");
  EXPECT_TRUE(api().sendmsg(a, {&octet, 1}, 0, nullptr, {.rights = {a}, .credentials = {}}));
  const auto nothing = api().recvmsg(b, {}, MSG_PEEK);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->size, 0u);
  ASSERT_EQ(nothing->control.rights.size(), 1u);
  ASSERT_TRUE(api().close(nothing->control.rights[0]));
}

// Sockets that hold each other in their queues: nothing leaks (asan looks).
TEST_F(UnixSockets, ASocketThatIsSentThroughItselfIsFreedInTheEnd) {
  const auto [a, b] = pair(SOCK_STREAM);
  const ByteView octet = "x";
  EXPECT_TRUE(api().sendmsg(a, {&octet, 1}, 0, nullptr, {.rights = {b}, .credentials = {}}));
  EXPECT_TRUE(api().close(b));
  EXPECT_TRUE(api().close(a));
}

TEST_F(UnixSockets, CredentialsAreToldToWhoAsksAndMessagesOfDifferentOnesAreNotGlued) {
  const auto [a, b] = pair(SOCK_STREAM);
  EXPECT_EQ(send(a, "before"), "ok");
  ASSERT_TRUE(api().setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1));
  EXPECT_EQ(send(a, "after"), "ok");
  char buffer[100];
  const std::span<char> room(buffer);
  const auto first = api().recvmsg(b, {&room, 1}, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(ByteView(buffer, first->size), "before");
  ASSERT_EQ(first->control.credentials.size(), 1u);
  EXPECT_EQ(first->control.credentials[0].uid, 65534);
  const auto second = api().recvmsg(b, {&room, 1}, 0);
  ASSERT_TRUE(second);
  EXPECT_EQ(ByteView(buffer, second->size), "after");
  ASSERT_EQ(second->control.credentials.size(), 1u);
  EXPECT_EQ(second->control.credentials[0].pid, 2);
}

TEST_F(UnixSockets, ABlockedSenderGoesOnWhenThreeQuartersOfItsBufferAreFree) {
  hosts.run([&] {
    const auto [a, b] = *api().socketpair(AF_UNIX, SOCK_STREAM, 0);
    const Socket reader = b;
    Instant done{};
    hosts.spawn("reader", [&, reader] {
      for (int i = 0; i < 75; ++i) {
        hosts.sleep(1ms);
        EXPECT_EQ(recv_text(api(), reader, 4000).size(), 4000u);
      }
    });
    EXPECT_EQ(*api().send(a, Bytes(300'000, 'x'), 0), 300'000u);
    done = hosts.loop.now();
    EXPECT_GT(done, Instant(20ms));
    EXPECT_LT(done, Instant(80ms));
    hosts.sleep(1s);
  });
}

TEST_F(UnixSockets, DatagramsBetweenHostsCrossTheLinkAndTheOthersDoNot) {
  LinkConfig faulty;
  faulty.rules.push_back(
      {.match = Transport::kUnixDgram, .nth = {2}, .action = LinkRule::Action::kDrop});
  faulty.delay = {5ms, 5ms};
  TestHosts world({{"client -> server", faulty}});
  world.run([&] {
    const Socket server = *world.server.socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_TRUE(world.server.bind(server, Endpoint::unix_path("/tmp/log")));
    const Socket client = *world.client.socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_TRUE(world.client.connect(client, Endpoint::unix_path("/tmp/log")));
    for (const char* text : {"1", "2", "3"}) EXPECT_EQ(*world.client.send(client, text, 0), 1u);
    EXPECT_EQ(recv_text(world.server, server), "1");
    EXPECT_EQ(world.loop.now(), Instant(5ms));
    EXPECT_EQ(recv_text(world.server, server), "3");
  });
  ASSERT_EQ(world.observed.fates.size(), 3u);
  EXPECT_EQ(world.observed.fates[0].packet.flow, "unix_dgram|server:${tmp}/log|1");
  EXPECT_EQ(world.observed.fates[1].fate.dropped, DropCause::kRule);
}

}  // namespace
}  // namespace netrig
