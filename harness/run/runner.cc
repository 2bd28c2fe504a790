#include "harness/run/runner.h"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/real/sandbox.h"
#include "harness/run/play.h"
#include "harness/run/world_factory.h"

namespace netrig {
namespace {

// How long past its own time limit a run's process may go on before it is ended from inside.
constexpr int kGraceSeconds = 15;

void block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// A run whose loop no longer turns must still end. PID 1 of a namespace ignores default actions, so
// this is a handler.
void end_when_stuck(const Scenario& scenario, const RunOptions& options) {
  const Duration limit = time_limit(scenario, options);
  struct sigaction action{};
  action.sa_handler = [](int) { ::_exit(124); };
  ::sigaction(SIGALRM, &action, nullptr);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(limit).count() + kGraceSeconds;
  ::alarm(static_cast<unsigned>(seconds));
}

void write_all(const Fd& pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(pipe.get(), text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::expected<pid_t, std::string> start_child(const Scenario& scenario, const RunOptions& options,
                                              const std::function<int()>& body) {
  if (needs_sandbox(options)) {
    auto child = start_in_sandbox({.host_count = scenario.hosts.size()}, body);
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
  pid_t pid = -1;
  Fd pipe;
  std::string received;
  bool ended = false;
  bool killed = false;

  ~State() {
    if (pid < 0) return;
    if (!ended) ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  // The pipe has ended: the result is there, or the process came to nothing.
  void end() {
    pipe.reset();
    ended = true;
    if (auto told = result_from_json(received)) {
      result = std::move(*told);
      return;
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    pid = -1;
    if (killed) {
      result.verdict = Verdict::kInterrupted;
    } else {
      result.verdict = Verdict::kError;
      result.reason =
          WIFSIGNALED(status) ? fmt::format("netrig's process for this run was killed by signal {}",
                                            WTERMSIG(status))
          : WEXITSTATUS(status) == 124
              ? "netrig's process for this run hung and was ended"
              : fmt::format("netrig's process for this run ended with status {}: {}",
                            WEXITSTATUS(status), received.empty() ? "no result" : "half a result");
    }
  }
};

RunningJob::RunningJob(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunningJob::RunningJob(RunningJob&&) noexcept = default;
RunningJob& RunningJob::operator=(RunningJob&&) noexcept = default;
RunningJob::~RunningJob() = default;

RunningJob RunningJob::start(const Scenario& scenario, const RunOptions& options,
                             const Judge& judge) {
  auto state = std::make_unique<State>();
  state->result = blank_result(scenario, options);
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
  Fd output(::open(options.output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!output) {
    return end_with(Verdict::kError,
                    fmt::format("cannot open {}: {}", options.output, std::strerror(errno)));
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return end_with(Verdict::kError, fmt::format("pipe: {}", std::strerror(errno)));
  }
  state->pipe = Fd(ends[0]);
  Fd write_end(ends[1]);
  const auto body = [&]() -> int {
    block_stop_signals();
    end_when_stuck(scenario, options);
    play_run(scenario, options, judge, std::move(output), [&](const RunResult& result) {
      write_all(write_end, result_to_json(result));
      write_end.reset();  // whoever reads need not wait for what the kernel tidies up at our end
    });
    return 0;
  };
  const auto pid = start_child(scenario, options, body);
  if (!pid) {
    return end_with(
        Verdict::kError,
        fmt::format("no sandbox on this machine: {} (`netrig doctor` says more)", pid.error()));
  }
  state->pid = *pid;
  write_end.reset();
  ::fcntl(state->pipe.get(), F_SETFL, O_NONBLOCK);
  return RunningJob(std::move(state));
}

int RunningJob::descriptor() const {
  return state_->ended ? -1 : state_->pipe.get();
}

void RunningJob::on_readable() {
  if (state_->ended) return;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(state_->pipe.get(), buffer, sizeof buffer);
    if (got > 0) {
      state_->received.append(buffer, static_cast<size_t>(got));
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    return state_->end();
  }
}

std::optional<RunResult> RunningJob::take_result() {
  if (!state_->ended) return std::nullopt;
  return state_->result;
}

void RunningJob::interrupt() {
  if (state_->pid > 0) ::kill(state_->pid, SIGTERM);
}

void RunningJob::kill() {
  state_->killed = true;
  if (state_->pid > 0) ::kill(state_->pid, SIGKILL);
}

bool RunningJob::gone() {
  if (state_->pid > 0 && ::waitpid(state_->pid, nullptr, WNOHANG) == state_->pid) state_->pid = -1;
  return state_->pid < 0;
}

RunResult run_scenario(const Scenario& scenario, const RunOptions& options, const Judge& judge) {
  RunningJob job = RunningJob::start(scenario, options, judge);
  while (job.descriptor() >= 0) {
    pollfd waiting{job.descriptor(), POLLIN, 0};
    if (::poll(&waiting, 1, -1) > 0) job.on_readable();
  }
  return *job.take_result();
}

}  // namespace netrig
