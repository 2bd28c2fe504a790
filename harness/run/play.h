#pragma once
// What happens inside one run's process: make the world, play the exchange, judge it, write the
// run's files. Everything that can go wrong is a result. Processes and pipes are the runner's
// business.

#include <functional>

#include "harness/base/fd.h"
#include "harness/run/runner.h"

namespace netrig {

// `output`: the run's folder. Writes journal.jsonl, capture.pcapng, ladder.txt and result.json into
// it and hands the result to `tell`, before the world is taken down. SIGINT and SIGTERM must be
// blocked.
void play_run(const Scenario& scenario, const RunOptions& options, const Judge& judge, Fd output,
              const std::function<void(const RunResult&)>& tell);

// How long the exchange may take: --timeout, else the scenario's own or kDefaultTimeout, times
// --time-scale.
Duration time_limit(const Scenario& scenario, const RunOptions& options);

// What is known of a run before it starts.
RunResult blank_result(const Scenario& scenario, const RunOptions& options);

}  // namespace netrig
