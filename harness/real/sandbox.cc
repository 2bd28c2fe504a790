#include "harness/real/sandbox.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/real/loopback_setup.h"
#include "harness/real/sandbox_parts.h"

namespace netrig {
namespace {

constexpr int kSetUpFailed = 125;

struct Pipe {
  Fd read;
  Fd write;
};

std::expected<Pipe, std::string> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(system_error("pipe2"));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::expected<void, std::string> set_up_inside(const SandboxOptions& options) {
  if (options.network) {
    if (auto done = options.network(); !done) return done;
  }
  if (auto done = set_up_mounts(options); !done) return done;
  return set_up_loopback(options.host_count);
}

// The child, as PID 1 of its namespace. Whatever happens it leaves by _exit: what the parent
// registered with atexit is not the child's.
[[noreturn]] void run_child(const SandboxOptions& options, const std::function<int()>& body,
                            Pipe go, Pipe problem) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  go.write.reset();
  problem.read.reset();
  // Only now may the parent say "go": had it died before the prctl, nothing would end this process.
  // Dead since, nobody holds the pipe's other end.
  char byte = 'r';
  if (::write(problem.write.get(), &byte, 1) != 1) ::_exit(kSetUpFailed);
  if (::read(go.read.get(), &byte, 1) != 1) ::_exit(kSetUpFailed);
  if (auto done = set_up_inside(options); !done) {
    const std::string& text = done.error();
    static_cast<void>(!::write(problem.write.get(), text.data(), text.size()));
    ::_exit(kSetUpFailed);
  }
  go.read.reset();
  problem.write.reset();
  const int status = body();
  std::fflush(nullptr);
  ::_exit(status & 0xff);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 1024> part{};
  while (true) {
    const ssize_t size = ::read(fd, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(part.data(), static_cast<size_t>(size));
  }
}

}  // namespace

std::string system_error(std::string_view what) {
  const Errno error(errno);
  return fmt::format("{}: {} ({})", what, error.text(), error.name());
}

std::expected<void, std::string> write_file(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) {
    return std::unexpected(system_error("cannot write " + path));
  }
  return {};
}

std::string read_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_all(file.get()) : std::string();
}

pid_t clone_process(uint64_t flags) {
  return static_cast<pid_t>(
      ::syscall(SYS_clone, static_cast<unsigned long>(flags) | SIGCHLD, 0UL, 0UL, 0UL, 0UL));
}

// Root gets every id that it has itself, under the same number, so that servers can drop
// privileges; an ordinary user has but its own (user_namespaces(7)).
std::expected<void, std::string> write_id_maps(pid_t child) {
  const std::string folder = fmt::format("/proc/{}/", child);
  if (::geteuid() == 0) {
    for (const char* name : {"uid_map", "gid_map"}) {
      std::istringstream lines(read_text(std::string("/proc/self/") + name));
      std::string map;
      uint64_t inside = 0;
      uint64_t outside = 0;
      uint64_t count = 0;
      while (lines >> inside >> outside >> count) {
        map += fmt::format("{} {} {}\n", inside, inside, count);
      }
      if (auto done = write_file(folder + name, map); !done) return done;
    }
    return {};
  }
  if (auto done = write_file(folder + "setgroups", "deny"); !done) return done;
  const auto uid = ::geteuid();
  const auto gid = ::getegid();
  if (auto done = write_file(folder + "uid_map", fmt::format("{} {} 1\n", uid, uid)); !done) {
    return done;
  }
  return write_file(folder + "gid_map", fmt::format("{} {} 1\n", gid, gid));
}

std::expected<SandboxChild, std::string> start_in_sandbox(const SandboxOptions& options,
                                                          const std::function<int()>& body) {
  auto go = make_pipe();
  if (!go) return std::unexpected(go.error());
  auto problem = make_pipe();
  if (!problem) return std::unexpected(problem.error());
  std::fflush(nullptr);  // or the child would write what is buffered once more

  const pid_t child = clone_process(kSandboxNamespaces);
  if (child == 0) run_child(options, body, std::move(*go), std::move(*problem));
  if (child < 0) return std::unexpected(system_error("cannot create namespaces (clone)"));

  go->read.reset();
  problem->write.reset();
  std::string error;
  char ready = 0;
  if (auto mapped = write_id_maps(child); !mapped) {
    error = mapped.error();
  } else if (::read(problem->read.get(), &ready, 1) != 1) {
    error = "the sandbox's process ended at once";
  } else if (::write(go->write.get(), "g", 1) != 1) {
    error = system_error("cannot start the sandbox");
  } else {
    error = read_all(problem->read.get());  // ends when the child closed it: all is set up
  }
  if (error.empty()) return SandboxChild{child};
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return std::unexpected(error);
}

int wait_for_sandbox(const SandboxChild& child) {
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace netrig
