// How much a connection holds whose receiver does not read. The figures are those of Linux 6.18 on
// lo with an MTU of 1500 and without offloads, with reno and the sandbox's limits (tcp_rmem,
// tcp_wmem up to 1 MiB).

#include <numeric>

#include "fakes/host/host_testing.h"

namespace netrig {
namespace {

struct Filling {
  int receive_buffer = 0;  // as setsockopt takes it; 0: left alone
  int send_buffer = 0;
  bool greeted = true;  // five octets before
  bool read = false;    // and read
  size_t write = 262144;
};

// What each write took until one was refused.
std::vector<size_t> fill(const Filling& how, int64_t* grown = nullptr) {
  std::vector<size_t> writes;
  TestHosts hosts;
  hosts.run([&] {
    SocketApi& server = hosts.server;
    SocketApi& client = hosts.client;
    const Socket listener = *server.socket(AF_INET, SOCK_STREAM, 0);
    if (how.receive_buffer != 0) {
      EXPECT_TRUE(server.setsockopt(listener, SOL_SOCKET, SO_RCVBUF, how.receive_buffer));
    }
    EXPECT_TRUE(server.bind(listener, hosts.at("server", 80)));
    EXPECT_TRUE(server.listen(listener, 1));
    const Socket writer = *client.socket(AF_INET, SOCK_STREAM, 0);
    if (how.send_buffer != 0) {
      EXPECT_TRUE(client.setsockopt(writer, SOL_SOCKET, SO_SNDBUF, how.send_buffer));
    }
    ASSERT_TRUE(client.connect(writer, hosts.at("server", 80)));
    const auto accepted = server.accept(listener);
    ASSERT_TRUE(accepted);
    if (how.greeted) {
      EXPECT_TRUE(client.send(writer, "hello", 0));
    }
    if (how.read) {
      EXPECT_EQ(recv_text(server, accepted->socket, 5), "hello");
    }
    EXPECT_TRUE(client.set_nonblocking(writer, true));
    const Bytes data(how.write, 'x');
    while (const auto sent = client.send(writer, data, 0)) writes.push_back(*sent);
    if (grown != nullptr) *grown = *client.getsockopt(writer, SOL_SOCKET, SO_SNDBUF);
  });
  return writes;
}

size_t sum(const std::vector<size_t>& writes) {
  return std::accumulate(writes.begin(), writes.end(), size_t{0});
}

TEST(TcpMemory, AWriteTakesWhatItsPacketsLeaveRoomFor) {
  const std::pair<Filling, size_t> table[] = {
      {{32768, 32768}, 62264},
      {{32768, 32768, false}, 62264},
      {{32768, 32768, true, true}, 62264},
      {{0, 0}, 46336},
      {{0, 0, false}, 46336},
      {{4096, 4096}, 5792},
      {{0, 20000}, 46336},
      {{20000, 0}, 49232},
      {{400000, 400000}, 262144},
  };
  for (const auto& [how, octets] : table) {
    EXPECT_EQ(fill(how).front(), octets) << how.receive_buffer << " " << how.send_buffer;
  }
}

TEST(TcpMemory, SmallWritesGatherIntoPackets) {
  EXPECT_EQ(sum(fill({0, 0, true, false, 1000})), 66784u);
  EXPECT_EQ(sum(fill({32768, 32768, true, false, 1000})), 78816u);
  EXPECT_EQ(fill({4096, 4096}), (std::vector<size_t>{5792, 1448}));
}

// Linux, which may hold a packet back until more of the window is open (tcp_tso_should_defer),
// takes 94120 and 112944: here it is near.
TEST(TcpMemory, WhatAConnectionTakesInAllIsNearWhatLinuxTakes) {
  EXPECT_NEAR(static_cast<double>(sum(fill({32768, 32768}))), 94120.0, 9412.0);
  EXPECT_NEAR(static_cast<double>(sum(fill({20000, 0}))), 112944.0, 11294.0);
}

// tcp_sndbuf_expand(): 46080 once connected, more when the congestion window has grown.
TEST(TcpMemory, TheSendBufferGrowsUnlessItWasSet) {
  int64_t size = 0;
  EXPECT_EQ(sum(fill({0, 0, true, false, 1000}, &size)), 66784u);
  EXPECT_EQ(size, 46080);
  fill({0, 0}, &size);
  EXPECT_GE(size, 92160);
  fill({32768, 32768}, &size);
  EXPECT_EQ(size, 65536);
}

}  // namespace
}  // namespace netrig
