#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/discovery.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/output_folder.h"
#include "harness/cli/schedule.h"
#include "harness/expect/expect.h"
#include "harness/report/escape.h"
#include "harness/report/json_lines.h"
#include "harness/report/junit.h"

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
  // Last, so that its summary is the last line.
  reporters->add(terminal_for(request, console));
  return reporters;
}

void complain(Console& console, const std::string& message) {
  for (const std::string& line : split_lines(message)) {
    console.error("netrig run: " + printable_line(line) + "\n");
  }
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
  auto reporters = open_reporters(*request, console);
  if (!reporters) {
    complain(console, reporters.error());
    return kExitCannot;
  }

  const auto begin = std::chrono::steady_clock::now();
  RunPlan plan(*request, std::move(*files), real_plan_sources());
  Runner runner(judge_run);
  ScheduleOptions options{request->jobs, request->fail_fast, start_jobs_with(runner),
                          prepare_output_folder};
  SignalWatch signals;
  ScheduleOutcome outcome = run_schedule(plan, options, **reporters, signals);
  outcome.totals.duration = std::chrono::steady_clock::now() - begin;

  bool nothing_matched =
      exit_status(outcome.totals, outcome.interrupted, false) == kExitNothingRan &&
      outcome.totals.unsupported + outcome.totals.skipped == 0;
  if (nothing_matched && outcome.stopped.empty()) {
    complain(console, fmt::format("none of {} is selected by -k and -t",
                                  plural(plan.deselected(), "scenario")));
  }
  if (!outcome.stopped.empty()) complain(console, outcome.stopped);
  std::string errors = (*reporters)->finished(outcome.totals);
  if (!errors.empty()) complain(console, errors);
  return exit_status(outcome.totals, outcome.interrupted,
                     !errors.empty() || !outcome.stopped.empty());
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
                              "fake, real, wire, several with commas (default: all that this build "
                              "has and the file allows)"),
           "NAMES");
  command
      .add_option("-k", arguments.keywords,
                  "only those that this holds for: 'tcp and not (loss or slow)'")
      ->type_name("EXPR");
  one_each(command.add_option("-t", arguments.tags, "only those with this tag; of several, any"),
           "TAG");
  command.add_option("--seed", arguments.seed, "instead of the file's own seed")->type_name("N");
  command.add_option("--seeds", arguments.seeds, "one run for each seed from A to B")
      ->type_name("A:B");
  one_each(command.add_option("--set", arguments.set, "another value for an entry of vars"),
           "NAME=VALUE");
  command.add_option("--repeat", arguments.repeat, "every run so many times")->type_name("N");
  command.add_option("--timeout", arguments.timeout, "of each run: 30s, 2min")
      ->type_name("DURATION");
}

void add_conduct(CLI::App& command, RunArguments& arguments) {
  command.add_option("-j", arguments.jobs, "runs side by side (default: the number of processors)")
      ->type_name("N");
  command.add_flag("--fail-fast", arguments.fail_fast,
                   "start nothing more after the first run that is not right");
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
  command.add_flag("-q", arguments.quiet, "only failures and the summary");
  command.add_flag("-v", arguments.verbose, "a line a run; -vv: also ladders and counters");
  command.add_option("--color", arguments.color, "auto, always or never")->type_name("WHEN");
}

}  // namespace

void add_run_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Runs scenarios");
  add_choices(*command, *arguments);
  add_conduct(*command, *arguments);
  command->footer(std::string(kFooter) + std::string(kExitStatusHelp));
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return run(*arguments, line.console); };
  });
}

}  // namespace netrig
