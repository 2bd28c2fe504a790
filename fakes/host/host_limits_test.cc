// What hosts do under more than they can hold: nothing grows without end, and all is given back.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "fakes/host/host_testing.h"
#include "fakes/tcp/stack.h"

namespace netrig {
namespace {

constexpr size_t kConnections = 10'000;

TEST(HostLimits, TenThousandConnectionsOpenedAndDroppedLeaveNothingBehind) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket listener = *hosts.server.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(hosts.server.bind(listener, hosts.at("server", 80)));
    ASSERT_TRUE(hosts.server.listen(listener, 10));
    for (size_t i = 0; i < kConnections; ++i) {
      const Socket client = *hosts.client.socket(AF_INET, SOCK_STREAM, 0);
      ASSERT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "ok") << i;
      const auto accepted = hosts.server.accept(listener);
      ASSERT_TRUE(accepted) << i;
      // Every other one by a reset, the rest in good order.
      ASSERT_TRUE(hosts.client.set_linger(client, {i % 2 == 0, 0}));
      ASSERT_TRUE(hosts.client.close(client));
      ASSERT_TRUE(hosts.server.close(accepted->socket));
    }
    EXPECT_GE(hosts.client.tcp().connection_count(), kConnections / 2) << "in TIME_WAIT";
    hosts.sleep(61s);
    EXPECT_EQ(hosts.client.tcp().connection_count(), 0u);
    EXPECT_EQ(hosts.server.tcp().connection_count(), 0u);
    ASSERT_TRUE(hosts.server.close(listener));
  });
  EXPECT_EQ(hosts.pool.blocks_in_use(), 0u);
}

TEST(HostLimits, TenThousandConnectionsAtOnceAreServed) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket listener = *hosts.server.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(hosts.server.bind(listener, hosts.at("server", 80)));
    ASSERT_TRUE(hosts.server.listen(listener, 10));
    std::vector<std::pair<Socket, Socket>> connections;
    for (size_t i = 0; i < kConnections; ++i) {
      const Socket client = *hosts.client.socket(AF_INET, SOCK_STREAM, 0);
      ASSERT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "ok") << i;
      connections.emplace_back(client, hosts.server.accept(listener)->socket);
    }
    for (const auto& [client, server] : connections) {
      ASSERT_EQ(*hosts.client.send(client, "x", 0), 1u);
      ASSERT_EQ(recv_text(hosts.server, server), "x");
    }
  });
}

TEST(HostLimits, AReceiverThatNeverReadsStopsItsSenderWithinTheBuffers) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket listener = *hosts.server.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(hosts.server.bind(listener, hosts.at("server", 80)));
    ASSERT_TRUE(hosts.server.listen(listener, 1));
    const Socket client = *hosts.client.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(hosts.client.connect(client, hosts.at("server", 80)));
    ASSERT_TRUE(hosts.client.set_nonblocking(client, true));
    const Bytes data(100'000, 'x');
    size_t taken = 0;
    for (int round = 0; round < 200; ++round) {
      while (const auto sent = hosts.client.send(client, data, 0)) taken += *sent;
      hosts.sleep(1s);
    }
    EXPECT_EQ(outcome(hosts.client.send(client, data, 0)), "EAGAIN");
    // tcp_wmem and tcp_rmem end at 1 MiB each.
    EXPECT_GT(taken, 64u << 10);
    EXPECT_LT(taken, 3u << 20);
  });
}

TEST(HostLimits, AFloodOfDatagramsFillsOneReceiveBufferAndNoMore) {
  TestHosts hosts;
  hosts.run([&] {
    const Socket server = *hosts.server.socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_TRUE(hosts.server.bind(server, hosts.at("server", 53)));
    const Socket client = *hosts.client.socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_TRUE(hosts.client.connect(client, hosts.at("server", 53)));
    const Bytes data(1000, 'x');
    for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(hosts.client.send(client, data, 0));
    EXPECT_LT(hosts.pool.blocks_in_use(), 400u);
    ASSERT_TRUE(hosts.server.set_nonblocking(server, true));
    size_t read = 0;
    while (recv_text(hosts.server, server) == data) ++read;
    EXPECT_GT(read, 50u);
    EXPECT_LT(read, 400u);
  });
}

TEST(HostLimits, HalfOpenConnectionsAreBoundedByTheBacklog) {
  LinkConfig one_way;
  one_way.rules.push_back({.match = Transport::kTcp, .nth = {}, .action = LinkRule::Action::kDrop});
  TestHosts hosts({{"server -> client", one_way}});  // no SYN-ACK ever arrives
  hosts.run([&] {
    const Socket listener = *hosts.server.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(hosts.server.bind(listener, hosts.at("server", 80)));
    ASSERT_TRUE(hosts.server.listen(listener, 8));
    for (int i = 0; i < 3000; ++i) {
      const Socket client = *hosts.client.socket(AF_INET, SOCK_STREAM, 0);
      ASSERT_TRUE(hosts.client.set_nonblocking(client, true));
      ASSERT_EQ(outcome(hosts.client.connect(client, hosts.at("server", 80))), "EINPROGRESS");
    }
    EXPECT_LE(hosts.server.tcp().connection_count(), 1100u);
    hosts.sleep(300s);
    EXPECT_EQ(hosts.server.tcp().connection_count(), 0u) << "SYN-ACKs were sent in vain";
  });
}

}  // namespace
}  // namespace netrig
