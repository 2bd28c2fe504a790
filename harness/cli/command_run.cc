#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/discovery.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/known_failures.h"
#include "harness/cli/output_folder.h"
#include "harness/cli/schedule.h"
#include "harness/expect/expect.h"
#include "harness/report/conformance.h"
#include "harness/report/escape.h"
#include "harness/report/json_lines.h"
#include "harness/report/junit.h"
#include "harness/report/markdown.h"

namespace netrig {

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  netrig run                                  everything under scenarios/\n"
    "  netrig run scenarios/hello-tcp.json -vv     one file, with the ladder of a failure and "
    "counters\n"
    "  netrig run scenarios -k 'udp and not slow'  by words in id, name, path or tags\n"
    "  netrig run udp-loss.json --seeds 1:100      the same scenario under a hundred seeds\n"
    "  netrig run echo.json --set size=65536       with another value for an entry of its vars\n"
    "  netrig run scenarios --junit out/junit.xml --json out/runs.jsonl\n"
    "  netrig run scenarios --shard 2/3 --retries 1 --total-timeout 10min --markdown out/runs.md\n"
    "  netrig run race.json --until-fail --total-timeout 1h    look for a rare failure\n"
    "\n"
    "Each run leaves OUT/ID/BACKEND-SEED/ with result.json, journal.jsonl, capture.pcapng, "
    "ladder.txt.\n"
    "\n";

// All reporters of a call behind one.
class Reporters : public Reporter {
 public:
  void add(std::unique_ptr<Reporter> reporter) { all_.push_back(std::move(reporter)); }

  void started(size_t runs_planned) override {
    for (auto& reporter : all_) reporter->started(runs_planned);
  }
  void replanned(size_t runs_planned) override {
    for (auto& reporter : all_) reporter->replanned(runs_planned);
  }
  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) override {
    for (auto& reporter : all_) reporter->broken_file(file, mistakes);
  }
  void result(const RunResult& result, const SourceFile& source) override {
    for (auto& reporter : all_) reporter->result(result, source);
  }
  // The errors, a line each.
  std::string finished(const Totals& totals) override {
    std::string errors;
    for (auto& reporter : all_) {
      std::string error = reporter->finished(totals);
      if (!error.empty()) errors += (errors.empty() ? "" : "\n") + error;
    }
    return errors;
  }

 private:
  std::vector<std::unique_ptr<Reporter>> all_;
};

// JSON lines on standard output leave standard error to the people.
std::unique_ptr<Reporter> terminal_for(const RunRequest& request, Console& console) {
  bool on_error = request.json == "-";
  bool is_terminal = on_error ? Console::error_is_terminal() : Console::out_is_terminal();
  const char* term = std::getenv("TERM");
  TerminalOptions options;
  options.verbosity = request.verbosity;
  options.color = wants_color(request.color, is_terminal, std::getenv("NO_COLOR"), term);
  options.progress = wants_progress(is_terminal, term);
  return make_terminal_reporter(
      [&console, on_error](std::string_view text) {
        if (on_error) {
          console.error(text);
        } else {
          console.out(text);
        }
      },
      options);
}

// The error is a sentence.
std::expected<std::unique_ptr<Reporters>, std::string> open_reporters(const RunRequest& request,
                                                                      Console& console) {
  auto reporters = std::make_unique<Reporters>();
  if (request.json == "-") {
    reporters->add(
        make_json_lines_reporter([&console](std::string_view line) { console.out(line); }));
  } else if (!request.json.empty()) {
    auto json = open_json_lines_reporter(request.json);
    if (!json) return std::unexpected(json.error());
    reporters->add(std::move(*json));
  }
  if (!request.junit.empty()) {
    auto junit = open_junit_reporter(request.junit);
    if (!junit) return std::unexpected(junit.error());
    reporters->add(std::move(*junit));
  }
  if (!request.markdown.empty()) {
    auto markdown = open_markdown_reporter(request.markdown);
    if (!markdown) return std::unexpected(markdown.error());
    reporters->add(std::move(*markdown));
  }
  if (!request.conformance.empty()) {
    auto conformance = open_conformance_reporter(request.conformance);
    if (!conformance) return std::unexpected(conformance.error());
    reporters->add(std::move(*conformance));
  }
  // Last, so that its summary is the last line.
  reporters->add(terminal_for(request, console));
  return reporters;
}

void complain(Console& console, const std::string& message) {
  for (const std::string& line : split_lines(message)) {
    console.error("netrig run: " + printable_line(line) + "\n");
  }
}

// Unsupported and skipped runs are told by the reporters.
void tell_why_nothing_ran(const ScheduleOutcome& outcome, const RunPlan& plan, Console& console) {
  const Totals& totals = outcome.totals;
  if (exit_status(totals, outcome.interrupted, false) != kExitNothingRan) return;
  if (totals.unsupported + totals.skipped > 0 || !outcome.stopped.empty()) return;
  if (plan.elsewhere() > 0) {
    complain(console, fmt::format("this shard has nothing to run: {} in the others",
                                  plural(plan.elsewhere(), "run")));
  } else {
    complain(console, fmt::format("none of {} is selected by -k and -t",
                                  plural(plan.deselected(), "scenario")));
  }
}

// What the machine has refused once is not tried again.
void leave_out_refused(PlanSources& sources, const Runner& runner) {
  sources.unsupported = [&runner, of_scenario = std::move(sources.unsupported)](
                            const Scenario& scenario,
                            const std::string& backend) -> std::optional<std::string> {
    if (auto reason = of_scenario(scenario, backend)) return reason;
    const auto refusal = runner.refusals().find(backend);
    if (refusal == runner.refusals().end()) return std::nullopt;
    return refusal->second;
  };
}

// Runs that the machine refuses are reported as unsupported. True if that makes the call fail: they
// were asked for by name, or nothing else ran.
bool tell_refusals(const Runner& runner, const RunRequest& request, const Totals& totals,
                   Console& console) {
  if (runner.refusals().empty()) return false;
  std::vector<std::string> backends;
  for (const auto& [backend, reason] : runner.refusals()) backends.push_back(backend);
  complain(console, fmt::format("this machine cannot run {}", fmt::join(backends, ", ")));
  return !request.backends.empty() || exit_status(totals, false, false) == kExitNothingRan;
}

int run(const RunArguments& arguments, Console& console) {
  auto request = parse_run_request(arguments, known_backends());
  if (!request) return usage_error(console, "run", request.error());
  auto files = discover(request->paths);
  if (!files) return usage_error(console, "run", files.error());
  if (files->empty()) {
    complain(console, "no scenario was found: no *.json in the folders given");
    return kExitNothingRan;
  }
  PlanSources sources = real_plan_sources();
  const auto known = add_known_failures(*request, sources);
  if (!known) {
    complain(console, known.error());
    return kExitBadFile;
  }
  auto reporters = open_reporters(*request, console);
  if (!reporters) {
    complain(console, reporters.error());
    return kExitCannot;
  }

  const auto begin = std::chrono::steady_clock::now();
  Runner runner(judge_run);
  leave_out_refused(sources, runner);
  RunPlan plan(*request, std::move(*files), std::move(sources));
  ScheduleOptions options{.jobs = request->jobs,
                          .fail_fast = request->fail_fast,
                          .retries = request->retries,
                          .total_timeout = request->total_timeout,
                          .start = start_jobs_with(runner),
                          .prepare_folder = prepare_output_folder};
  SignalWatch signals;
  ScheduleOutcome outcome = run_schedule(plan, options, **reporters, signals);
  outcome.totals.duration = std::chrono::steady_clock::now() - begin;

  tell_why_nothing_ran(outcome, plan, console);
  if (!outcome.stopped.empty()) complain(console, outcome.stopped);
  // A part of the suite says nothing of lines about the rest.
  const bool whole = request->selection.is_everything() && request->backends.empty() &&
                     request->set.empty() && request->shard.count == 1 && !outcome.interrupted;
  if (*known && whole) {
    for (const std::string& line : (*known)->stale()) complain(console, line);
  }
  std::string errors = (*reporters)->finished(outcome.totals);
  if (!errors.empty()) complain(console, errors);
  const bool cannot = tell_refusals(runner, *request, outcome.totals, console);
  const int status = exit_status(outcome.totals, outcome.interrupted,
                                 cannot || !errors.empty() || !outcome.stopped.empty());
  // One part of a whole that does run: that it has nothing to run is no reason to worry.
  return status == kExitNothingRan && plan.elsewhere() > 0 ? kExitPass : status;
}

void add_choices(CLI::App& command, RunArguments& arguments) {
  auto one_each = [](CLI::Option* option, const char* type) {
    option->allow_extra_args(false)->type_name(type);
  };
  command
      .add_option("PATH", arguments.paths,
                  "files, and folders searched for *.json (default: scenarios)")
      ->type_name(" ");
  one_each(command.add_option("--backend", arguments.backends,
                              "several with commas (default: all that this build has and the file "
                              "allows)"),
           "fake|real|wire");
  command
      .add_option("-k", arguments.keywords,
                  "only those that this holds for: 'tcp and not (loss or slow)'")
      ->type_name("EXPR");
  one_each(command.add_option("-t", arguments.tags, "only those with this tag; of several, any"),
           "TAG");
  command.add_option("--seed", arguments.seed, "instead of the file's own seed")->type_name("N");
  command.add_option("--seeds", arguments.seeds, "one run for each seed from A to B")
      ->type_name("A:B");
  one_each(command.add_option("--set", arguments.set,
                              "another value for an entry of vars; of a matrix only the runs with "
                              "this value; env.NAME for an environment variable"),
           "NAME=VALUE");
  command
      .add_option("--known-failures", arguments.known_failures,
                  "lines SCENARIO [BACKEND] [ROW]: REASON; those may fail, and must not pass")
      ->type_name("FILE");
  command.add_flag("--strict", arguments.strict,
                   "what is only a should or may fails the call as well");
  command.add_option("--repeat", arguments.repeat, "every run so many times")->type_name("N");
  command.add_option("--shard", arguments.shard, "of N equal parts of all runs only the I-th")
      ->type_name("I/N");
}

void add_limits(CLI::App& command, RunArguments& arguments) {
  command.add_option("--timeout", arguments.timeout, "of each run: 30s, 2min")
      ->type_name("DURATION");
  command
      .add_option("--total-timeout", arguments.total_timeout,
                  "of the whole call: what is not done by then is told as not run")
      ->type_name("DURATION");
  command
      .add_option("--time-scale", arguments.time_scale,
                  "for slow machines: times F for each within, idle, timeout and upper bound of a "
                  "time in the files (not on fake)")
      ->type_name("F");
  command
      .add_option("--spin", arguments.spin,
                  "on wire: how long before each timer, and after each packet, netrig watches "
                  "instead of sleeping, for delays exact to a microsecond: 80us (default 20us)")
      ->type_name("DURATION");
  command.add_flag("--fail-fast", arguments.fail_fast,
                   "start nothing more after the first run that is not right");
  command.add_flag("--until-fail", arguments.until_fail,
                   "all runs over and over (with --repeat so often) until one is not right");
  command
      .add_option("--retries", arguments.retries,
                  "try what is not right so often again (not on fake); told as flaky if it passes")
      ->type_name("N");
}

void add_conduct(CLI::App& command, RunArguments& arguments) {
  command.add_option("-j", arguments.jobs, "runs side by side (default: the number of processors)")
      ->type_name("N");
  command.add_flag("--host-network", arguments.host_network,
                   "without a namespace: on this machine's own network, loopback only");
  command.add_flag("--allow-remote", arguments.allow_remote,
                   "with --host-network: other addresses than loopback too");
  command.add_flag("--check-determinism", arguments.check_determinism,
                   "on fake: play each run twice and stop at the first event that differs");
  command.add_flag("--no-capture", arguments.no_capture, "record no packets");
  command.add_option("--out", arguments.out, "folder for the files of each run (default: out)")
      ->type_name("DIR");
  command.add_option("--junit", arguments.junit, "write JUnit XML")->type_name("FILE");
  command
      .add_option("--json", arguments.json, "write one line of JSON a run; - is standard output")
      ->type_name("FILE");
  command.add_option("--markdown", arguments.markdown, "write a summary for a CI job's page")
      ->type_name("FILE");
  command
      .add_option("--conformance", arguments.conformance,
                  "write as JSON which requirements (spec) hold and which do not")
      ->type_name("FILE");
  command.add_flag("-q", arguments.quiet, "only failures and the summary");
  command.add_flag("-v", arguments.verbose, "a line a run; -vv: also ladders and counters");
  command.add_option("--color", arguments.color, "when to use colours (default: auto)")
      ->type_name("auto|always|never");
}

}  // namespace

void add_run_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Runs scenarios");
  add_choices(*command, *arguments);
  add_limits(*command, *arguments);
  add_conduct(*command, *arguments);
  command->footer(std::string(kFooter) + std::string(kExitStatusHelp));
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return run(*arguments, line.console); };
  });
}

}  // namespace netrig
