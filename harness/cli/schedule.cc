#include "harness/cli/schedule.h"

#include <chrono>
#include <fmt/format.h>
#include <list>
#include <map>
#include <poll.h>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/run/play.h"

namespace netrig {

namespace {

constexpr size_t kLingeringPerJob = 4;
// A folder that is used again belongs to a run that was reported long ago.
static_assert(kRoundsKept > kReportWindow);

using Clock = std::chrono::steady_clock;

bool is_bad(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kInvalid || verdict == Verdict::kError ||
         verdict == Verdict::kXpass;
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
      watch_time();
    }
    if (owes_rest_ && !outcome_.interrupted) tell_rest();
    return std::move(outcome_);
  }

 private:
  struct Running {
    size_t position = 0;
    PlannedRun run;
    std::unique_ptr<Job> job;
    Clock::time_point started_at = Clock::now();
    std::string folder;  // of the first attempt
    std::vector<EarlierAttempt> earlier;
  };
  struct Untold {};  // a place in the plan of which nothing is reported
  struct Finished {
    std::shared_ptr<const SourceFile> source;
    std::variant<BrokenFile, RunResult, Untold> what;
  };

  bool may_start() const {
    return !stopping_ && !plan_is_done_ && running_.size() < options_.jobs &&
           next_position_ - next_report_ < kReportWindow;
  }

  void start_next() {
    std::optional<PlanItem> item = plan_.next();
    tell_plan();
    if (!item) {
      plan_is_done_ = true;
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
      RunResult settled = std::move(*planned.settled);
      finish(position, planned, std::move(settled));
      return;
    }
    if (!prepare(planned.options.output)) {
      --next_position_;
      return;
    }
    running_.push_back({.position = position, .run = std::move(planned)});
    Running& entry = running_.back();
    entry.folder = entry.run.options.output;
    entry.job = options_.start(*entry.run.scenario, entry.run.options);
  }

  bool prepare(const std::string& folder) {
    outcome_.stopped = options_.prepare_folder(folder);
    stopping_ |= !outcome_.stopped.empty();
    return outcome_.stopped.empty();
  }

  // Whether a run that is not right starts once more, in the same place of the plan.
  bool try_again(Running& entry, const RunResult& result) {
    const bool is_worth_it = is_bad(result.verdict) && is_wall_clock(entry.run.options.backend);
    if (!is_worth_it || entry.earlier.size() >= options_.retries || stopping_) return false;
    std::string folder = fmt::format("{}.retry-{}", entry.folder, entry.earlier.size() + 1);
    if (!prepare(folder)) return false;
    EarlierAttempt attempt{result.verdict, {}, result.reason, result.output};
    if (!result.findings.empty()) {
      attempt.at = result.findings[0].diagnostic.at;
      attempt.message = result.findings[0].diagnostic.message;
    }
    entry.earlier.push_back(std::move(attempt));
    lingering_.push_back(std::move(entry.job));
    entry.run.options.output = std::move(folder);
    entry.started_at = Clock::now();
    entry.job = options_.start(*entry.run.scenario, entry.run.options);
    return true;
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
    if (ending()) {
      longest = killed_ ? kKillGrace : kInterruptGrace;
    } else if (longest != Duration{0} && options_.total_timeout > Duration{0}) {
      longest = std::max(Duration{0}, time_left()) + 1ms;  // poll(2) counts whole milliseconds
    }
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
    if (ready == 0 && ending()) escalate();
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

  bool ending() const { return outcome_.interrupted || outcome_.out_of_time; }
  Duration time_left() const { return options_.total_timeout - (Clock::now() - begin_); }

  void watch_time() {
    if (options_.total_timeout == Duration{0} || ending() || time_left() > Duration{0}) return;
    if (plan_is_done_ && running_.empty()) return;
    outcome_.out_of_time = true;
    owes_rest_ = !std::exchange(stopping_, true) && !plan_is_done_;
    for (Running& entry : running_) entry.job->interrupt();
  }

  // What the plan still holds when the time is over: not run, but for what needs no run.
  void tell_rest() {
    while (std::optional<PlanItem> item = plan_.next()) {
      tell_plan();
      size_t position = next_position_++;
      if (auto* broken = std::get_if<BrokenFile>(&*item)) {
        finished_.emplace(position, Finished{broken->source, std::move(*broken)});
      } else {
        auto& planned = std::get<PlannedRun>(*item);
        if (planned.is_extra) break;
        RunResult result = planned.settled
                               ? std::move(*planned.settled)
                               : without_result(planned, Verdict::kNotRun, "not started");
        finish(position, planned, std::move(result));
      }
      report_ready();
    }
  }

  // The time for the whole call is over: what was cut off says nothing.
  void explain_end_of_time(RunResult& result) const {
    result.reason = fmt::format("{} before --total-timeout {} was over",
                                result.verdict == Verdict::kNotRun ? "not started" : "not done",
                                format_duration(options_.total_timeout));
    result.verdict = Verdict::kNotRun;
    result.output.clear();
    result.capture.clear();
  }

  void on_signal() {
    while (signals_.take()) {
      stopping_ = true;
      const auto now = Clock::now();
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
      finish(entry.position, entry.run,
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
      while (here->job->descriptor() < 0 && collect(here)) {
      }
    }
  }

  // Takes the job's result if it has one. True if the entry stays: it has none, or starts again.
  bool collect(std::list<Running>::iterator entry) {
    std::optional<RunResult> result = entry->job->take_result();
    if (!result && entry->job->descriptor() >= 0) return true;
    if (!result) {
      result = without_result(entry->run, Verdict::kError, "it ended without a result");
    }
    result->duration = Clock::now() - entry->started_at;
    if (try_again(*entry, *result)) return true;
    if (result->verdict == Verdict::kPass && !entry->earlier.empty()) {
      result->verdict = Verdict::kFlaky;
    }
    result->earlier = std::move(entry->earlier);
    finish(entry->position, entry->run, std::move(*result));
    lingering_.push_back(std::move(entry->job));
    running_.erase(entry);
    return false;
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

  void finish(size_t position, const PlannedRun& run, RunResult result) {
    if (options_.fail_fast && is_bad(result.verdict)) stopping_ = true;
    const bool cut_off =
        result.verdict == Verdict::kInterrupted || result.verdict == Verdict::kNotRun;
    if (cut_off && outcome_.out_of_time && !outcome_.interrupted) {
      explain_end_of_time(result);
      if (run.is_extra) {
        finished_.emplace(position, Finished{run.scenario->source, Untold{}});
        return;
      }
    }
    finished_.emplace(position, Finished{run.scenario->source, std::move(result)});
  }

  void report_ready() {
    for (auto at = finished_.begin(); at != finished_.end() && at->first == next_report_;
         at = finished_.erase(at), ++next_report_) {
      const Finished& finished = at->second;
      if (const auto* broken = std::get_if<BrokenFile>(&finished.what)) {
        ++outcome_.totals.broken_files;
        reporter_.broken_file(*broken->source, broken->mistakes);
      } else if (const auto* result = std::get_if<RunResult>(&finished.what)) {
        outcome_.totals.count(result->verdict);
        reporter_.result(*result, *finished.source);
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
  bool plan_is_done_ = false;
  bool killed_ = false;
  bool owes_rest_ = false;  // out of time, with more to start
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point interrupted_at_;
};

}  // namespace

ScheduleOutcome run_schedule(RunPlan& plan, const ScheduleOptions& options, Reporter& reporter,
                             SignalWatch& signals) {
  return Schedule(plan, options, reporter, signals).run();
}

}  // namespace netrig
