#pragma once
// What expectations are judged by: a finished run with its capture, or a recording alone. The
// capture is read when it is first asked for, and each kind of packets is selected once. Decides
// nothing.

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/capture/captured_packet.h"
#include "harness/run/render.h"
#include "harness/run/runner.h"

namespace netrig {

class Evidence {
 public:
  explicit Evidence(const FinishedRun& run);
  Evidence(const Scenario& scenario, const Recording& recording);
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  const Scenario& scenario() const { return scenario_; }
  const FinishedRun* run() const { return run_; }  // null for a recording alone
  uint64_t seed() const { return run_ != nullptr ? run_->options.seed : scenario_.seed; }
  // Of upper bounds on what took time.
  TimeScale time_scale() const {
    return run_ != nullptr ? netrig::time_scale(run_->options) : TimeScale();
  }
  FixedVariables& variables() { return variables_; }
  // Only of a run.
  const std::vector<ProcessOutcome>& processes() const { return run_->processes; }

  // The error is a sentence: there is no capture, or it cannot be read.
  std::expected<const Recording*, std::string> recording();
  // Indices of the packets of a kind, by a name of `packets` or a built-in one.
  std::expected<const std::vector<size_t>*, std::string> packets(const std::string& kind);
  // The filter of a kind as it was applied; the name itself for a built-in one.
  std::expected<std::string, std::string> filter_text(const std::string& kind);

  // "#4 +1.2ms 10.0.0.2:40000 > 10.0.0.1:80 tcp ...": number from 1 and time since the first
  // packet.
  std::string packet_line(size_t index);
  // Lines of the first few of them, and how many more there are.
  std::vector<std::string> packet_lines(const std::vector<size_t>& indices);

 private:
  const Scenario& scenario_;
  const FinishedRun* run_ = nullptr;
  FixedVariables variables_;
  const Recording* given_ = nullptr;
  std::optional<std::expected<Recording, std::string>> read_;
  std::map<std::string, std::vector<size_t>> selected_;
};

}  // namespace netrig
