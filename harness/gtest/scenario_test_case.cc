#include "harness/gtest/scenario_test_case.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <set>

#include "harness/base/text.h"
#include "harness/cli/discovery.h"
#include "harness/cli/output_folder.h"
#include "harness/expect/expect.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"

namespace netrig {

namespace {

RunRequest request_of(const ScenarioTestOptions& options) {
  RunRequest request;
  request.backends = options.backends;
  request.set = options.set;
  request.seed = options.seed;
  request.timeout = options.timeout;
  request.time_scale = options.time_scale;
  request.capture = options.capture;
  request.out = options.output;
  return request;
}

std::string mistake_in(const ScenarioTestOptions& options, RunRequest& request) {
  const std::vector<std::string>& known = known_backends();
  for (const std::string& backend : options.backends) {
    if (std::ranges::find(known, backend) == known.end()) {
      return fmt::format("there is no backend '{}' here, only {}", backend, join_or(known));
    }
  }
  auto selection = Selection::parse(options.keywords, options.tags);
  if (!selection) return selection.error();
  request.selection = *selection;
  return "";
}

std::vector<ScenarioTestCase> nothing(const std::string& path, std::string reason) {
  return {{"there_are_scenarios", path, NoScenario{std::move(reason)}}};
}

// The part of a run's folder that is its own: "hello-tcp/fake-1".
std::string name_of(const PlannedRun& run, const std::string& out) {
  std::string folder = run.options.output;
  if (folder.empty()) return fmt::format("{}/{}", run.scenario->id, run.options.backend);
  return folder.starts_with(out + "/") ? folder.substr(out.size() + 1) : folder;
}

void fail_at(const std::string& path, Location at, const std::string& message) {
  ADD_FAILURE_AT(path.c_str(), static_cast<int>(std::max(at.line, 1U))) << printable(message);
}

void tell_diagnostic(const SourceFile& source, const Diagnostic& diagnostic) {
  fail_at(source.file(diagnostic.at.file).path(), diagnostic.at,
          format_diagnostic(source, diagnostic));
}

size_t threads_of_this_process() {
  size_t threads = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/task", error), end; !error && at != end;
       at.increment(error)) {
    ++threads;
  }
  return threads;
}

RunResult play(const PlannedRun& run) {
  Runner runner(judge_run);
  RunningJob job = runner.start(*run.scenario, run.options);
  const auto begin = std::chrono::steady_clock::now();
  std::optional<RunResult> result = job.take_result();
  while (!result && job.descriptor() >= 0) {
    pollfd ready{job.descriptor(), POLLIN, 0};
    if (::poll(&ready, 1, -1) < 0 && errno != EINTR) break;
    if (ready.revents != 0) job.on_readable();
    result = job.take_result();
  }
  if (!result) {
    result = RunResult{};
    result->reason = "it ended without a result";
  }
  result->duration = std::chrono::steady_clock::now() - begin;
  return *result;
}

std::string run_planned(const PlannedRun& run, const std::string& path) {
  const SourceFile& source = *run.scenario->source;
  if (run.settled) return tell_result(*run.settled, source);
  const size_t threads = threads_of_this_process();
  if (is_wall_clock(run.options.backend) && threads > 1) {
    fail_at(path, {},
            fmt::format("{} is played in a sandbox that this process forks, which is safe only "
                        "while it has no other threads, and it has {}: run these tests first, or "
                        "in a program of their own",
                        run.options.backend, threads - 1));
    return "";
  }
  if (std::string error = prepare_output_folder(run.options.output); !error.empty()) {
    fail_at(path, {}, error);
    return "";
  }
  return tell_result(play(run), source);
}

}  // namespace

std::vector<ScenarioTestCase> plan_scenario_tests(const std::string& path,
                                                  const ScenarioTestOptions& options) {
  RunRequest request = request_of(options);
  if (std::string mistake = mistake_in(options, request); !mistake.empty()) {
    return nothing(path, std::move(mistake));
  }
  auto files = discover({path});
  if (!files) return nothing(path, files.error());
  std::vector<ScenarioTestCase> tests;
  std::set<std::string> names;
  RunPlan plan(request, std::move(*files), real_plan_sources());
  while (std::optional<PlanItem> item = plan.next()) {
    ScenarioTestCase test;
    if (auto* broken = std::get_if<BrokenFile>(&*item)) {
      test.path = broken->source->path();
      test.name = std::filesystem::path(test.path).stem().string() + "/is_a_scenario";
      test.what = std::move(*broken);
    } else {
      auto& run = std::get<PlannedRun>(*item);
      test.path = run.options.scenario_path;
      test.name = name_of(run, options.output);
      test.what = std::move(run);
    }
    const std::string name = test_name(test.name);
    test.name = name;
    for (size_t number = 2; !names.insert(test.name).second; ++number) {
      test.name = fmt::format("{}_{}", name, number);
    }
    tests.push_back(std::move(test));
  }
  if (tests.empty()) return nothing(path, "no scenario was found, or none is selected");
  return tests;
}

std::string run_scenario_test(const ScenarioTestCase& test) {
  if (const auto* none = std::get_if<NoScenario>(&test.what)) {
    fail_at(test.path, {}, none->reason);
    return "";
  }
  if (const auto* broken = std::get_if<BrokenFile>(&test.what)) {
    if (broken->mistakes.empty()) fail_at(test.path, {}, "it could not be read");
    for (const Diagnostic& mistake : broken->mistakes) tell_diagnostic(*broken->source, mistake);
    return "";
  }
  return run_planned(std::get<PlannedRun>(test.what), test.path);
}

std::string tell_result(const RunResult& result, const SourceFile& source) {
  if (!result.capture.empty()) testing::Test::RecordProperty("capture", printable(result.capture));
  switch (result.verdict) {
    case Verdict::kPass:
    case Verdict::kFlaky:
      return "";
    case Verdict::kXfail:
    case Verdict::kDeviates:
      testing::Test::RecordProperty(std::string(verdict_name(result.verdict)),
                                    printable(failure_text(result, source)));
      return "";
    case Verdict::kUnsupported:
    case Verdict::kSkipped:
    case Verdict::kNotRun:
      return fmt::format("{}: {}", verdict_name(result.verdict), printable_line(result.reason));
    default:
      break;
  }
  size_t told = 0;
  for (const Finding& finding : result.findings) {
    if (told++ < kFindingsToldMax) tell_diagnostic(source, finding.diagnostic);
  }
  // The rest once, at the first finding: the ladder, the capture, the command to have it again.
  RunResult rest = result;
  rest.findings.clear();
  const Location at = result.findings.empty() ? Location{} : result.findings[0].diagnostic.at;
  fail_at(source.file(at.file).path(), at,
          fmt::format("{} [{}, seed {}]: {}\n{}", result.id, result.backend, result.seed,
                      verdict_name(result.verdict), failure_text(rest, source)));
  return "";
}

std::string test_name(const std::string& text) {
  std::string name;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '_';
    name += plain ? c : '_';
  }
  return name;
}

}  // namespace netrig
