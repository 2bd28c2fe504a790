#include <gtest/gtest.h>

#include "fakes/tcp/stack_testing.h"

namespace netrig::tcp {
namespace {

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 131 + i / 251) & 0xFF);
  return text;
}

// Moves `sent` from one end to the other and reads as it comes, then a FIN.
std::string transfer(TwoHosts& hosts, Connection& from, Connection& to, const std::string& sent) {
  size_t done = 0;
  bool shut = false;
  bool eof = false;
  std::string received;
  const auto pump = [&] {
    while (done < sent.size()) {
      const auto count = send_text(from, hosts.now(), std::string_view(sent).substr(done));
      if (!count) break;
      done += *count;
    }
    if (done == sent.size() && !shut) {
      shut = true;
      EXPECT_TRUE(from.shutdown(hosts.now(), false, true));
    }
    while (true) {
      const auto text = receive_text(to, hosts.now());
      if (!text) break;
      if (text->empty()) {
        eof = true;
        break;
      }
      received += *text;
    }
  };
  hosts.each_step = pump;
  pump();
  for (int i = 0; i < 2'000'000 && !eof && hosts.step(); ++i) {
  }
  hosts.each_step = nullptr;
  EXPECT_TRUE(eof);
  return received;
}

TEST(StackFlow, ThreeSegmentsMakeAConnection) {
  TwoHosts hosts;
  const auto [client, server] = hosts.established();
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(client->state(), State::kEstablished);
  EXPECT_EQ(server->state(), State::kEstablished);
  ASSERT_EQ(hosts.log.size(), 3u);
  EXPECT_EQ(hosts.log[0].segment.flags, kTcpSyn);
  EXPECT_EQ(hosts.log[1].segment.flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(hosts.log[2].segment.flags, kTcpAck);
  // What Linux sends with these buffers (tcp_select_initial_window).
  EXPECT_EQ(hosts.log[0].segment.window, 64240);
  EXPECT_EQ(hosts.log[1].segment.window, 65160);
  EXPECT_EQ(hosts.log[0].segment.window_scale, 5);
  EXPECT_EQ(server->peer(), Endpoint(kClientAddress, 40000));
}

TEST(StackFlow, OctetsArriveOnceAndInOrder) {
  TwoHosts hosts;
  const auto [client, server] = hosts.established();
  const std::string text = pattern(3'000'000);
  EXPECT_EQ(transfer(hosts, *client, *server, text), text);
  EXPECT_EQ(client->info().sent.retransmitted_segments, 0u);
}

TEST(StackFlow, CloseOfBothEndsLeavesOneTimeWait) {
  TwoHosts hosts;
  const auto [client, server] = hosts.established();
  client->close(hosts.now(), false);
  hosts.run_for(100ms);
  EXPECT_EQ(server->state(), State::kCloseWait);
  EXPECT_EQ(receive_text(*server, hosts.now()), "");
  server->close(hosts.now(), false);
  hosts.run_for(100ms);
  EXPECT_EQ(hosts.server.connection_count(), 0u);
  EXPECT_EQ(hosts.client.connection_count(), 1u);
  EXPECT_EQ(hosts.client.port_use({kClientAddress, 40000}), Stack::PortUse::kTimeWait);
  hosts.run_for(60s);
  EXPECT_EQ(hosts.client.connection_count(), 0u);
  EXPECT_EQ(hosts.client.port_use({kClientAddress, 40000}), Stack::PortUse::kFree);
}

TEST(StackFlow, LossDoublingAndReorderingDoNotTouchTheStream) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    TwoHosts hosts(seed);
    hosts.keep_log = false;
    const auto [client, server] = hosts.established();
    const Chance chance(seed, stable_hash("stack_flow_test"));
    hosts.fate = [&](const Passing& passing) {
      const uint64_t number = passing.number * 2 + (passing.to_server ? 1 : 0);
      TwoHosts::Fate fate;
      fate.drop = chance.below(100, number, Purpose::kLoss) < 3;
      fate.copies = chance.below(100, number, Purpose::kDuplicate) < 3 ? 2 : 1;
      if (chance.below(100, number, Purpose::kReorder) < 5) fate.extra = 7ms;
      return fate;
    };
    const std::string there = pattern(400'000);
    EXPECT_EQ(transfer(hosts, *client, *server, there), there) << seed;
    const std::string back = pattern(200'000);
    EXPECT_EQ(transfer(hosts, *server, *client, back), back) << seed;
    client->close(hosts.now(), false);
    server->close(hosts.now(), false);
    hosts.run_for(700s);
    EXPECT_EQ(hosts.client.connection_count() + hosts.server.connection_count(), 0u) << seed;
  }
}

TEST(StackFlow, WithoutSackTimestampsAndScalingTheStreamIsWholeToo) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    TwoHosts hosts(seed);
    hosts.keep_log = false;
    ConnectionOptions options;
    options.sack = options.timestamps = options.window_scaling = false;
    const auto [client, server] = hosts.established(options);
    EXPECT_FALSE(server->info().sack);
    EXPECT_FALSE(server->info().send_scale);
    const Chance chance(seed, stable_hash("stack_flow_test"));
    hosts.fate = [&](const Passing& passing) {
      TwoHosts::Fate fate;
      fate.drop = chance.below(100, passing.number, Purpose::kLoss) < 2;
      return fate;
    };
    const std::string text = pattern(200'000);
    EXPECT_EQ(transfer(hosts, *client, *server, text), text) << seed;
  }
}

TEST(StackFlow, AReaderWhoSleepsClosesTheWindowAndGetsEverything) {
  TwoHosts hosts;
  const auto [client, server] = hosts.established();
  const std::string text = pattern(2'000'000);
  size_t done = 0;
  const auto write = [&] {
    while (done < text.size()) {
      const auto count = send_text(*client, hosts.now(), std::string_view(text).substr(done));
      if (!count) break;
      done += *count;
    }
  };
  hosts.each_step = write;
  write();
  hosts.run_for(20s);
  EXPECT_LT(done, text.size());
  EXPECT_GT(client->info().sent.zero_window_probes, 0u);
  // Not more than the buffer was promised.
  EXPECT_LE(server->readable_octets(), 131'072u);
  std::string received;
  while (received.size() < text.size()) {
    const auto part = receive_text(*server, hosts.now());
    if (part) {
      received += *part;
    } else {
      ASSERT_EQ(part.error(), Errno(EAGAIN));
      ASSERT_TRUE(hosts.step());
    }
  }
  EXPECT_EQ(received, text);
}

TEST(StackFlow, SimultaneousOpenMakesOneConnection) {
  TwoHosts hosts;
  Connection* a = hosts.connect({}, 40000, 80);
  Connection* b = *hosts.server.connect(hosts.now(), {kServerAddress, 80}, {kClientAddress, 40000},
                                        {}, nullptr);
  hosts.run_for(1s);
  EXPECT_EQ(a->state(), State::kEstablished);
  EXPECT_EQ(b->state(), State::kEstablished);
  EXPECT_EQ(transfer(hosts, *a, *b, "hello"), "hello");
}

TEST(StackFlow, SimultaneousCloseEndsInTwoTimeWaits) {
  TwoHosts hosts;
  const auto [client, server] = hosts.established();
  client->close(hosts.now(), false);
  server->close(hosts.now(), false);
  hosts.run_for(1s);
  EXPECT_EQ(hosts.client.port_use({kClientAddress, 40000}), Stack::PortUse::kTimeWait);
  EXPECT_EQ(hosts.server.connection_count(), 1u);
  hosts.run_for(61s);
  EXPECT_EQ(hosts.client.connection_count() + hosts.server.connection_count(), 0u);
}

TEST(StackFlow, TheReceiveBufferGrowsWithTheFlow) {
  TwoHosts hosts;
  hosts.keep_log = false;
  hosts.delay = 50ms;
  ConnectionOptions options;
  options.send_buffer = options.send_buffer_max = 4 << 20;
  options.send_buffer_fixed = true;
  const auto [client, server] = hosts.established(options);
  uint32_t largest = 0;
  hosts.fate = [&](const Passing& passing) {
    if (!passing.to_server) {
      largest = std::max(largest, uint32_t{passing.segment.window} << 5);
    }
    return TwoHosts::Fate{};
  };
  const std::string text = pattern(6'000'000);
  EXPECT_EQ(transfer(hosts, *client, *server, text), text);
  EXPECT_GT(largest, 400'000u);  // it began at 64 KiB
  EXPECT_LE(largest, 663'552u);  // of tcp_rmem's largest, payload's part of full segments
}

TEST(StackFlow, EcnEchoesUntilTheSenderReduced) {
  TwoHosts hosts;
  ConnectionOptions options;
  options.ecn = true;
  const auto [client, server] = hosts.established(options);
  EXPECT_TRUE(client->info().ecn);
  EXPECT_TRUE(server->info().ecn);
  uint64_t marked = 0, echoes = 0, reduced = 0;
  hosts.fate = [&](const Passing& passing) {
    TwoHosts::Fate fate;
    if (passing.to_server && passing.segment.ecn == Ecn::kEct0 &&
        passing.segment.relative_seq > 50'000 && marked == 0) {
      fate.mark = Ecn::kCe;
      ++marked;
    }
    if (!passing.to_server && passing.segment.has(kTcpEce)) ++echoes;
    if (passing.to_server && passing.segment.has(kTcpCwr)) ++reduced;
    return fate;
  };
  const std::string text = pattern(500'000);
  EXPECT_EQ(transfer(hosts, *client, *server, text), text);
  EXPECT_EQ(marked, 1u);
  EXPECT_GT(echoes, 0u);
  EXPECT_EQ(reduced, 1u);
  EXPECT_EQ(client->info().sent.retransmitted_segments, 0u);
}

TEST(StackFlow, ManyIdleConnectionsHaveNoDeadline) {
  TwoHosts hosts;
  hosts.keep_log = false;
  hosts.listen({}, 4096);
  for (uint16_t port = 10000; port < 12000; ++port) {
    hosts.connect({}, port);
    if (port % 500 == 499) hosts.run_for(1s);  // the SYN queue is shorter
  }
  hosts.run_for(1s);
  size_t accepted = 0;
  while (hosts.listener->accept(nullptr) != nullptr) ++accepted;
  EXPECT_EQ(accepted, 2000u);
  EXPECT_EQ(hosts.client.next_deadline(), Instant::max());
  EXPECT_EQ(hosts.server.next_deadline(), Instant::max());
}

}  // namespace
}  // namespace netrig::tcp
