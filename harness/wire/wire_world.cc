#include "harness/wire/wire_world.h"

#include "harness/base/require.h"
#include "harness/wire/wire_path.h"

namespace netrig {

std::expected<std::unique_ptr<RealWorld>, std::string> make_wire_world(WireWorldOptions options) {
  NETRIG_REQUIRE(options.network != nullptr && !options.real.host_network &&
                 options.network->size() == options.real.hosts.size());
  WirePathOptions path{
      .links = options.real.links, .seed = options.real.seed, .capture_sent = options.capture_sent};
  if (options.real.spin == Duration{0}) options.real.spin = kWireSpin;
  options.real.carrier = [network = std::move(options.network),
                          path = std::move(path)](const CarrierSurroundings& world) {
    return std::make_unique<WirePath>(world, network, path);
  };
  return RealWorld::make(std::move(options.real));
}

}  // namespace netrig
