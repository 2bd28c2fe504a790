#pragma once
// Plays a plan: several runs side by side, each result reported in the plan's order as soon as all
// before it are. A signal or the end of its time ends it early, with what is known reported. What
// was not right is tried again if that is asked for, and told as flaky if it passes then. Knows
// jobs and reporters, no command line.

#include <string>

#include "harness/cli/job.h"
#include "harness/cli/plan.h"
#include "harness/cli/signal_watch.h"
#include "harness/report/reporter.h"

namespace netrig {

// How many items may be under way or wait for an earlier one before no more are started: one slow
// run among thousands must not pile up the results of all others.
inline constexpr size_t kReportWindow = 256;
// How long an interrupted run may be silent before it is killed, and then before it is given up.
inline constexpr Duration kInterruptGrace = 10s;
inline constexpr Duration kKillGrace = 2s;

// Another signal that comes sooner is the same one, told twice: timeout(1) signals its child and
// then the group that the child is in.
inline constexpr Duration kSecondSignalMin = 300ms;

struct ScheduleOptions {
  size_t jobs = 1;
  bool fail_fast = false;
  size_t retries = 0;         // of a run on the machine's clock; in virtual time nothing changes
  Duration total_timeout{0};  // 0: none
  StartJob start;
  // Makes the folder of a run; a sentence if it cannot.
  std::function<std::string(const std::string&)> prepare_folder;
  Duration second_signal_min = kSecondSignalMin;
};

struct ScheduleOutcome {
  Totals totals;             // without the duration
  bool interrupted = false;  // by a signal
  bool out_of_time = false;  // by the total timeout
  std::string stopped;  // a sentence: why no more runs were started (the output is not writable)
};

// Calls started(), broken_file() and result() of the reporter, not finished(): the totals are the
// caller's to complete.
ScheduleOutcome run_schedule(RunPlan& plan, const ScheduleOptions& options, Reporter& reporter,
                             SignalWatch& signals);

}  // namespace netrig
