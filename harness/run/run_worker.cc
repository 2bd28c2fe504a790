#include "harness/run/run_worker.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/play.h"
#include "harness/run/run_process.h"
#include "harness/sockets/fiber.h"

namespace netrig {
namespace {

using Json = nlohmann::json;

// A line that ends with '\n', taken out of `received`; reads as long as there is none.
std::optional<std::string> take_line(int fd, std::string& received, bool& ended) {
  while (true) {
    const size_t end = received.find('\n');
    if (end != std::string::npos) {
      std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      return line;
    }
    char buffer[65536];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) {
      received.append(buffer, static_cast<size_t>(got));
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      ended = got == 0 || errno != EAGAIN;
      return std::nullopt;
    }
  }
}

// `home`: where options.output starts; a run ends in its own folder.
void play_one(const Scenario& scenario, const RunOptions& options, const Judge& judge,
              const Fd& home, const Fd& socket) {
  end_when_stuck(scenario, options);
  Fd output(::openat(home.get(), options.output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!output) {
    RunResult result = blank_result(scenario, options);
    result.reason = fmt::format("cannot open {}: {}", options.output, std::strerror(errno));
    return write_all(socket, result_to_json(result) + "\n");
  }
  play_run(scenario, options, judge, std::move(output),
           [&](const RunResult& result) { write_all(socket, result_to_json(result) + "\n"); });
}

void serve(const Scenario& scenario, RunOptions options, const Judge& judge, const Fd& socket) {
  block_stop_signals();
  StackPool stacks;
  options.stacks = &stacks;
  const Fd home(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string received;
  bool ended = false;
  while (!stop_is_asked()) {
    const auto asked = take_line(socket.get(), received, ended);
    if (!asked) return;
    const Json request = Json::parse(*asked);
    options.seed = request.at("seed");
    options.output = request.at("output");
    options.again = request.at("again");
    play_one(scenario, options, judge, home, socket);
    ::alarm(0);
  }
}

}  // namespace

std::expected<std::unique_ptr<RunWorker>, std::string> RunWorker::start(const Scenario& scenario,
                                                                        const RunOptions& options,
                                                                        const Judge& judge) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(fmt::format("socketpair: {}", std::strerror(errno)));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ours.reset();
    serve(scenario, options, judge, theirs);
    ::_exit(0);
  }
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return std::unique_ptr<RunWorker>(new RunWorker(scenario, options, pid, std::move(ours)));
}

RunWorker::RunWorker(const Scenario& scenario, const RunOptions& options, pid_t pid, Fd socket)
    : scenario_(scenario),
      source_(scenario.source),
      options_(options),
      pid_(pid),
      socket_(std::move(socket)) {}

RunWorker::~RunWorker() {
  // Not by closing: processes that were forked later have the descriptor, too.
  ::shutdown(socket_.get(), SHUT_RDWR);
  wait();
}

bool RunWorker::serves(const Scenario& scenario, const RunOptions& options) const {
  // A file that is read again may well come to lie where the last one was.
  return !ended_ && &scenario == &scenario_ && scenario.source == source_ &&
         options.scenario_path == options_.scenario_path && options.row == options_.row;
}

void RunWorker::ask(const RunOptions& options) {
  const Json request = {
      {"seed", options.seed}, {"output", options.output}, {"again", options.again}};
  write_all(socket_, request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<std::string> RunWorker::read_result() {
  return take_line(socket_.get(), received_, ended_);
}

int RunWorker::wait() {
  int status = 0;
  if (pid_ > 0) ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

void RunWorker::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

}  // namespace netrig
