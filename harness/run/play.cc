#include "harness/run/play.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

#include "harness/base/quantity.h"
#include "harness/run/event_trace.h"
#include "harness/run/exchange.h"
#include "harness/run/ladder_text.h"
#include "harness/run/settle.h"
#include "harness/run/world_factory.h"

namespace netrig {
namespace {

// How much longer than its time limit a run in virtual time may take on the machine's clock.
constexpr Duration kWallClockGrace = 5s;

// A text file of the run's folder, written in blocks. The first error is kept.
class OutputFile {
 public:
  OutputFile(const Fd& folder, const char* name)
      : name_(name),
        file_(::openat(folder.get(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                       0644)) {
    if (!file_) error_ = errno;
  }
  ~OutputFile() { flush(); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() > kBlock) flush();
  }
  void write_line(std::string_view line) {
    write(line);
    write("\n");
  }
  // A sentence, if something could not be written.
  std::optional<std::string> close() {
    flush();
    file_.reset();
    if (error_ == 0) return std::nullopt;
    return fmt::format("cannot write {}: {}", name_, std::strerror(error_));
  }

 private:
  static constexpr size_t kBlock = 65536;
  void flush() {
    size_t done = 0;
    while (file_ && error_ == 0 && done < buffer_.size()) {
      const ssize_t written = ::write(file_.get(), buffer_.data() + done, buffer_.size() - done);
      if (written < 0) {
        error_ = errno;
      } else {
        done += static_cast<size_t>(written);
      }
    }
    buffer_.clear();
  }

  const char* name_;
  Fd file_;
  std::string buffer_;
  int error_ = 0;
};

std::string join_sentences(const std::vector<std::string>& sentences) {
  std::string all;
  for (const std::string& sentence : sentences) all += (all.empty() ? "" : "; ") + sentence;
  return all;
}

void decide(RunResult& result, const Exchange::Outcome& outcome, const WorldReport& report) {
  if (outcome.interrupted) {
    result.verdict = Verdict::kInterrupted;
  } else if (!report.invalid.empty()) {
    result.verdict = Verdict::kInvalid;
    result.reason = join_sentences(report.invalid);
  } else if (!report.unsupported.empty()) {
    result.verdict = Verdict::kUnsupported;
    result.reason = join_sentences(report.unsupported);
  } else {
    result.verdict = outcome.findings.empty() ? Verdict::kPass : Verdict::kFail;
    result.findings = outcome.findings;
  }
}

void keep_output(const Fd& folder, const ProcessOutcome& process, WorldReport& report) {
  const std::pair<std::string, const Bytes&> streams[] = {
      {process.name + ".stdout", process.output.out},
      {process.name + ".stderr", process.output.errors}};
  for (const auto& [name, octets] : streams) {
    OutputFile file(folder, name.c_str());
    file.write(octets);
    if (auto problem = file.close()) report.invalid.push_back(*problem);
  }
}

void tell_out_of_time(RunResult& result, Duration taken, Instant reached) {
  result.verdict = Verdict::kInvalid;
  result.reason = fmt::format(
      "not done after {} on this machine's clock, at {} of virtual time (--timeout gives it "
      "longer)",
      format_duration(taken), format_duration(reached.time_since_epoch()));
}

// `world` is the caller's, because ending it takes long and the result need not wait for that.
void play_in(const Scenario& scenario, const RunOptions& options, const Judge& judge,
             const Fd& output, EventTrace* trace, std::unique_ptr<World>& world,
             RunResult& result) {
  OutputFile journal_file(output, "journal.jsonl");
  Journal journal([&] { return world ? world->loop().now() : Instant{}; },
                  [&](const Event& event) {
                    std::string line = event_to_json(event);
                    journal_file.write_line(line);
                    if (trace != nullptr) trace->note(std::move(line));
                  });
  Exchange* playing = nullptr;
  const auto stop = [&] {
    if (playing != nullptr) playing->interrupt();
  };
  WorldHooks hooks{.observer = journal, .on_stop = stop};
  const Duration wall_clock_max = time_limit(scenario, options) + kWallClockGrace;
  hooks.wall_clock_max = wall_clock_max;
  std::optional<Instant> out_of_time;  // where virtual time stood
  hooks.on_wall_clock_max = [&] {
    out_of_time = world->loop().now();
    stop();
  };
  if (trace != nullptr) {
    trace->on_difference(stop);
    hooks.trace = [trace](std::string line) { trace->note(std::move(line)); };
  }
  auto made = make_world(scenario, options, output, std::move(hooks));
  if (!made) {
    result.reason = made.error();
    return;
  }
  world = std::move(*made);
  Exchange exchange(scenario, *world, journal, options.seed, time_limit(scenario, options),
                    time_scale(options));
  playing = &exchange;
  const Exchange::Outcome outcome = exchange.play();
  playing = nullptr;
  result.delivery = delivery_statistics(journal);
  result.counters = exchange.world_report().counters;
  result.fingerprint = exchange.fingerprint();
  for (const auto& [part, value] : exchange.world_report().fingerprints) {
    result.fingerprints[part] = fmt::format("{:016x}", value);
  }
  WorldReport report = exchange.world_report();
  if (auto problem = journal_file.close()) report.invalid.push_back(*problem);
  for (const ProcessOutcome& process : exchange.process_outcomes()) {
    keep_output(output, process, report);
    if (process.end) result.processes[process.name] = process.end->words;
  }
  result.notes = report.notes;
  decide(result, outcome, report);
  if (out_of_time) tell_out_of_time(result, wall_clock_max, *out_of_time);
  if (result.verdict == Verdict::kPass) {
    // The folder may lie where the sandbox cannot see it by name; the open descriptor still can.
    const bool entered = ::fchdir(output.get()) == 0;
    const std::string capture = entered && options.capture ? kCaptureName : "";
    const auto variables = exchange.variables();
    result.findings = judge({scenario, options, journal, result.delivery, variables, capture,
                             exchange.process_outcomes()});
    if (!result.findings.empty()) result.verdict = Verdict::kFail;
  }
  result.ladder = ladder_text(journal, result.findings);
  OutputFile ladder_file(output, "ladder.txt");
  ladder_file.write_line(result.ladder);
}

// Plays it twice; the second one's result counts, unless an event of it differs.
void play_twice(const Scenario& scenario, const RunOptions& options, const Judge& judge,
                const Fd& output, std::unique_ptr<World>& world, RunResult& result) {
  EventTrace trace;
  RunResult first = result;
  play_in(scenario, options, judge, output, &trace, world, first);
  world.reset();
  if (first.verdict == Verdict::kInterrupted || first.verdict == Verdict::kInvalid) {
    result = std::move(first);
    return;
  }
  trace.begin_second();
  play_in(scenario, options, judge, output, &trace, world, result);
  trace.end_second();
  if (const auto& difference = trace.difference()) {
    result.verdict = Verdict::kFail;
    result.findings = {{{{1, 1, 0},
                         fmt::format("two runs alike differ in event {}", difference->event),
                         {"first   " + difference->first, "second  " + difference->second}},
                        "",
                        ""}};
  } else if (first.fingerprints != result.fingerprints) {
    result.verdict = Verdict::kFail;
    result.findings = {{{{1, 1, 0}, "two runs alike have different fingerprints", {}}, "", ""}};
  }
  result.counters["events_compared"] = static_cast<int64_t>(trace.events());
}

}  // namespace

Duration time_limit(const Scenario& scenario, const RunOptions& options) {
  if (options.timeout > Duration{0}) return options.timeout;
  return time_scale(options).limit(scenario.timeout.value_or(kDefaultTimeout));
}

RunResult blank_result(const Scenario& scenario, const RunOptions& options) {
  RunResult result;
  result.scenario = options.scenario_path;
  result.id = scenario.id;
  result.name = scenario.name;
  result.row = scenario.row;
  result.level = level_name(scenario.level);
  result.spec = scenario.spec;
  result.part_spec = requirements_of_parts(scenario);
  if (scenario.source) result.files = scenario.source->paths();
  result.backend = options.backend;
  result.seed = options.seed;
  result.output = options.output;
  result.again = options.again;
  return result;
}

void play_run(const Scenario& scenario, const RunOptions& options, const Judge& judge, Fd output,
              const std::function<void(const RunResult&)>& tell) {
  RunResult result = blank_result(scenario, options);
  if (options.capture) result.capture = options.output + "/" + kCaptureName;
  std::unique_ptr<World> world;
  try {
    if (options.check_determinism) {
      play_twice(scenario, options, judge, output, world, result);
    } else {
      play_in(scenario, options, judge, output, nullptr, world, result);
    }
  } catch (const std::exception& problem) {
    result.verdict = Verdict::kError;
    result.reason = fmt::format("netrig itself failed: {}", problem.what());
  }
  settle_verdict(result, scenario, options);
  OutputFile result_file(output, "result.json");
  result_file.write_line(result_to_json(result));
  if (auto problem = result_file.close(); problem && result.verdict != Verdict::kError) {
    result.verdict = Verdict::kInvalid;
    result.reason = *problem;
  }
  tell(result);
}

}  // namespace netrig
