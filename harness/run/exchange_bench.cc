// How many whole runs a second one process plays on the simulated world: the world made, the
// exchange played, the world taken down. Without the files of a run, which cost more than that.

#include <benchmark/benchmark.h>
#include <memory>

#include "harness/run/exchange.h"
#include "harness/run/world_factory.h"
#include "harness/scenario/reader.h"
#include "harness/sockets/fiber.h"

namespace netrig {
namespace {

void play_hello(benchmark::State& state, const char* file) {
  const ReadResult read = read_scenario(std::string(NETRIG_SOURCE_DIR) + "/scenarios/" + file, {});
  if (!read.scenario) return state.SkipWithError("the scenario cannot be read");
  RunOptions options;
  options.backend = "fake";
  options.capture = false;
  StackPool stacks;
  options.stacks = &stacks;
  for (auto _ : state) {
    std::unique_ptr<World> world;
    Journal journal([&] { return world ? world->loop().now() : Instant{}; }, {});
    auto made = make_world(*read.scenario, options, Fd(), {.observer = journal, .on_stop = [] {}});
    if (!made) return state.SkipWithError(made.error().c_str());
    world = std::move(*made);
    Exchange exchange(*read.scenario, *world, journal, 1, kDefaultTimeout);
    if (!exchange.play().findings.empty()) return state.SkipWithError("the run failed");
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(play_hello, tcp, "hello-tcp.json");
BENCHMARK_CAPTURE(play_hello, udp, "hello-udp.json");

}  // namespace
}  // namespace netrig
