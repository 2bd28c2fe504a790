#include "harness/run/processes.h"

#include <ranges>

namespace netrig {

Processes::Processes(Stage& stage) : stage_(stage) {
  for (const Process& process : stage.scenario.processes) {
    runs_.push_back(std::make_unique<ProcessRun>(stage, process));
  }
}

std::optional<Finding> Processes::announce() {
  for (const auto& run : runs_) {
    if (auto finding = run->announce()) return finding;
  }
  return std::nullopt;
}

void Processes::start_all() {
  for (const auto& run : runs_) {
    starting_[run->process().name] =
        stage_.loop.spawn(run->process().name, [this, &run = *run] { start(run); });
  }
  for (const auto& [name, fiber] : starting_) stage_.loop.join(fiber);
}

void Processes::start(ProcessRun& run) {
  for (const std::string& name : run.process().after) stage_.loop.join(starting_.at(name));
  if (failed_) return;
  stage_.waiting[stage_.loop.current()] = {run.process().name, run.process().at, "its start"};
  auto finding = run.start();
  stage_.waiting.erase(stage_.loop.current());
  if (finding) {
    failed_ = true;
    return stage_.failed(std::move(*finding));
  }
  stage_.loop.spawn("watch of " + run.process().name, [this, &run] {
    if (auto problem = run.watch()) stage_.failed(std::move(*problem));
  });
}

bool Processes::all_ended() const {
  return std::ranges::all_of(runs_,
                             [](const auto& run) { return !run->must_end() || run->ended(); });
}

std::vector<Finding> Processes::stop_all(bool orderly) {
  std::vector<Finding> findings;
  for (const auto& run : runs_ | std::views::reverse) {
    std::ranges::move(run->stop(orderly), std::back_inserter(findings));
  }
  return findings;
}

std::vector<ProcessOutcome> Processes::outcomes() const {
  std::vector<ProcessOutcome> all;
  for (const auto& run : runs_) all.push_back(run->outcome());
  return all;
}

}  // namespace netrig
