#include "harness/cli/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "harness/cli/environment.h"
#include "harness/cli/known_failures.h"
#include "harness/run/play.h"

namespace netrig {

namespace {

size_t seed_count(const RunRequest& request) {
  return request.seeds ? request.seeds->second - request.seeds->first + 1 : 1;
}

}  // namespace

PlanSources real_plan_sources() {
  return {[](const std::string& path, const ReadOptions& options) {
            return read_scenario(path, with_environment(options));
          },
          known_backends(), reason_unsupported};
}

std::expected<std::shared_ptr<KnownFailures>, std::string> add_known_failures(
    const RunRequest& request, PlanSources& sources) {
  if (request.known_failures.empty()) return nullptr;
  auto read = KnownFailures::read(request.known_failures);
  if (!read) return std::unexpected(std::move(read.error()));
  auto known = std::make_shared<KnownFailures>(std::move(*read));
  sources.known_failure = [known](const Scenario& scenario, const std::string& path,
                                  const std::string& backend) {
    return known->reason(scenario, path, backend);
  };
  return known;
}

RunPlan::RunPlan(const RunRequest& request, std::vector<std::string> files, PlanSources sources)
    : request_(request), files_(std::move(files)), sources_(std::move(sources)) {}

std::optional<PlanItem> RunPlan::next() {
  for (;;) {
    std::optional<PlanItem> item = next_of_all();
    if (!item && begin_next_round()) continue;
    if (!item) return std::nullopt;
    auto* run = std::get_if<PlannedRun>(&*item);
    const bool is_played = run != nullptr && !run->settled;
    if (!request_.shard.holds(counted_++)) {
      elsewhere_ += is_played ? 1 : 0;
      continue;
    }
    if (round_ > 1 && run != nullptr && !is_played) continue;  // told in the first round
    if (run != nullptr) run->is_extra = round_ > 1;
    played_in_round_ += is_played ? 1 : 0;
    ++handed_out_;
    return item;
  }
}

// Of this round.
std::optional<PlanItem> RunPlan::next_of_all() {
  while (!current_ || current_->next == runs_of_current()) {
    current_.reset();
    const bool more_rows = open_file_ && open_file_->next < open_file_->rows.size();
    if (!more_rows && next_file_ == files_.size()) return std::nullopt;
    if (auto broken = open_next()) return std::move(*broken);
  }
  size_t index = current_->next++;
  size_t repetition = index % repetitions() + 1;
  uint64_t seed = current_->first_seed + index / repetitions() % current_->seeds;
  const std::string& backend = current_->backends[index / repetitions() / current_->seeds];
  // Endless rounds must not fill the disk. So many later, nothing of a round is under way any more.
  if (request_.until_fail) repetition = (round_ - 1) % kRoundsKept + 1;
  return planned_run(backend, seed, repetition);
}

bool RunPlan::begin_next_round() {
  const bool is_last = round_ == request_.repeat;
  if (!request_.until_fail || is_last || played_in_round_ == 0) return false;
  ++round_;
  counted_ = played_in_round_ = deselected_ = elsewhere_ = next_file_ = 0;
  open_file_.reset();
  folders_.clear();
  return true;
}

size_t RunPlan::expected_items() const {
  size_t open = current_ ? runs_of_current() - current_->next : 0;
  open += (files_.size() - next_file_) * runs_per_file();
  if (open_file_) {
    open += (open_file_->rows.size() - open_file_->next) *
            (current_ ? runs_of_current() : runs_per_file());
  }
  return handed_out_ + request_.shard.share(counted_ + open) - request_.shard.share(counted_);
}

// Sets current_ unless the next row or file is broken or not selected.
std::optional<BrokenFile> RunPlan::open_next() {
  if (open_file_ && open_file_->next < open_file_->rows.size()) return open_next_row();
  open_file_.reset();
  return open_next_file();
}

ReadResult RunPlan::read(const std::string& path,
                         const std::map<std::string, std::string>& set) const {
  return sources_.read(path,
                       {.set = set, .seed = request_.seed, .kernel_ports = request_.host_network});
}

// With it comes the first row of its matrix.
std::optional<BrokenFile> RunPlan::open_next_file() {
  const std::string path = files_[next_file_++];
  ReadResult file = read(path, request_.set);
  if (!file.scenario) return BrokenFile{file.source, std::move(file.mistakes)};
  if (file.rows.size() > 1) open_file_ = OpenFile{path, file.rows, 1};
  begin(std::move(file), path);
  return std::nullopt;
}

std::optional<BrokenFile> RunPlan::open_next_row() {
  const MatrixRow& row = open_file_->rows[open_file_->next++];
  std::map<std::string, std::string> set = request_.set;
  for (const auto& [name, value] : row.settings) set[name] = value;
  ReadResult file = read(open_file_->path, set);
  if (!file.scenario) {
    for (Diagnostic& mistake : file.mistakes) {
      mistake.details.push_back("in the matrix's row " + row.name);
    }
    return BrokenFile{file.source, std::move(file.mistakes)};
  }
  begin(std::move(file), open_file_->path);
  return std::nullopt;
}

void RunPlan::begin(ReadResult file, const std::string& path) {
  const Scenario& scenario = *file.scenario;
  if (!request_.selection.matches(
          {scenario.id, scenario.name, path, scenario.tags, scenario.row})) {
    ++deselected_;
    return;
  }
  Current current;
  current.path = path;
  current.settings.insert(scenario.settings.begin(), scenario.settings.end());
  const std::string row = scenario.row.empty() ? "" : "@" + scenario.row;
  current.folder = request_.out + "/" + folder_of(scenario.id + row);
  current.backends = backends_of(scenario);
  current.first_seed = request_.seeds  ? request_.seeds->first
                       : request_.seed ? *request_.seed
                                       : scenario.seed;
  current.seeds = seed_count(request_);
  current.scenario = std::make_shared<const Scenario>(std::move(*file.scenario));
  current_ = std::move(current);
}

std::string RunPlan::expected_failure(const std::string& backend) const {
  const Scenario& scenario = *current_->scenario;
  const auto& own = scenario.expected_failure;
  if (own && (own->backends.empty() || own->backends.contains(backend))) return own->reason;
  if (!sources_.known_failure) return "";
  return sources_.known_failure(scenario, current_->path, backend);
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
  options.time_scale = request_.time_scale;
  options.spin = request_.spin;
  options.host_network = request_.host_network;
  options.allow_remote = request_.allow_remote;
  options.capture = request_.capture;
  options.check_determinism = request_.check_determinism;
  options.output = fmt::format("{}/{}-{}", current_->folder, backend, seed);
  if (repetition > 1) options.output += fmt::format(".{}", repetition);
  options.again = again_command(request_, current_->path, backend, seed, current_->settings);
  options.row = run.scenario->row;
  options.expected_failure = expected_failure(backend);
  options.strict = request_.strict;

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
  return current_->backends.size() * current_->seeds * repetitions();
}

// What an unread file will give if it is selected and allows every backend.
size_t RunPlan::runs_per_file() const {
  size_t backends = request_.backends.empty() ? sources_.backends.size() : request_.backends.size();
  return backends * seed_count(request_) * repetitions();
}

}  // namespace netrig
