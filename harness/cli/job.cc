#include "harness/cli/job.h"

#include <utility>

namespace netrig {

namespace {

class RealJob : public Job {
 public:
  explicit RealJob(RunningJob job) : job_(std::move(job)) {}
  int descriptor() const override { return job_.descriptor(); }
  void on_readable() override { job_.on_readable(); }
  std::optional<RunResult> take_result() override { return job_.take_result(); }
  void interrupt() override { job_.interrupt(); }
  void kill() override { job_.kill(); }
  bool gone() override { return job_.gone(); }

 private:
  RunningJob job_;
};

}  // namespace

StartJob start_jobs_with(Runner& runner) {
  return [&runner](const Scenario& scenario, const RunOptions& options) -> std::unique_ptr<Job> {
    return std::make_unique<RealJob>(runner.start(scenario, options));
  };
}

}  // namespace netrig
