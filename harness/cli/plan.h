#pragma once
// The runs of one call, one after the other, in the order in which they are reported: by file,
// backend, seed, repetition. A file is read when its turn comes and let go after its last run.
// Nothing is started here.

#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "harness/cli/run_request.h"
#include "harness/run/runner.h"
#include "harness/scenario/reader.h"

namespace netrig {

class KnownFailures;

// What the plan asks of the floors below; tests give their own.
struct PlanSources {
  std::function<ReadResult(const std::string&, const ReadOptions&)> read;
  std::vector<std::string> backends;  // that this build has
  std::function<std::optional<std::string>(const Scenario&, const std::string&)> unsupported;
  // Why a run of this file is known to fail, beyond what the file says; "" if nothing says so.
  std::function<std::string(const Scenario&, const std::string& path, const std::string& backend)>
      known_failure = {};
};
PlanSources real_plan_sources();
// The lines of --known-failures, which `sources` then know of; null without the option. The error
// is a sentence, or one a line.
std::expected<std::shared_ptr<KnownFailures>, std::string> add_known_failures(
    const RunRequest& request, PlanSources& sources);

struct BrokenFile {
  std::shared_ptr<const SourceFile> source;
  std::vector<Diagnostic> mistakes;
};

struct PlannedRun {
  std::shared_ptr<const Scenario> scenario;
  RunOptions options;                // its output folder is not made yet
  std::optional<RunResult> settled;  // skipped or unsupported: there is nothing to run
  // With --until-fail, of a later round than the first: nobody misses it if it is not played.
  bool is_extra = false;
};

// With --until-fail: how many rounds leave a folder of their own; later ones take the oldest.
inline constexpr size_t kRoundsKept = 300;

using PlanItem = std::variant<BrokenFile, PlannedRun>;

class RunPlan {
 public:
  RunPlan(const RunRequest& request, std::vector<std::string> files, PlanSources sources);

  // Empty at the end, which --until-fail may never come to.
  std::optional<PlanItem> next();

  // How many items there will be in all, as far as the files have been read.
  size_t expected_items() const;
  // Scenarios without mistakes that the selection left out.
  size_t deselected() const { return deselected_; }
  // Runs so far that other shards play.
  size_t elsewhere() const { return elsewhere_; }

 private:
  // A file, or one row of its matrix, and how far its runs have been handed out.
  struct Current {
    std::map<std::string, std::string> settings;  // of the row
    std::shared_ptr<const Scenario> scenario;
    std::string path;
    std::string folder;  // OUT/<id>, distinct among all files of the call
    std::vector<std::string> backends;
    uint64_t first_seed = 0;
    size_t seeds = 1;
    size_t next = 0;
  };
  std::optional<PlanItem> next_of_all();
  bool begin_next_round();
  // A file and how many rows of its matrix have been opened.
  struct OpenFile {
    std::string path;
    std::vector<MatrixRow> rows;
    size_t next = 0;
  };
  std::optional<BrokenFile> open_next();
  std::optional<BrokenFile> open_next_file();
  std::optional<BrokenFile> open_next_row();
  ReadResult read(const std::string& path, const std::map<std::string, std::string>& set) const;
  void begin(ReadResult file, const std::string& path);
  std::string expected_failure(const std::string& backend) const;
  std::vector<std::string> backends_of(const Scenario& scenario) const;
  std::string folder_of(const std::string& id);
  PlannedRun planned_run(const std::string& backend, uint64_t seed, size_t repetition) const;
  size_t repetitions() const { return request_.until_fail ? 1 : request_.repeat; }
  size_t runs_of_current() const;
  size_t runs_per_file() const;

  RunRequest request_;
  std::vector<std::string> files_;
  PlanSources sources_;
  size_t next_file_ = 0;
  size_t counted_ = 0;     // items of this round, of every shard
  size_t handed_out_ = 0;  // in all
  size_t round_ = 1;
  size_t played_in_round_ = 0;
  size_t elsewhere_ = 0;
  size_t deselected_ = 0;
  std::optional<OpenFile> open_file_;
  std::optional<Current> current_;
  std::set<std::string> folders_;
};

}  // namespace netrig
