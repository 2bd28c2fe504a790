#pragma once
// One run: a scenario, a seed and a backend go in; a verdict, a journal, a capture and the files of
// the run come out. The world is made here and nowhere else (world_factory.cc names the backends).
// Real runs happen in a child process inside the sandbox; several can be under way at once
// (RunningJob). Expectations are judged by a function that the caller gives, since checks live
// above this floor.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/base/time_scale.h"
#include "harness/run/journal.h"
#include "harness/run/process_run.h"
#include "harness/run/result.h"
#include "harness/scenario/model.h"

namespace netrig {

class StackPool;

class WireNetwork;

struct RunOptions {
  std::string scenario_path;  // for the result and `again`
  std::string backend = "real";
  uint64_t seed = 1;
  Duration timeout{0};   // --timeout; 0: the scenario's own, or kDefaultTimeout
  TimeScale time_scale;  // --time-scale: of limits on the machine's clock
  Duration spin{0};      // --spin: on wire, before it sleeps; 0: kWireSpin
  bool host_network = false;
  bool allow_remote = false;
  bool capture = true;
  bool check_determinism = false;  // on fake: play it twice and compare every event
  std::string output;              // the run's own folder, made already: OUT/<id>/<backend>-<seed>
  std::string again;               // the command that repeats this run
  std::string row;                 // Scenario::row
  // Why it is known to fail, from `expected_failure` or the known failures; empty: it should pass.
  std::string expected_failure;
  bool strict = false;  // a failed `should` or `may` is a failure like any other
  // Where fibers of simulated worlds get their stacks, for runs that follow each other in a
  // process; null: each makes its own.
  StackPool* stacks = nullptr;
  // Made with the sandbox of a run on `wire`: the hosts' namespaces and devices.
  std::shared_ptr<WireNetwork> wire;
};

inline constexpr Duration kDefaultTimeout = 30s;

// What expectations look at: a finished exchange.
struct FinishedRun {
  const Scenario& scenario;
  const RunOptions& options;
  const Journal& journal;
  const std::vector<DeliveryStatistics>& delivery;
  // "server.port" -> "5001", "server.address" -> "10.0.0.1": for filters and streams.
  const std::map<std::string, std::string>& variables;
  const std::string& capture_path;  // empty without a capture
  const std::vector<ProcessOutcome>& processes;
};
using Judge = std::function<std::vector<Finding>(const FinishedRun&)>;

// Backends that this build has, in order of preference: "fake", "real", "wire".
const std::vector<std::string>& known_backends();

// True if its time is the machine's; false: virtual, and nothing of the machine is used.
bool is_wall_clock(const std::string& backend);

// By what the limits of a run are multiplied: --time-scale, unless its time is virtual.
TimeScale time_scale(const RunOptions& options);

// Why the scenario cannot run on the backend, without trying: its `backends` list, a link fault
// that the backend cannot apply. Empty if nothing speaks against it.
std::optional<std::string> reason_unsupported(const Scenario& scenario, const std::string& backend);

// A run under way in a child process (or finished already, when it could not start).
class RunningJob {
 public:
  RunningJob(RunningJob&&) noexcept;
  RunningJob& operator=(RunningJob&&) noexcept;
  ~RunningJob();  // kills what still runs

  // Readable when there is something for on_readable(); -1 if the job has ended already.
  int descriptor() const;
  void on_readable();
  std::optional<RunResult> take_result();  // once it has ended
  void interrupt();                        // asks it to end and write what is known
  void kill();
  // After its result: true once its process has ended too. The destructor waits for that.
  bool gone();

 private:
  friend class Runner;
  struct State;
  explicit RunningJob(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class RunWorker;

// Starts runs. One on `real` has a process of its own, in a sandbox; those of one scenario on
// `fake` are played one after the other by a process that is kept for the next, since starting it
// would take longer than most of them. It must outlive its jobs, and so must the scenarios.
class Runner {
 public:
  explicit Runner(Judge judge);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Never fails: what goes wrong is a result with verdict error, invalid or unsupported.
  RunningJob start(const Scenario& scenario, const RunOptions& options);

  // Why this machine cannot run a backend, and how to get it, by backend: of those that a run was
  // started on, and could not. Such runs are unsupported.
  const std::map<std::string, std::string>& refusals() const { return refusals_; }

 private:
  friend class RunningJob;
  struct Process {
    pid_t pid = -1;
    Fd pipe;  // its result, then the end
  };
  struct NotStarted {
    Verdict verdict = Verdict::kError;
    std::string reason;
  };
  std::expected<Process, NotStarted> start_process(const Scenario& scenario,
                                                   const RunOptions& options);
  NotStarted explain(const RunOptions& options, const std::string& error);
  std::expected<std::unique_ptr<RunWorker>, std::string> worker_for(const Scenario& scenario,
                                                                    const RunOptions& options);
  void keep(std::unique_ptr<RunWorker> worker);

  Judge judge_;
  std::vector<std::unique_ptr<RunWorker>> idle_;
  std::map<std::string, std::string> refusals_;
};

}  // namespace netrig
