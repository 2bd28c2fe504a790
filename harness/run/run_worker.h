#pragma once
// A process that plays runs of one scenario on the simulated world, one after the other, each on
// demand. It needs no sandbox, since nothing of it touches the machine's network; a process of its
// own it has so that a run that hangs or crashes is one result and not the end of all.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

#include "harness/base/fd.h"
#include "harness/run/runner.h"

namespace netrig {

class RunWorker {
 public:
  // All of `options` but seed, output and again holds for every run. The error is a sentence.
  static std::expected<std::unique_ptr<RunWorker>, std::string> start(const Scenario& scenario,
                                                                      const RunOptions& options,
                                                                      const Judge& judge);
  ~RunWorker();  // ends the process and waits for it
  RunWorker(const RunWorker&) = delete;
  RunWorker& operator=(const RunWorker&) = delete;

  // Whether it can play what is asked.
  bool serves(const Scenario& scenario, const RunOptions& options) const;
  // Asks for a run; its result will come.
  void ask(const RunOptions& options);
  int descriptor() const { return socket_.get(); }
  // Reads what has come: the result in JSON once it is whole.
  std::optional<std::string> read_result();
  bool ended() const { return ended_; }  // the process has closed its end
  // After ended(): waits for the process, its status as of waitpid(2).
  int wait();
  void signal(int number);

 private:
  RunWorker(const Scenario& scenario, const RunOptions& options, pid_t pid, Fd socket);

  const Scenario& scenario_;
  std::shared_ptr<const SourceFile> source_;  // kept, so that no other can have its address
  RunOptions options_;
  pid_t pid_;
  Fd socket_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace netrig
