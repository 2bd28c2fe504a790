#include "harness/cli/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "harness/run/play.h"

namespace netrig {

namespace {

size_t seed_count(const RunRequest& request) {
  return request.seeds ? request.seeds->second - request.seeds->first + 1 : 1;
}

}  // namespace

PlanSources real_plan_sources() {
  return {[](const std::string& path, const ReadOptions& options) {
            return read_scenario(path, options);
          },
          known_backends(), reason_unsupported};
}

RunPlan::RunPlan(const RunRequest& request, std::vector<std::string> files, PlanSources sources)
    : request_(request), files_(std::move(files)), sources_(std::move(sources)) {}

std::optional<PlanItem> RunPlan::next() {
  while (!current_ || current_->next == runs_of_current()) {
    current_.reset();
    if (next_file_ == files_.size()) return std::nullopt;
    if (auto broken = open_next_file()) {
      ++handed_out_;
      return std::move(*broken);
    }
  }
  size_t index = current_->next++;
  ++handed_out_;
  size_t repetition = index % request_.repeat + 1;
  uint64_t seed = current_->first_seed + index / request_.repeat % current_->seeds;
  const std::string& backend = current_->backends[index / request_.repeat / current_->seeds];
  return planned_run(backend, seed, repetition);
}

size_t RunPlan::expected_items() const {
  size_t open = current_ ? runs_of_current() - current_->next : 0;
  return handed_out_ + open + (files_.size() - next_file_) * runs_per_file();
}

// Sets current_ unless the file is broken or not selected.
std::optional<BrokenFile> RunPlan::open_next_file() {
  const std::string path = files_[next_file_++];
  ReadResult file = sources_.read(path, {request_.set, request_.seed, request_.host_network});
  if (!file.scenario) return BrokenFile{file.source, std::move(file.mistakes)};
  const Scenario& scenario = *file.scenario;
  if (!request_.selection.matches({scenario.id, scenario.name, path, scenario.tags})) {
    ++deselected_;
    return std::nullopt;
  }
  Current current;
  current.path = path;
  current.folder = request_.out + "/" + folder_of(scenario.id);
  current.backends = backends_of(scenario);
  current.first_seed = request_.seeds  ? request_.seeds->first
                       : request_.seed ? *request_.seed
                                       : scenario.seed;
  current.seeds = seed_count(request_);
  current.scenario = std::make_shared<const Scenario>(std::move(*file.scenario));
  current_ = std::move(current);
  return std::nullopt;
}

// Without --backend, those that the file allows; if this build has none of them, the run is told as
// unsupported instead of vanishing.
std::vector<std::string> RunPlan::backends_of(const Scenario& scenario) const {
  if (!request_.backends.empty()) return request_.backends;
  std::vector<std::string> allowed;
  for (const std::string& backend : sources_.backends) {
    if (scenario.backends.empty() || scenario.backends.contains(backend)) {
      allowed.push_back(backend);
    }
  }
  if (allowed.empty()) allowed.push_back(sources_.backends.at(0));
  return allowed;
}

std::string RunPlan::folder_of(const std::string& id) {
  std::string folder = id;
  for (size_t number = 2; !folders_.insert(folder).second; ++number) {
    folder = fmt::format("{}-{}", id, number);
  }
  return folder;
}

PlannedRun RunPlan::planned_run(const std::string& backend, uint64_t seed,
                                size_t repetition) const {
  PlannedRun run;
  run.scenario = current_->scenario;
  RunOptions& options = run.options;
  options.scenario_path = current_->path;
  options.backend = backend;
  options.seed = seed;
  options.timeout = request_.timeout;
  options.host_network = request_.host_network;
  options.allow_remote = request_.allow_remote;
  options.capture = request_.capture;
  options.check_determinism = request_.check_determinism;
  options.output = fmt::format("{}/{}-{}", current_->folder, backend, seed);
  if (repetition > 1) options.output += fmt::format(".{}", repetition);
  options.again = again_command(request_, current_->path, backend, seed);

  std::optional<Verdict> verdict;
  std::string reason;
  if (run.scenario->skip) {
    verdict = Verdict::kSkipped;
    reason = run.scenario->skip->reason;
  } else if (auto unsupported = sources_.unsupported(*run.scenario, backend)) {
    verdict = Verdict::kUnsupported;
    reason = *unsupported;
  }
  if (verdict) {
    RunResult result = blank_result(*run.scenario, options);
    result.verdict = *verdict;
    result.reason = reason;
    result.output.clear();  // nothing is written for it
    run.settled = std::move(result);
  }
  return run;
}

size_t RunPlan::runs_of_current() const {
  return current_->backends.size() * current_->seeds * request_.repeat;
}

// What an unread file will give if it is selected and allows every backend.
size_t RunPlan::runs_per_file() const {
  size_t backends = request_.backends.empty() ? sources_.backends.size() : request_.backends.size();
  return backends * seed_count(request_) * request_.repeat;
}

}  // namespace netrig
