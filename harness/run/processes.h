#pragma once
// All programs of a run: started in order, watched, waited for if they end by themselves, stopped
// in the reverse order.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/run/process_run.h"

namespace netrig {

class Processes {
 public:
  // The stage must outlive it.
  explicit Processes(Stage& stage);

  bool empty() const { return runs_.empty(); }
  // Makes their services known. Before anything starts.
  std::optional<Finding> announce();
  // Inside a fiber: starts them, each as soon as those that it is `after` are ready, and returns
  // when all are; or when one fails, which Stage::failed is told.
  void start_all();
  // Those that end by themselves have ended.
  bool all_ended() const;
  // Inside a fiber. See ProcessRun::stop.
  std::vector<Finding> stop_all(bool orderly);
  std::vector<ProcessOutcome> outcomes() const;

 private:
  void start(ProcessRun& run);

  Stage& stage_;
  std::vector<std::unique_ptr<ProcessRun>> runs_;  // in an order of `after`
  std::map<std::string, FiberId> starting_;
  bool failed_ = false;
};

}  // namespace netrig
