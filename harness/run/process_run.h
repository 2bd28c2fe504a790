#pragma once
// One program of a scenario while it runs: made ready, watched, stopped, and what is to be said of
// it if that does not go as the scenario says. Everything here happens in fibers of the run's loop.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/actor_run.h"
#include "harness/run/result.h"
#include "harness/sockets/program.h"

namespace netrig {

// What a finished run knows of a process: for expectations and for the files of the run.
struct ProcessOutcome {
  std::string name;
  std::optional<Program::End> end;  // empty: it never ran
  ProgramOutput output;
};

class ProcessRun {
 public:
  // Both must outlive it.
  ProcessRun(Stage& stage, const Process& process) : stage_(stage), process_(process) {}

  const Process& process() const { return process_; }
  bool started() const { return program_ != nullptr; }
  // It ends by itself, and the run waits for that.
  bool must_end() const { return process_.exits.has_value(); }
  bool ended() const { return program_ != nullptr && program_->end().has_value(); }

  // Makes its service known: `${NAME.port}` and so on. Before anything starts.
  std::optional<Finding> announce();
  // Starts it and waits until it is ready. `after`: what it waits for first.
  std::optional<Finding> start();
  // Waits for its end, which is a finding if nobody asked for it or it is not as it should be; and
  // for output without end. For a fiber of its own, once it is ready.
  std::optional<Finding> watch();
  // Asks it to end, waits, and kills what is left. The findings say what went wrong there; without
  // `orderly` nobody wants to know, and it is short.
  std::vector<Finding> stop(bool orderly);

  ProcessOutcome outcome() const;

 private:
  Finding finding(Location at, std::string message, std::vector<std::string> details = {}) const;
  Finding with_output(Finding finding) const;
  std::expected<ProgramOptions, Finding> render_options();
  size_t output_max() const;
  std::optional<Finding> write_files(Variables& variables);
  std::optional<Finding> await_ready();
  std::string not_ready_yet();
  bool log_matches();
  Finding not_ready(const std::string& missing);
  Finding ended_unready();
  std::optional<Finding> judge_end() const;
  std::optional<Finding> judge_stopped() const;
  std::optional<Finding> await_rest(bool orderly);

  Stage& stage_;
  const Process& process_;
  std::shared_ptr<Program> program_;
  std::vector<std::pair<Transport, Endpoint>> listening_;  // where it has to wait for peers
  size_t searched_[2] = {0, 0};  // of its output and errors: looked through for the log's line
  bool log_seen_ = false;
  bool stopping_ = false;
};

// True if it ended as the condition says.
bool fits(const ExitCondition& condition, const Program::End& end);
// "exit status 0", "SIGSEGV".
std::string describe(const ExitCondition& condition);

}  // namespace netrig
