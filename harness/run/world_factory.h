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
#include "harness/link/fate.h"
#include "harness/run/runner.h"
#include "harness/sockets/world.h"

namespace netrig {

// True if a run on the backend needs a sandbox child of its own.
bool needs_sandbox(const RunOptions& options);

// `output`: the run's folder, for the capture. `on_stop`: called from the loop when SIGINT or
// SIGTERM asks the process to end (both must be blocked). The error is a sentence.
std::expected<std::unique_ptr<World>, std::string> make_world(const Scenario& scenario,
                                                              const RunOptions& options, Fd output,
                                                              LinkObserver& observer,
                                                              std::function<void()> on_stop);

}  // namespace netrig
