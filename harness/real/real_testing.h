#pragma once
// For tests of the real world: a body that runs in a sandbox of its own, and a world with fibers, a
// recording observer and its capture read back.

#include <expected>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <vector>

#include "harness/capture/capture_reader.h"
#include "harness/net/packet.h"
#include "harness/real/real_world.h"
#include "harness/real/sandbox.h"

namespace netrig {

// Runs `body` in a sandboxed child and fails the test if an expectation failed there. Skips, with
// the reason, where the machine refuses sandboxes.
inline void in_sandbox(const SandboxOptions& options, const std::function<void()>& body) {
  auto child = start_in_sandbox(options, [&] {
    body();
    return ::testing::Test::HasFailure() ? 1 : 0;
  });
  if (!child) GTEST_SKIP() << child.error();
  EXPECT_EQ(wait_for_sandbox(*child), 0) << "the expectations that failed stand above";
}
inline void in_sandbox(const std::function<void()>& body, size_t host_count = 4) {
  in_sandbox({.host_count = host_count}, body);
}

struct Observed final : LinkObserver {
  void on_fate(const FateRecord& record) override { fates.push_back(record); }
  void on_arrival(const ArrivalRecord& record) override { arrivals.push_back(record); }
  std::vector<FateRecord> fates;
  std::vector<ArrivalRecord> arrivals;

  // Ordinals of the packets that were dropped, in order.
  std::vector<uint64_t> lost() const {
    std::vector<uint64_t> ordinals;
    for (const auto& record : fates) {
      if (record.fate.dropped != DropCause::kNone) ordinals.push_back(record.packet.ordinal);
    }
    return ordinals;
  }
};

// A world of the hosts "client" and "server". Use inside in_sandbox.
class TestWorld {
 public:
  using Make = std::function<std::expected<std::unique_ptr<RealWorld>, std::string>(
      RealWorldOptions options)>;

  explicit TestWorld(std::map<std::string, LinkConfig> links = {}, uint64_t seed = 7,
                     const Make& make = RealWorld::make) {
    ::mkdir("/tmp/out", 0755);
    RealWorldOptions options;
    options.hosts = {"client", "server"};
    options.links = std::move(links);
    options.seed = seed;
    options.output_directory = Fd(::open("/tmp/out", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    options.observer = &observed;
    auto made = make(std::move(options));
    if (!made) throw std::runtime_error(made.error());
    world = std::move(*made);
  }

  SocketApi& client() { return world->host("client"); }
  SocketApi& server() { return world->host("server"); }
  RealLoop& loop() { return world->loop(); }
  Endpoint at(const std::string& host, uint16_t port, bool v6 = false) const {
    return Endpoint(world->address(host, v6), port);
  }
  void spawn(const std::string& name, std::function<void()> body) {
    loop().spawn(name, [this, name, body = std::move(body)] {
      loop().set_activity(name);
      body();
    });
  }
  void run() { EXPECT_EQ(loop().run(), Loop::Ended::kFinished); }
  // Until nothing is under way in the links.
  void settle() {
    EXPECT_EQ(loop().run_until([this] { return !world->packets_under_way(); }),
              Loop::Ended::kFinished);
  }
  WorldReport finish() {
    WorldReport report = world->finish();
    EXPECT_EQ(report.invalid, std::vector<std::string>());
    auto read = read_capture_file("/tmp/out/capture.pcapng");
    EXPECT_TRUE(read.has_value());
    if (read) recording = std::move(*read);
    return report;
  }

  Observed observed;
  std::unique_ptr<RealWorld> world;
  Recording recording;  // after finish()
};

inline std::string received(const Result<size_t>& size, const std::string& buffer) {
  return size ? buffer.substr(0, *size) : size.error().name();
}
// One recv as text: the octets, or the name of the error.
inline std::string recv_text(SocketApi& api, Socket socket, size_t room = 4096, int flags = 0) {
  std::string buffer(room, '\0');
  return received(api.recv(socket, buffer, flags), buffer);
}
template <typename T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : result.error().name();
}

// `count` datagrams from client to server:53, one a time, read until silence.
inline std::vector<std::string> send_numbers(TestWorld& world, int count, size_t payload = 0) {
  const Socket server = world.server().socket(AF_INET, SOCK_DGRAM, 0).value();
  EXPECT_EQ(outcome(world.server().bind(server, world.at("server", 53))), "ok");
  std::vector<std::string> got;
  world.spawn("server", [&, server] {
    world.server().setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 200'000);
    while (true) {
      const std::string text = recv_text(world.server(), server, 65536);
      if (text == "EAGAIN") break;
      got.push_back(text.substr(0, text.find(' ')));
    }
  });
  world.spawn("client step 1", [&, count, payload] {
    const Socket socket = world.client().socket(AF_INET, SOCK_DGRAM, 0).value();
    for (int i = 1; i <= count; ++i) {
      std::string text = std::to_string(i);
      if (payload > 0) text += " " + std::string(payload, 'x');
      EXPECT_EQ(outcome(world.client().sendto(socket, text, 0, world.at("server", 53))), "ok");
      if (i % 50 == 0) world.loop().sleep_until(world.loop().now() + 1ms);
    }
  });
  world.run();
  return got;
}

inline Packet decoded(const CapturedPacket& packet) {
  auto result = decode_packet(packet.data);
  EXPECT_TRUE(result.has_value());
  return result ? *result : Packet();
}

inline void expect_clean(const Recording& recording) {
  for (const auto& captured : recording.packets) {
    const Packet packet = decoded(captured);
    EXPECT_TRUE(packet.ip_checksum_ok);
    EXPECT_TRUE(packet.transport_checksum_ok) << format_packet(packet);
    EXPECT_LE(captured.original_length, 1500u);
  }
}

}  // namespace netrig
