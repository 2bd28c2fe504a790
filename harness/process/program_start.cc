#include "harness/process/program_start.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/process/program_path.h"

namespace netrig {
namespace {

// What goes through the pipes: kStarted and kEnded are the keeper's, kFailed whoever could not go
// on.
struct Report {
  enum Kind : int { kStarted, kFailed, kEnded };
  int kind = kStarted;
  int value = 0;  // pid; errno; wait status
  std::array<char, 16> call{};
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_with(errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void tell(int fd, Report::Kind kind, int value, const char* call = "") {
  Report report{kind, value, {}};
  std::strncpy(report.call.data(), call, report.call.size() - 1);
  static_cast<void>(!::write(fd, &report, sizeof report));  // nobody is left to hear of a failure
}

// Those that container runtimes leave to servers. Without CAP_SYS_ADMIN read-only mounts stay so,
// and without CAP_SYS_PTRACE netrig's own process cannot be looked into.
constexpr std::array kKeptCapabilities = {
    CAP_CHOWN,      CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,           CAP_KILL,
    CAP_SETGID,     CAP_SETUID,       CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW,
    CAP_SYS_CHROOT, CAP_AUDIT_WRITE,  CAP_SETFCAP, CAP_SYS_NICE,
};

void drop_capabilities() {
  for (int capability = 0; capability <= 63; ++capability) {
    bool kept = false;
    for (const int one : kKeptCapabilities) kept |= one == capability;
    // EINVAL: this kernel does not know it.
    if (!kept) ::prctl(PR_CAPBSET_DROP, capability);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_limits() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  rlimit files{};
  // What a login has: programs with select(2) break with more.
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min<rlim_t>(1024, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

struct Prepared {
  const ProgramCommand& command;
  std::string file;  // what is executed
  std::vector<char*> arguments;
  std::vector<std::string> variables;  // "NAME=value"
  std::vector<char*> environment;
  Pipe input;
  Pipe output;
  Pipe errors;
};

// `executed`: closed by a successful execve.
[[noreturn]] void run_program(Prepared& program, const Fd& executed) {
  const auto stop = [&](const char* call) {
    tell(executed.get(), Report::kFailed, errno, call);
    ::_exit(127);
  };
  ::setsid();
  if (::chdir(program.command.folder.c_str()) != 0) stop("chdir");
  // They were opened close-on-exec; dup2's copies are not.
  if (::dup2(program.input.read.get(), STDIN_FILENO) < 0 ||
      ::dup2(program.output.write.get(), STDOUT_FILENO) < 0 ||
      ::dup2(program.errors.write.get(), STDERR_FILENO) < 0) {
    stop("dup2");
  }
  set_limits();
  reset_signals();
  drop_capabilities();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execve(program.file.c_str(), program.arguments.data(), program.environment.data());
  stop("execve");
  ::_exit(127);
}

// Waits for all that the program was, is and left behind.
[[noreturn]] void keep(Prepared& program, const Fd& report, const Fd& executed) {
  ::prctl(PR_SET_NAME, "netrig-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::setsid();
  const pid_t first = ::fork();
  if (first == 0) run_program(program, executed);
  if (first < 0) {
    tell(report.get(), Report::kFailed, errno, "fork");
    ::_exit(1);
  }
  // A pipe of the program's that stays open here would never end; neither would a socket.
  const int kept = 3;
  if (report.get() != kept) ::dup2(report.get(), kept);
  ::close_range(kept + 1, ~0U, 0);
  for (const int standard : {0, 1, 2}) ::close(standard);
  tell(kept, Report::kStarted, first);
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == first) tell(kept, Report::kEnded, status);
    if (ended < 0 && errno != EINTR) ::_exit(0);
  }
}

void point_at(std::vector<char*>& pointers, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
}

std::unexpected<StartProblem> problem(const char* call, Errno error) {
  return std::unexpected(StartProblem{call, error});
}

// One report, waited for; nothing if the pipe ends without one.
std::optional<Report> await_report(const Fd& pipe) {
  while (true) {
    Report told;
    const ssize_t got = ::read(pipe.get(), &told, sizeof told);
    if (got == sizeof told) return told;
    if (got < 0 && errno == EINTR) continue;
    return std::nullopt;
  }
}

// Until the program runs, or cannot. The write ends are closed in this process already.
std::optional<StartProblem> await_start(const Fd& executed, const Fd& report,
                                        StartedProgram& started) {
  if (const auto failed = await_report(executed)) {
    return StartProblem{failed->call.data(), Errno(failed->value)};
  }
  const auto told = await_report(report);
  if (!told) return StartProblem{"fork", Errno(EAGAIN)};
  if (told->kind == Report::kFailed) return StartProblem{told->call.data(), Errno(told->value)};
  started.pid = told->value;
  return std::nullopt;
}

void make_nonblocking(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

}  // namespace

std::string ProgramEnd::to_string() const {
  if (signal == 0) return fmt::format("ended with exit status {}", status);
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("was killed by SIG{}", name)
                         : fmt::format("was killed by signal {}", signal);
}

std::expected<StartedProgram, StartProblem> start_program(const ProgramCommand& command) {
  const auto path = command.environment.find("PATH");
  const std::string_view folders =
      path == command.environment.end() ? std::string_view() : std::string_view(path->second);
  auto file = find_program(command.arguments.at(0), folders);
  if (!file) return problem("execve", file.error());

  Prepared program{command, std::move(*file), {}, {}, {}, {}, {}, {}};
  point_at(program.arguments, command.arguments);
  for (const auto& [name, value] : command.environment) {
    program.variables.push_back(fmt::format("{}={}", name, value));
  }
  point_at(program.environment, program.variables);
  auto report = make_pipe();
  for (Pipe* pipe : {&program.input, &program.output, &program.errors}) {
    auto made = make_pipe();
    if (!made || !report) return problem("pipe2", made ? report.error() : made.error());
    *pipe = std::move(*made);
  }

  auto executed = make_pipe();
  if (!executed) return problem("pipe2", executed.error());
  StartedProgram started;
  started.keeper = ::fork();
  if (started.keeper == 0) keep(program, report->write, executed->write);
  if (started.keeper < 0) return problem("fork", Errno(errno));
  report->write.reset();
  executed->write.reset();
  program.input.read.reset();
  program.output.write.reset();
  program.errors.write.reset();
  if (auto failed = await_start(executed->read, report->read, started)) {
    while (::waitpid(started.keeper, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::unexpected(std::move(*failed));
  }
  started.report = std::move(report->read);
  started.input = std::move(program.input.write);
  started.output = std::move(program.output.read);
  started.errors = std::move(program.errors.read);
  for (const Fd* fd : {&started.report, &started.input, &started.output, &started.errors}) {
    make_nonblocking(*fd);
  }
  return started;
}

std::optional<ProgramEnd> take_program_end(const Fd& report, bool& gone) {
  std::optional<ProgramEnd> end;
  while (true) {
    Report told;
    const ssize_t got = ::read(report.get(), &told, sizeof told);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) gone = true;
    if (got != sizeof told) return end;
    if (told.kind != Report::kEnded) continue;
    const bool exited = WIFEXITED(told.value);
    end = ProgramEnd{exited ? WEXITSTATUS(told.value) : 0, exited ? 0 : WTERMSIG(told.value)};
  }
}

}  // namespace netrig
