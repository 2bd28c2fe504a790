#include "harness/run/run_process.h"

#include <chrono>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/play.h"

namespace netrig {
namespace {

// How long past its own time limit a run's process may go on before it is ended from inside.
constexpr int kGraceSeconds = 15;

}  // namespace

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void block_stop_signals() {
  const sigset_t signals = stop_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

bool stop_is_asked() {
  sigset_t pending;
  return ::sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

// PID 1 of a namespace ignores default actions, so this is a handler.
void end_when_stuck(const Scenario& scenario, const RunOptions& options) {
  const Duration limit = time_limit(scenario, options);
  struct sigaction action{};
  action.sa_handler = [](int) { ::_exit(kHungStatus); };
  ::sigaction(SIGALRM, &action, nullptr);
  const int times = options.check_determinism ? 2 : 1;
  const auto seconds =
      times * (std::chrono::duration_cast<std::chrono::seconds>(limit).count() + kGraceSeconds);
  ::alarm(static_cast<unsigned>(seconds));
}

void write_all(const Fd& pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(pipe.get(), text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string process_end(int status, bool half_a_result) {
  if (WIFSIGNALED(status)) {
    return fmt::format("netrig's process for this run was killed by signal {}", WTERMSIG(status));
  }
  if (WEXITSTATUS(status) == kHungStatus) {
    return "netrig's process for this run hung and was ended";
  }
  return fmt::format("netrig's process for this run ended with status {}: {}", WEXITSTATUS(status),
                     half_a_result ? "half a result" : "no result");
}

}  // namespace netrig
