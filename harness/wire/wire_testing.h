#pragma once
// For tests of the wire: a body that runs in a sandbox with a network of hosts, for each kind of
// port, and a world on such a network.

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <utility>

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

// The hosts "client" and "server" at the ends of a wire. Use inside in_network, once: what is left
// of a world's packets would be the next one's.
class WireTestWorld : public TestWorld {
 public:
  explicit WireTestWorld(const SharedNetwork& network,
                         std::map<std::string, LinkConfig> links = {}, uint64_t seed = 7,
                         bool capture_sent = false)
      : TestWorld(std::move(links), seed, [&](RealWorldOptions options) {
          return make_wire_world(
              {.real = std::move(options), .network = network, .capture_sent = capture_sent});
        }) {}
};

inline std::string name_of_kind(const testing::TestParamInfo<PortKind>& kind) {
  return kind.param == PortKind::kTun ? "Tun" : "Packet";
}
inline auto both_kinds() {
  return testing::Values(PortKind::kTun, PortKind::kPacket);
}

}  // namespace netrig
