#include "harness/run/runner.h"

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/real/sandbox.h"
#include "harness/run/machine_refusal.h"
#include "harness/run/play.h"
#include "harness/run/run_process.h"
#include "harness/run/run_worker.h"
#include "harness/run/world_factory.h"

namespace netrig {
namespace {

// Programs and their files lie beside the scenario, or below the folder that netrig was called in.
std::vector<std::string> folders_of_programs(const RunOptions& options) {
  std::error_code error;
  const std::filesystem::path here = std::filesystem::current_path(error);
  const std::filesystem::path scenario = (here / options.scenario_path).lexically_normal();
  return {here.string(), scenario.parent_path().string()};
}

// `options` are the child's own: what is made with its sandbox is left there for `body`.
std::expected<pid_t, std::string> start_child(const Scenario& scenario, RunOptions& options,
                                              const std::function<int()>& body) {
  if (needs_sandbox(options)) {
    SandboxOptions sandbox{.host_count = scenario.hosts.size(), .tcp = tcp_settings(scenario)};
    if (options.backend == "wire") {
      sandbox.host_count = 0;
      sandbox.network = [&] { return prepare_network(scenario, options); };
    }
    if (!scenario.processes.empty()) sandbox.visible = folders_of_programs(options);
    auto child = start_in_sandbox(sandbox, body);
    if (!child) return std::unexpected(child.error());
    return child->pid;
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(fmt::format("fork: {}", std::strerror(errno)));
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::_exit(body());
}

}  // namespace

struct RunningJob::State {
  RunResult result;  // blank until it has ended
  bool ended = false;
  bool killed = false;
  bool interrupted = false;
  // One of the two plays it.
  pid_t pid = -1;
  Fd pipe;
  std::string received;
  std::unique_ptr<RunWorker> worker;
  Runner* runner = nullptr;  // gets the worker back

  ~State() {
    if (!ended && worker) worker->signal(SIGKILL);
    if (pid < 0) return;
    if (!ended) ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  // The pipe has ended: the result is there, or the process came to nothing.
  void end_process() {
    pipe.reset();
    if (take(received)) return;
    int status = 0;
    ::waitpid(pid, &status, 0);
    pid = -1;
    come_to_nothing(status, !received.empty());
  }

  bool take(const std::string& json) {
    ended = true;
    auto told = result_from_json(json);
    if (told) result = std::move(*told);
    return told.has_value();
  }

  void come_to_nothing(int status, bool half_a_result) {
    ended = true;
    // A worker that is asked to end between two runs has none to tell of.
    const bool asked = killed || (interrupted && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    result.verdict = asked ? Verdict::kInterrupted : Verdict::kError;
    if (!asked) result.reason = process_end(status, half_a_result);
  }

  void read_pipe() {
    char buffer[65536];
    while (true) {
      const ssize_t got = ::read(pipe.get(), buffer, sizeof buffer);
      if (got > 0) {
        received.append(buffer, static_cast<size_t>(got));
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      return end_process();
    }
  }

  void read_worker() {
    if (const auto json = worker->read_result()) {
      if (!take(*json)) result.reason = "netrig's process for this run told half a result";
      runner->keep(std::move(worker));
    } else if (worker->ended()) {
      come_to_nothing(worker->wait(), false);
      worker.reset();
    }
  }
};

RunningJob::RunningJob(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunningJob::RunningJob(RunningJob&&) noexcept = default;
RunningJob& RunningJob::operator=(RunningJob&&) noexcept = default;
RunningJob::~RunningJob() = default;

Runner::Runner(Judge judge) : judge_(std::move(judge)) {}
Runner::~Runner() = default;

RunningJob Runner::start(const Scenario& scenario, const RunOptions& options) {
  auto state = std::make_unique<RunningJob::State>();
  state->result = blank_result(scenario, options);
  state->runner = this;
  const auto end_with = [&](Verdict verdict, std::string reason) {
    state->result.verdict = verdict;
    state->result.reason = std::move(reason);
    state->ended = true;
    return RunningJob(std::move(state));
  };
  if (scenario.skip) return end_with(Verdict::kSkipped, scenario.skip->reason);
  if (auto reason = reason_unsupported(scenario, options.backend)) {
    return end_with(Verdict::kUnsupported, *reason);
  }
  if (!is_wall_clock(options.backend)) {
    auto worker = worker_for(scenario, options);
    if (!worker) return end_with(Verdict::kError, worker.error());
    state->worker = std::move(*worker);
    state->worker->ask(options);
    return RunningJob(std::move(state));
  }
  auto started = start_process(scenario, options);
  if (!started) return end_with(started.error().verdict, started.error().reason);
  state->pid = started->pid;
  state->pipe = std::move(started->pipe);
  return RunningJob(std::move(state));
}

// What a run needs, tried by itself, tells the machine's refusal from a lack of the moment.
Runner::NotStarted Runner::explain(const RunOptions& options, const std::string& error) {
  if (!needs_sandbox(options)) return {Verdict::kError, error};
  if (!refusals_.contains(options.backend)) {
    const auto refusal = why_machine_cannot(options.backend);
    if (!refusal) return {Verdict::kError, fmt::format("the sandbox could not be made: {}", error)};
    refusals_[options.backend] = *refusal;
  }
  return {Verdict::kUnsupported, refusals_[options.backend]};
}

std::expected<Runner::Process, Runner::NotStarted> Runner::start_process(
    const Scenario& scenario, const RunOptions& options) {
  const auto failed = [](const std::string& what) {
    const std::string reason = fmt::format("{}: {}", what, std::strerror(errno));
    return std::unexpected(NotStarted{Verdict::kError, reason});
  };
  Fd output(::open(options.output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!output) return failed("cannot open " + options.output);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("pipe");
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  RunOptions own = options;
  const auto body = [&]() -> int {
    block_stop_signals();
    end_when_stuck(scenario, own);
    play_run(scenario, own, judge_, std::move(output), [&](const RunResult& result) {
      write_all(write_end, result_to_json(result));
      write_end.reset();  // whoever reads need not wait for what the kernel tidies up at our end
    });
    return 0;
  };
  const auto pid = start_child(scenario, own, body);
  if (!pid) return std::unexpected(explain(options, pid.error()));
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  return Process{*pid, std::move(read_end)};
}

std::expected<std::unique_ptr<RunWorker>, std::string> Runner::worker_for(
    const Scenario& scenario, const RunOptions& options) {
  for (auto worker = idle_.begin(); worker != idle_.end(); ++worker) {
    if (!(*worker)->serves(scenario, options)) continue;
    std::unique_ptr<RunWorker> found = std::move(*worker);
    idle_.erase(worker);
    return found;
  }
  idle_.clear();  // the plan goes scenario by scenario: those are done with
  return RunWorker::start(scenario, options, judge_);
}

void Runner::keep(std::unique_ptr<RunWorker> worker) {
  if (!worker->ended()) idle_.push_back(std::move(worker));
}

int RunningJob::descriptor() const {
  if (state_->ended) return -1;
  return state_->worker ? state_->worker->descriptor() : state_->pipe.get();
}

void RunningJob::on_readable() {
  if (state_->ended) return;
  if (state_->worker) {
    state_->read_worker();
  } else {
    state_->read_pipe();
  }
}

std::optional<RunResult> RunningJob::take_result() {
  if (!state_->ended) return std::nullopt;
  return state_->result;
}

void RunningJob::interrupt() {
  state_->interrupted = true;
  if (state_->worker) state_->worker->signal(SIGTERM);
  if (state_->pid > 0) ::kill(state_->pid, SIGTERM);
}

void RunningJob::kill() {
  state_->killed = true;
  if (state_->worker) state_->worker->signal(SIGKILL);
  if (state_->pid > 0) ::kill(state_->pid, SIGKILL);
}

bool RunningJob::gone() {
  if (state_->pid > 0 && ::waitpid(state_->pid, nullptr, WNOHANG) == state_->pid) state_->pid = -1;
  return state_->pid < 0;
}

}  // namespace netrig
