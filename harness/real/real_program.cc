#include "harness/real/real_program.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/process/listening_sockets.h"
#include "harness/process/process_tree.h"

namespace netrig {
namespace {

constexpr size_t kReadOctets = 65536;
constexpr int kReadsAtOnce = 16;  // so that a flood of output leaves time for everything else

std::string start_error(const std::string& name, const std::string& file,
                        const StartProblem& problem) {
  if (problem.call == "execve" && problem.error == Errno(ENOENT)) {
    return fmt::format("cannot start {}: no program '{}' was found", name, file);
  }
  if (problem.call == "execve" && problem.error == Errno(EACCES)) {
    return fmt::format("cannot start {}: '{}' is not executable", name, file);
  }
  return fmt::format("cannot start {}: {}: {} ({})", name, problem.call, problem.error.text(),
                     problem.error.name());
}

}  // namespace

std::expected<std::shared_ptr<Program>, std::string> RealProgram::start(
    RealLoop& loop, const ProgramOptions& options, const ProgramCommand& command) {
  auto started = start_program(command);
  if (!started) {
    return std::unexpected(start_error(options.name, command.arguments[0], started.error()));
  }
  return std::shared_ptr<Program>(new RealProgram(loop, options, std::move(*started)));
}

RealProgram::RealProgram(RealLoop& loop, const ProgramOptions& options, StartedProgram started)
    : loop_(loop),
      output_max_(options.output_max),
      input_(options.input),
      started_(std::move(started)) {
  loop_.watch(started_.report.get(), [this] { read_report(); });
  loop_.watch(started_.output.get(), [this] { read_stream(started_.output, output_.out); });
  loop_.watch(started_.errors.get(), [this] { read_stream(started_.errors, output_.errors); });
  if (input_.empty()) {
    started_.input.reset();
  } else {
    loop_.spawn("input of " + options.name, [this] { feed(); });
  }
}

RealProgram::~RealProgram() {
  if (!gone_) kill_all();
  for (Fd* fd : {&started_.report, &started_.output, &started_.errors}) close(*fd);
  ::kill(started_.keeper, SIGKILL);
  while (::waitpid(started_.keeper, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void RealProgram::close(Fd& fd) {
  if (!fd) return;
  loop_.unwatch(fd.get());
  fd.reset();
}

// What does not fit into the pipe waits until the program has read; one that never does, or has
// closed its stdin, gets no more.
void RealProgram::feed() {
  while (fed_ < input_.size()) {
    const ssize_t written =
        ::write(started_.input.get(), input_.data() + fed_, input_.size() - fed_);
    if (written > 0) {
      fed_ += static_cast<size_t>(written);
    } else if (errno == EAGAIN) {
      loop_.wait_ready(started_.input.get(), EPOLLOUT);
    } else if (errno != EINTR) {
      break;
    }
  }
  loop_.forget(started_.input.get());
  started_.input.reset();
}

void RealProgram::read_report() {
  if (const auto ended = take_program_end(started_.report, gone_)) {
    end_ = End{ended->status, ended->signal, ended->to_string()};
    // What it wrote before it ended is in the pipes already: 64 KiB, unless it enlarged them.
    if (started_.output) read_stream(started_.output, output_.out);
    if (started_.errors) read_stream(started_.errors, output_.errors);
  }
  if (gone_) close(started_.report);
  readers_.wake_all(loop_);
}

void RealProgram::read_stream(Fd& from, Bytes& to) {
  char octets[kReadOctets];
  for (int reads = 0; reads < kReadsAtOnce; ++reads) {
    const ssize_t got = ::read(from.get(), octets, sizeof octets);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      close(from);
      break;
    }
    const size_t room = output_max_ - std::min(output_max_, to.size());
    output_.cut = output_.cut || static_cast<size_t>(got) > room;
    to.append(octets, std::min(static_cast<size_t>(got), room));
  }
  readers_.wake_all(loop_);
}

void RealProgram::await_news(Instant deadline) {
  readers_.wait(loop_, deadline);
}

void RealProgram::send_signal(int signal) {
  if (!end_) ::kill(started_.pid, signal);
}

void RealProgram::kill_all() {
  kill_descendants(started_.keeper);
}

std::vector<pid_t> RealProgram::processes() const {
  std::vector<pid_t> pids;
  if (gone_) return pids;
  for (const ProcessEntry& process : descendants(started_.keeper)) pids.push_back(process.pid);
  return pids;
}

std::vector<std::string> RealProgram::running() const {
  std::vector<std::string> words;
  if (gone_) return words;
  for (const ProcessEntry& process : descendants(started_.keeper)) {
    words.push_back(fmt::format("{} ({})", process.name, process.pid));
  }
  return words;
}

bool RealProgram::listens(Transport transport, const Endpoint& at) const {
  return std::ranges::any_of(listening_sockets(processes()), [&](const ListeningSocket& socket) {
    return reaches(at, transport, socket);
  });
}

std::vector<std::string> RealProgram::listening() const {
  std::vector<std::string> words;
  for (const ListeningSocket& socket : listening_sockets(processes())) {
    words.push_back(fmt::format("{} {}", transport_name(socket.transport), socket.at.to_string()));
  }
  return words;
}

}  // namespace netrig
