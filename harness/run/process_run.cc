#include "harness/run/process_run.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <re2/re2.h>

#include "harness/base/signal_names.h"
#include "harness/base/text.h"
#include "harness/run/run_variables.h"
#include "harness/run/verbs.h"

namespace netrig {
namespace {

constexpr Duration kLookEvery = 5ms;        // for listening sockets, of which no news comes
constexpr Duration kChildrenGrace = 500ms;  // for those that end with their parent
constexpr Duration kKilledGrace = 5s;
constexpr size_t kLinesTold = 10;
constexpr size_t kNamesTold = 8;

std::string list(const std::vector<std::string>& names) {
  const size_t told = std::min(names.size(), kNamesTold);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + told, ", "));
  if (names.size() > told) text += fmt::format(" and {} more", names.size() - told);
  return text;
}

// Signals that nobody sends to end a program in order.
bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL ||
         signal == SIGFPE || signal == SIGSYS || signal == SIGTRAP;
}

// Whole lines of `text` behind what was searched already.
bool search_lines(const re2::RE2& pattern, const Bytes& text, size_t& searched) {
  for (size_t end = text.find('\n', searched); end != Bytes::npos;
       end = text.find('\n', searched)) {
    const re2::StringPiece line(text.data() + searched, end - searched);
    searched = end + 1;
    if (re2::RE2::PartialMatch(line, pattern)) return true;
  }
  return false;
}

}  // namespace

bool fits(const ExitCondition& condition, const Program::End& end) {
  if (!condition.signal.empty()) return end.signal == signal_from_name(condition.signal);
  if (!condition.status) return true;
  return end.signal == 0 && condition.status->contains(end.status);
}

std::string describe(const ExitCondition& condition) {
  if (!condition.signal.empty()) return condition.signal;
  if (!condition.status) return "any end";
  return "exit status " + format_range(*condition.status);
}

Finding ProcessRun::finding(Location at, std::string message,
                            std::vector<std::string> details) const {
  return Finding{{at, std::move(message), std::move(details)}, process_.name, ""};
}

Finding ProcessRun::with_output(Finding finding) const {
  if (program_ == nullptr) return finding;
  auto lines = program_->output().last_lines(kLinesTold);
  if (lines.empty()) lines.push_back("it printed nothing");
  std::ranges::move(lines, std::back_inserter(finding.diagnostic.details));
  return finding;
}

std::optional<Finding> ProcessRun::announce() {
  RunVariables variables(stage_);
  Blackboard& blackboard = stage_.blackboard;
  const std::string& name = process_.name;
  const IpAddress own = stage_.world.address(process_.host, false);
  blackboard.set(name + ".address", own.to_string());
  blackboard.promise(name + ".pid");
  for (const Address& address : process_.ready.listening) {
    auto at = stage_.resolve(address, process_.host, variables);
    if (!at) return finding(address.at, at.error());
    const bool first = listening_.empty();
    listening_.emplace_back(address.transport, *at);
    if (first) announce_service(stage_, name, name, process_.host, *at);
  }
  return std::nullopt;
}

std::expected<ProgramOptions, Finding> ProcessRun::render_options() {
  RunVariables variables(stage_);
  ProgramOptions options{
      .name = process_.name, .host = process_.host, .folder = stage_.world.tmp()};
  options.output_max = output_max();
  for (const Template& word : process_.run) {
    auto text = render(word, variables);
    if (!text) return std::unexpected(finding(word.at, text.error()));
    if (text->find('\0') != Bytes::npos) {
      return std::unexpected(finding(word.at, "a program's argument cannot hold a NUL octet"));
    }
    options.arguments.push_back(std::move(*text));
  }
  for (const auto& [name, value] : process_.environment) {
    auto text = render(value, variables);
    if (!text) return std::unexpected(finding(value.at, text.error()));
    options.environment[name] = std::move(*text);
  }
  if (process_.input) {
    auto octets = render(*process_.input, variables, stage_.seed);
    if (!octets) return std::unexpected(finding(process_.input->at, octets.error()));
    options.input = std::move(*octets);
  }
  if (auto failed = write_files(variables)) return std::unexpected(std::move(*failed));
  return options;
}

std::optional<Finding> ProcessRun::write_files(Variables& variables) {
  for (const Process::File& file : process_.files) {
    auto octets = render(file.content, variables, stage_.seed);
    if (!octets) return finding(file.at, octets.error());
    const std::filesystem::path path = std::filesystem::path(stage_.world.tmp()) / file.path;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    if (!(out << *octets).flush()) {
      return finding(file.at, fmt::format("cannot write {}", path.string()));
    }
  }
  return std::nullopt;
}

std::optional<Finding> ProcessRun::start() {
  auto options = render_options();
  if (!options) return std::move(options.error());
  stage_.loop.set_activity(process_.name + " starts");
  auto program = stage_.world.start_program(*options);
  if (!program) return finding(process_.run_at, program.error());
  program_ = std::move(*program);
  stage_.blackboard.set(process_.name + ".pid", static_cast<int64_t>(program_->pid()));
  stage_.journal.record(process_.name, ActorStarted{});
  return await_ready();
}

std::optional<Finding> ProcessRun::await_ready() {
  const Duration within = stage_.time_scale.limit(process_.ready.within);
  const Instant deadline = stage_.loop.now() + within;
  while (true) {
    const std::string missing = not_ready_yet();
    if (missing.empty()) return std::nullopt;
    if (ended()) return ended_unready();
    if (stage_.loop.now() >= deadline) return not_ready(missing);
    const bool look = !listening_.empty();
    program_->await_news(look ? std::min(deadline, stage_.loop.now() + kLookEvery) : deadline);
  }
}

// What is still missing, in words; empty: it is ready.
std::string ProcessRun::not_ready_yet() {
  if (process_.ready.log && !log_matches()) {
    return fmt::format("no line of its output matches \"{}\"", process_.ready.log->text);
  }
  for (const auto& [transport, at] : listening_) {
    if (program_->listens(transport, at)) continue;
    return fmt::format("no process of it waits for peers at {} {}", transport_name(transport),
                       at.to_string());
  }
  return "";
}

bool ProcessRun::log_matches() {
  const ProgramOutput& output = program_->output();
  const re2::RE2& pattern = *process_.ready.log->compiled;
  log_seen_ = log_seen_ || search_lines(pattern, output.out, searched_[0]) ||
              search_lines(pattern, output.errors, searched_[1]);
  return log_seen_;
}

Finding ProcessRun::not_ready(const std::string& missing) {
  std::vector<std::string> details = {missing};
  if (const auto others = program_->listening(); !others.empty()) {
    details.push_back("its processes wait at: " + list(others));
  }
  return with_output(finding(process_.ready.at,
                             fmt::format("{} is not ready after {}", process_.name,
                                         format_duration(process_.ready.within)),
                             std::move(details)));
}

Finding ProcessRun::ended_unready() {
  const auto left = program_->running();
  if (!left.empty()) {
    return with_output(finding(process_.run_at,
                               fmt::format("{} went to the background", process_.name),
                               {fmt::format("its first process {}, and these still run: {}",
                                            program_->end()->words, list(left)),
                                "start it in the foreground, so that its end can be told"}));
  }
  return with_output(finding(process_.run_at, fmt::format("{} {} before it was ready",
                                                          process_.name, program_->end()->words)));
}

size_t ProcessRun::output_max() const {
  return process_.output_max ? static_cast<size_t>(*process_.output_max)
                             : ProgramOptions{}.output_max;
}

std::optional<Finding> ProcessRun::watch() {
  while (!ended()) {
    program_->await_news(Instant::max());
    if (program_->output().cut && !stopping_) {
      return finding(
          process_.at,
          fmt::format("{} printed more than {}", process_.name, format_size(output_max())),
          {"\"output_max\" allows it more"});
    }
  }
  stage_.journal.record(process_.name, ActorEnded{.finished = true});
  if (stopping_) return std::nullopt;
  return judge_end();
}

std::optional<Finding> ProcessRun::judge_end() const {
  const Program::End& end = *program_->end();
  if (!process_.exits) {
    return with_output(finding(process_.run_at,
                               fmt::format("{} {} while it was needed", process_.name, end.words),
                               {"\"exits\" on the process says that it ends by itself"}));
  }
  if (fits(*process_.exits, end)) return std::nullopt;
  return with_output(finding(
      process_.exits->at,
      fmt::format("{} {}, and not with {}", process_.name, end.words, describe(*process_.exits))));
}

std::optional<Finding> ProcessRun::judge_stopped() const {
  const Program::End& end = *program_->end();
  if (!is_crash(end.signal) || end.signal == process_.stop_signal) return std::nullopt;
  return with_output(
      finding(process_.run_at, fmt::format("{} {} when it was stopped", process_.name, end.words)));
}

std::vector<Finding> ProcessRun::stop(bool orderly) {
  std::vector<Finding> findings;
  const auto add = [&](std::optional<Finding> one) {
    if (one && orderly) findings.push_back(std::move(*one));
  };
  if (program_ == nullptr || program_->gone()) return findings;
  stopping_ = true;
  if (!ended()) {
    stage_.loop.set_activity(process_.name + " is stopped");
    program_->send_signal(process_.stop_signal);
    const Duration within = stage_.time_scale.limit(process_.stop_within);
    const Instant deadline =
        stage_.loop.now() + (orderly ? within : std::min<Duration>(within, 1s));
    while (!ended() && stage_.loop.now() < deadline) program_->await_news(deadline);
    if (ended()) {
      add(judge_stopped());
    } else {
      const char* name = ::sigabbrev_np(process_.stop_signal);
      add(with_output(finding(
          process_.at, fmt::format("{} did not end within {} after SIG{} and was killed",
                                   process_.name, format_duration(process_.stop_within), name))));
    }
  }
  add(await_rest(orderly && ended()));
  return findings;
}

// What its first process started must end, too.
std::optional<Finding> ProcessRun::await_rest(bool orderly) {
  std::optional<Finding> left_behind;
  if (orderly) {
    const Instant deadline = stage_.loop.now() + kChildrenGrace;
    while (!program_->gone() && stage_.loop.now() < deadline) program_->await_news(deadline);
  }
  if (program_->gone()) return left_behind;
  if (const auto left = program_->running(); orderly && !left.empty()) {
    std::vector<std::string> details = {"still running: " + list(left)};
    if (const auto ports = program_->listening(); !ports.empty()) {
      details.push_back("still waiting for peers at: " + list(ports));
    }
    left_behind = finding(process_.at, process_.name + " left processes behind, which were killed",
                          std::move(details));
  }
  program_->kill_all();
  const Instant deadline = stage_.loop.now() + kKilledGrace;
  while (!program_->gone() && stage_.loop.now() < deadline) program_->await_news(deadline);
  return left_behind;
}

ProcessOutcome ProcessRun::outcome() const {
  if (program_ == nullptr) return {process_.name, std::nullopt, {}};
  return {process_.name, program_->end(), program_->output()};
}

}  // namespace netrig
