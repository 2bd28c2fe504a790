#pragma once
// For tests of the wire: a body that runs in a sandbox with a network of hosts, for each kind of
// port, and a world on such a network.

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/real/real_testing.h"
#include "harness/wire/wire_network.h"
#include "harness/wire/wire_world.h"

namespace netrig {

using SharedNetwork = std::shared_ptr<WireNetwork>;

// As in_sandbox(). Skips, with the reason, where the machine refuses the network: most let nobody
// but root open /dev/net/tun.
inline void in_network(const WireNetworkOptions& options,
                       const std::function<void(const SharedNetwork&)>& body) {
  SharedNetwork network;  // of the child
  SandboxOptions sandbox{.host_count = options.host_count};
  sandbox.network = [&]() -> std::expected<void, std::string> {
    auto made = WireNetwork::make(options);
    if (!made) return std::unexpected(made.error());
    network = std::move(*made);
    return {};
  };
  in_sandbox(sandbox, [&] { body(network); });
}

// On whichever kind of port this machine has.
inline void in_network(const std::function<void(const SharedNetwork&)>& body) {
  in_network(WireNetworkOptions(), body);
}

// The hosts "client" and "server" at the ends of a wire. Use inside in_network, once: what is left
// of a world's packets would be the next one's.
class WireTestWorld : public TestWorld {
 public:
  explicit WireTestWorld(const SharedNetwork& network, std::map<std::string, LinkConfig> links = {},
                         uint64_t seed = 7, bool capture_sent = false)
      : TestWorld(std::move(links), seed, [&](RealWorldOptions options) {
          return make_wire_world(
              {.real = std::move(options), .network = network, .capture_sent = capture_sent});
        }) {}
};

inline LinkConfig rule(LinkRule::Action action, std::set<uint64_t> nth) {
  LinkConfig link;
  link.rules.push_back({.nth = std::move(nth), .action = action});
  return link;
}

inline LinkConfig lossy(uint32_t ppm) {
  LinkConfig link;
  link.loss.ppm = ppm;
  return link;
}

inline std::string interface_of(const Recording& recording, const CapturedPacket& packet) {
  return recording.interfaces.at(packet.interface).name;
}

inline std::vector<std::string> comments(const Recording& recording) {
  std::vector<std::string> all;
  for (const auto& packet : recording.packets) all.push_back(packet.comment);
  return all;
}

inline Socket listener_of(TestWorld& world, uint16_t port, bool v6) {
  const Socket socket = world.server().socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0).value();
  EXPECT_EQ(outcome(world.server().bind(socket, world.at("server", port, v6))), "ok");
  EXPECT_EQ(outcome(world.server().listen(socket, 4)), "ok");
  return socket;
}

// `data` from client to server:80; what arrived until the end of the stream.
inline std::string transfer(TestWorld& world, const std::string& data, bool v6 = false) {
  const Socket listener = listener_of(world, 80, v6);
  std::string got;
  world.spawn("server", [&] {
    const auto accepted = world.server().accept(listener);
    ASSERT_EQ(outcome(accepted), "ok");
    std::string buffer(1 << 16, '\0');
    while (const auto size = world.server().recv(accepted->socket, buffer, 0)) {
      if (*size == 0) break;
      got.append(buffer, 0, *size);
    }
    world.server().close(accepted->socket);
    world.server().close(listener);
  });
  world.spawn("client", [&] {
    const Socket socket = world.client().socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0).value();
    ASSERT_EQ(outcome(world.client().connect(socket, world.at("server", 80, v6))), "ok");
    EXPECT_EQ(world.client().send(socket, data, 0), data.size());
    world.client().close(socket);
  });
  world.run();
  return got;
}

// Octets that differ from their neighbours.
inline std::string varied_octets(size_t size) {
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31 ^ i >> 8);
  return data;
}

inline std::string name_of_kind(const testing::TestParamInfo<PortKind>& kind) {
  return kind.param == PortKind::kTun ? "Tun" : "Packet";
}
inline auto both_kinds() {
  return testing::Values(PortKind::kTun, PortKind::kPacket);
}

}  // namespace netrig
