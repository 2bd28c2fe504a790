#pragma once
// A run under way, as the schedule sees it: the few calls of RunningJob behind an interface, so
// that the schedule can be tested without a network.

#include <functional>
#include <memory>
#include <optional>

#include "harness/run/runner.h"

namespace netrig {

class Job {
 public:
  virtual ~Job() = default;
  virtual int descriptor() const = 0;  // -1: it has ended
  virtual void on_readable() = 0;
  virtual std::optional<RunResult> take_result() = 0;
  virtual void interrupt() = 0;
  virtual void kill() = 0;
  // After its result: has its process gone too? The kernel takes tens of milliseconds to close a
  // capture, which nobody has to wait for.
  virtual bool gone() { return true; }
};

// Both arguments outlive the job.
using StartJob = std::function<std::unique_ptr<Job>(const Scenario&, const RunOptions&)>;

// RunningJobs of a runner, which must outlive them.
StartJob start_jobs_with(Runner& runner);

}  // namespace netrig
