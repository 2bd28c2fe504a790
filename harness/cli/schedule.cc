#include "harness/cli/schedule.h"

#include <chrono>
#include <list>
#include <map>
#include <poll.h>
#include <utility>

#include "harness/run/play.h"

namespace netrig {

namespace {

constexpr size_t kLingeringPerJob = 4;

bool is_bad(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kInvalid || verdict == Verdict::kError;
}

class Schedule {
 public:
  Schedule(RunPlan& plan, const ScheduleOptions& options, Reporter& reporter, SignalWatch& signals)
      : plan_(plan), options_(options), reporter_(reporter), signals_(signals) {}

  ScheduleOutcome run() {
    tell_plan();
    for (;;) {
      let_go();
      if (may_start()) start_next();
      collect_ended();
      report_ready();
      if (running_.empty() && !may_start()) break;
      wait(may_start() ? Duration{0} : Duration{-1});
    }
    return std::move(outcome_);
  }

 private:
  struct Running {
    size_t position = 0;
    PlannedRun run;
    std::unique_ptr<Job> job;
    std::chrono::steady_clock::time_point started_at = std::chrono::steady_clock::now();
  };
  struct Finished {
    std::shared_ptr<const SourceFile> source;
    std::variant<BrokenFile, RunResult> what;
  };

  bool may_start() const {
    return !stopping_ && running_.size() < options_.jobs &&
           next_position_ - next_report_ < kReportWindow;
  }

  void start_next() {
    std::optional<PlanItem> item = plan_.next();
    tell_plan();
    if (!item) {
      stopping_ = true;
      return;
    }
    size_t position = next_position_++;
    if (auto* broken = std::get_if<BrokenFile>(&*item)) {
      stopping_ |= options_.fail_fast;
      finished_.emplace(position, Finished{broken->source, std::move(*broken)});
      return;
    }
    auto& planned = std::get<PlannedRun>(*item);
    if (planned.settled) {
      finish(position, *planned.scenario, std::move(*planned.settled));
      return;
    }
    outcome_.stopped = options_.prepare_folder(planned.options.output);
    if (!outcome_.stopped.empty()) {
      stopping_ = true;
      --next_position_;
      return;
    }
    running_.push_back({.position = position, .run = std::move(planned)});
    Running& entry = running_.back();
    entry.job = options_.start(*entry.run.scenario, entry.run.options);
  }

  void tell_plan() {
    size_t expected = plan_.expected_items();
    if (told_ && *told_ == expected) return;
    if (told_) {
      reporter_.replanned(expected);
    } else {
      reporter_.started(expected);
    }
    told_ = expected;
  }

  // Sleeps until something happens or `longest` has passed; negative: for ever.
  void wait(Duration longest) {
    if (outcome_.interrupted) longest = killed_ ? kKillGrace : kInterruptGrace;
    std::vector<pollfd> descriptors{{signals_.descriptor(), POLLIN, 0}};
    for (const Running& entry : running_) {
      descriptors.push_back({entry.job->descriptor(), POLLIN, 0});
    }
    int milliseconds =
        longest < Duration{0}
            ? -1
            : static_cast<int>(
                  std::chrono::duration_cast<std::chrono::milliseconds>(longest).count());
    int ready = ::poll(descriptors.data(), descriptors.size(), milliseconds);
    if (ready == 0 && outcome_.interrupted) escalate();
    if (ready <= 0) return;
    if (descriptors[0].revents != 0) on_signal();
    auto descriptor = descriptors.begin() + 1;
    for (auto entry = running_.begin(); entry != running_.end(); ++descriptor) {
      auto here = entry++;
      if (descriptor->revents == 0) continue;
      here->job->on_readable();
      collect(here);
    }
  }

  void on_signal() {
    while (signals_.take()) {
      stopping_ = true;
      const auto now = std::chrono::steady_clock::now();
      if (!outcome_.interrupted) {
        outcome_.interrupted = true;
        interrupted_at_ = now;
        for (Running& entry : running_) entry.job->interrupt();
      } else if (now - interrupted_at_ >= options_.second_signal_min) {
        kill_all();
      }
    }
  }

  // Nothing came for the whole grace.
  void escalate() {
    if (!killed_) return kill_all();
    while (!running_.empty()) {
      Running& entry = running_.front();
      finish(entry.position, *entry.run.scenario,
             without_result(entry.run, Verdict::kInterrupted, "it did not end when it was killed"));
      running_.pop_front();  // ~RunningJob kills what is left
    }
    report_ready();
  }

  void kill_all() {
    killed_ = true;
    for (Running& entry : running_) entry.job->kill();
  }

  // Those that ended in a call, not by becoming readable.
  void collect_ended() {
    for (auto entry = running_.begin(); entry != running_.end();) {
      auto here = entry++;
      if (here->job->descriptor() < 0) collect(here);
    }
  }

  // Takes the job's result if it has one.
  void collect(std::list<Running>::iterator entry) {
    std::optional<RunResult> result = entry->job->take_result();
    if (!result && entry->job->descriptor() >= 0) return;
    if (!result) {
      result = without_result(entry->run, Verdict::kError, "it ended without a result");
    }
    result->duration = std::chrono::steady_clock::now() - entry->started_at;
    finish(entry->position, *entry->run.scenario, std::move(*result));
    lingering_.push_back(std::move(entry->job));
    running_.erase(entry);
  }

  // Processes whose results are known end by themselves; a job's destructor waits for its own.
  void let_go() {
    lingering_.remove_if([](const std::unique_ptr<Job>& job) { return job->gone(); });
    while (lingering_.size() > kLingeringPerJob * options_.jobs) lingering_.pop_front();
  }

  static RunResult without_result(const PlannedRun& run, Verdict verdict, std::string reason) {
    RunResult result = blank_result(*run.scenario, run.options);
    result.verdict = verdict;
    result.reason = std::move(reason);
    return result;
  }

  void finish(size_t position, const Scenario& scenario, RunResult result) {
    if (options_.fail_fast && is_bad(result.verdict)) stopping_ = true;
    finished_.emplace(position, Finished{scenario.source, std::move(result)});
  }

  void report_ready() {
    for (auto at = finished_.begin(); at != finished_.end() && at->first == next_report_;
         at = finished_.erase(at), ++next_report_) {
      const Finished& finished = at->second;
      if (const auto* broken = std::get_if<BrokenFile>(&finished.what)) {
        ++outcome_.totals.broken_files;
        reporter_.broken_file(*broken->source, broken->mistakes);
      } else {
        const auto& result = std::get<RunResult>(finished.what);
        outcome_.totals.count(result.verdict);
        reporter_.result(result, *finished.source);
      }
    }
  }

  RunPlan& plan_;
  const ScheduleOptions& options_;
  Reporter& reporter_;
  SignalWatch& signals_;
  ScheduleOutcome outcome_;
  std::list<Running> running_;
  std::list<std::unique_ptr<Job>> lingering_;  // finished, but for the end of their processes
  std::map<size_t, Finished> finished_;        // by position in the plan
  size_t next_position_ = 0;
  size_t next_report_ = 0;
  std::optional<size_t> told_;
  bool stopping_ = false;  // no more are started
  bool killed_ = false;
  std::chrono::steady_clock::time_point interrupted_at_;
};

}  // namespace

ScheduleOutcome run_schedule(RunPlan& plan, const ScheduleOptions& options, Reporter& reporter,
                             SignalWatch& signals) {
  return Schedule(plan, options, reporter, signals).run();
}

}  // namespace netrig
