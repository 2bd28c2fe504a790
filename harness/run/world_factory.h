#pragma once
// The one place that names the worlds: which backends this build has, what each cannot do, and how
// a world for a scenario is made.

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/time.h"
#include "harness/link/fate.h"
#include "harness/real/sandbox.h"
#include "harness/run/runner.h"
#include "harness/sockets/world.h"

namespace netrig {

// The file that every world's capture is written to, in the run's folder.
inline constexpr const char* kCaptureName = "capture.pcapng";

// True if a run on the backend needs a sandbox child of its own.
bool needs_sandbox(const RunOptions& options);

// What the scenario wants of TCP in a network of its own.
TcpSettings tcp_settings(const Scenario& scenario);

// Inside a new sandbox of a run on `wire`, before its mounts: makes the hosts' namespaces and
// devices, and leaves them in `options` for make_world. The error is a sentence.
std::expected<void, std::string> prepare_network(const Scenario& scenario, RunOptions& options);

// What a world needs of the run that it is made for.
struct WorldHooks {
  LinkObserver& observer;
  // Called from the loop when SIGINT or SIGTERM asks the process to end (both must be blocked).
  std::function<void()> on_stop;
  // A world in virtual time calls this when it has taken so long on the machine's clock: its own
  // time may stand still, and no limit in it be reached.
  Duration wall_clock_max{0};
  std::function<void()> on_wall_clock_max = {};
  // Told of every packet of a simulated network, a line each, as it is sent; may be empty.
  std::function<void(std::string)> trace = {};
};

// `output`: the run's folder, for the capture. The error is a sentence.
std::expected<std::unique_ptr<World>, std::string> make_world(const Scenario& scenario,
                                                              const RunOptions& options,
                                                              const Fd& output, WorldHooks hooks);

}  // namespace netrig
