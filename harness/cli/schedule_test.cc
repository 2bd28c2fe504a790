#include "harness/cli/schedule.h"

#include <gtest/gtest.h>
#include <map>
#include <set>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace netrig {
namespace {

using Lines = std::vector<std::string>;

class RecordingReporter : public Reporter {
 public:
  void started(size_t planned) override { lines.push_back("planned " + std::to_string(planned)); }
  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& /*mistakes*/) override {
    lines.push_back("broken " + file.path());
  }
  void result(const RunResult& result, const SourceFile& source) override {
    EXPECT_EQ(source.path(), result.scenario);
    lines.push_back(result.id + " " + std::string(verdict_name(result.verdict)));
    results.push_back(result);
  }
  std::string finished(const Totals& /*totals*/) override { return ""; }

  Lines lines;
  std::vector<RunResult> results;
};

// A job that ends when the test says so: on end(), on interrupt() or on kill().
struct FakeJob : Job {
  struct Shared {
    RunResult result;
    int fd = ::eventfd(0, EFD_CLOEXEC);
    bool ended = false, interrupted = false, killed = false;
    bool deaf = false;  // does not mind an interrupt
    bool slow = false;  // ends 50 ms after it
    ~Shared() { ::close(fd); }
    void end_later(Verdict verdict) {
      result.verdict = verdict;
      int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
      itimerspec when{};
      when.it_value.tv_nsec = 50'000'000;
      EXPECT_EQ(::timerfd_settime(timer, 0, &when, nullptr), 0);
      EXPECT_EQ(::dup2(timer, fd), fd);
      ::close(timer);
    }
    void end(Verdict verdict) {
      result.verdict = verdict;
      uint64_t one = 1;
      EXPECT_EQ(::write(fd, &one, sizeof one), 8);
    }
  };
  explicit FakeJob(std::shared_ptr<Shared> state) : shared(std::move(state)) {}
  int descriptor() const override { return shared->ended ? -1 : shared->fd; }
  void on_readable() override { shared->ended = true; }
  std::optional<RunResult> take_result() override {
    return shared->ended ? std::optional(shared->result) : std::nullopt;
  }
  void interrupt() override {
    shared->interrupted = true;
    if (shared->slow) return shared->end_later(Verdict::kInterrupted);
    if (!shared->deaf) shared->end(Verdict::kInterrupted);
  }
  void kill() override {
    shared->killed = true;
    shared->end(Verdict::kInterrupted);
  }
  std::shared_ptr<Shared> shared;
};

class ScheduleTest : public testing::Test {
 protected:
  // Plays scenarios of these names; a name that starts with "broken" is a file with a mistake.
  ScheduleOutcome play(const Lines& names, size_t jobs, bool fail_fast = false) {
    auto read = [](const std::string& path, const ReadOptions& /*options*/) {
      ReadResult file;
      file.source = std::make_shared<SourceFile>(path, "{}");
      if (path.starts_with("broken")) return file;
      file.scenario.emplace();
      file.scenario->source = file.source;
      file.scenario->id = path;
      return file;
    };
    RunRequest request{.out = "o"};
    request.until_fail = until_fail_;
    if (until_fail_) request.repeat = 0;
    RunPlan plan(request, names, {read, {backend_}, [](const Scenario&, const std::string&) {
                                    return std::nullopt;
                                  }});
    ScheduleOptions options;
    options.jobs = jobs;
    options.retries = retries_;
    options.total_timeout = total_timeout_;
    options.fail_fast = fail_fast;
    options.start = [this](const Scenario& scenario, const RunOptions& run) {
      return start(scenario, run);
    };
    options.prepare_folder = [this](const std::string& folder) {
      folders_.push_back(folder);
      return unwritable_.contains(folder) ? "cannot write " + folder : "";
    };
    options.second_signal_min = second_signal_min_;
    SignalWatch signals;
    return run_schedule(plan, options, reporter_, signals);
  }

  std::unique_ptr<Job> start(const Scenario& scenario, const RunOptions& run) {
    auto shared = std::make_shared<FakeJob::Shared>();
    shared->result.scenario = run.scenario_path;
    shared->result.id = scenario.id;
    shared->result.output = run.output;
    ++starts_[scenario.id];
    started_[scenario.id] = shared;
    most_at_once_ = std::max(most_at_once_, running());
    if (on_start_) on_start_(scenario.id, *shared);
    return std::make_unique<FakeJob>(shared);
  }

  size_t running() const {
    size_t count = 0;
    for (const auto& [id, shared] : started_) count += !shared->ended;
    return count;
  }

  RecordingReporter reporter_;
  std::map<std::string, std::shared_ptr<FakeJob::Shared>> started_;
  std::function<void(const std::string&, FakeJob::Shared&)> on_start_;
  std::set<std::string> unwritable_;
  Lines folders_;
  size_t most_at_once_ = 0;
  Duration second_signal_min_ = kSecondSignalMin;
  std::string backend_ = "real";
  std::map<std::string, size_t> starts_;
  size_t retries_ = 0;
  Duration total_timeout_{0};
  bool until_fail_ = false;
};

// The second ends first: the first ends only when the third is started.
TEST_F(ScheduleTest, ReportsInTheOrderOfThePlanWhateverEndsFirst) {
  on_start_ = [this](const std::string& id, FakeJob::Shared& job) {
    if (id != "a") job.end(Verdict::kPass);
    if (id == "c") started_["a"]->end(Verdict::kFail);
  };
  ScheduleOutcome outcome = play({"a", "b", "broken", "c"}, 2);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 4", "a fail", "b pass", "broken broken", "c pass"}));
  EXPECT_EQ(outcome.totals.passed, 2u);
  EXPECT_EQ(outcome.totals.failed, 1u);
  EXPECT_EQ(outcome.totals.broken_files, 1u);
  EXPECT_FALSE(outcome.interrupted);
}

TEST_F(ScheduleTest, RunsNoMoreJobsThanAllowedAndAsMany) {
  // Nobody ends before three are there.
  on_start_ = [this](const std::string& id, FakeJob::Shared&) {
    if (running() < 3 && id != "s19") return;
    for (auto& [name, job] : started_) {
      if (!job->ended) job->end(Verdict::kPass);
    }
  };
  Lines names;
  for (int i = 0; i < 20; ++i) names.push_back("s" + std::to_string(i));
  EXPECT_EQ(play(names, 3).totals.passed, 20u);
  EXPECT_EQ(most_at_once_, 3u);
}

TEST_F(ScheduleTest, TakesAJobThatEndedBeforeItBegan) {
  on_start_ = [](const std::string&, FakeJob::Shared& job) {
    job.result.verdict = Verdict::kError;
    job.ended = true;
  };
  EXPECT_EQ(play({"a", "b"}, 1).totals.errors, 2u);
}

TEST_F(ScheduleTest, StartsNothingMoreAfterAFailureWithFailFast) {
  on_start_ = [](const std::string& id, FakeJob::Shared& job) {
    job.end(id == "b" ? Verdict::kFail : Verdict::kPass);
  };
  play({"a", "b", "c", "d"}, 1, true);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 4", "a pass", "b fail"}));
  EXPECT_FALSE(started_.contains("c"));
}

TEST_F(ScheduleTest, StopsAtABrokenFileWithFailFast) {
  play({"broken", "a"}, 1, true);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 2", "broken broken"}));
}

TEST_F(ScheduleTest, InterruptsEveryRunAtTheFirstSignalAndReportsIt) {
  on_start_ = [](const std::string& id, FakeJob::Shared& job) {
    if (id == "a") job.end(Verdict::kPass);
    if (id == "c") ::raise(SIGINT);
  };
  ScheduleOutcome outcome = play({"a", "b", "c", "d"}, 2);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 4", "a pass", "b interrupted", "c interrupted"}));
  EXPECT_EQ(outcome.totals.interrupted, 2u);
  EXPECT_FALSE(started_.contains("d"));
  EXPECT_FALSE(started_["b"]->killed);
}

TEST_F(ScheduleTest, KillsAtTheSecondSignal) {
  second_signal_min_ = 0s;
  on_start_ = [](const std::string&, FakeJob::Shared& job) {
    job.deaf = true;
    ::raise(SIGTERM);
    ::raise(SIGINT);  // another one: a signal that is pending already would be lost
  };
  ScheduleOutcome outcome = play({"a"}, 1);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_TRUE(started_["a"]->interrupted);
  EXPECT_TRUE(started_["a"]->killed);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 1", "a interrupted"}));
}

// What timeout(1) does. The run takes a while to end after the first.
TEST_F(ScheduleTest, TakesTwoSignalsAtOnceForOne) {
  on_start_ = [](const std::string&, FakeJob::Shared& job) {
    job.slow = true;
    ::raise(SIGTERM);
    ::raise(SIGINT);
  };
  play({"a"}, 1);
  EXPECT_TRUE(started_["a"]->interrupted);
  EXPECT_FALSE(started_["a"]->killed);
}

TEST_F(ScheduleTest, StopsWhenAFolderCannotBeWritten) {
  on_start_ = [](const std::string&, FakeJob::Shared& job) { job.end(Verdict::kPass); };
  unwritable_ = {"o/b/real-1"};
  ScheduleOutcome outcome = play({"a", "b", "c"}, 1);
  EXPECT_EQ(outcome.stopped, "cannot write o/b/real-1");
  EXPECT_EQ(reporter_.lines, (Lines{"planned 3", "a pass"}));
  EXPECT_FALSE(started_.contains("c"));
}

// The first run ends only when the window is full; the results of the others wait for it until
// then.
TEST_F(ScheduleTest, HoldsBackOnlySoManyResults) {
  size_t count = 0;
  on_start_ = [&](const std::string& id, FakeJob::Shared& job) {
    ++count;
    if (id != "s0") job.end(Verdict::kPass);
    if (count == kReportWindow) started_["s0"]->end(Verdict::kPass);
  };
  Lines names;
  for (size_t i = 0; i < kReportWindow + 50; ++i) names.push_back("s" + std::to_string(i));
  EXPECT_EQ(play(names, 2).totals.passed, names.size());
}

TEST_F(ScheduleTest, TriesAgainWhatIsNotRightAndTellsAPassAsFlaky) {
  retries_ = 3;
  on_start_ = [this](const std::string& id, FakeJob::Shared& job) {
    if (id == "a" && starts_[id] <= 2) {
      Finding finding;
      finding.diagnostic.at = {7, 3, 1};
      finding.diagnostic.message = "try " + std::to_string(starts_[id]);
      job.result.findings.push_back(finding);
      return job.end(Verdict::kFail);
    }
    job.end(Verdict::kPass);
  };
  ScheduleOutcome outcome = play({"a", "b"}, 1);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 2", "a flaky", "b pass"}));
  EXPECT_EQ(outcome.totals.flaky, 1u);
  EXPECT_EQ(outcome.totals.failed, 0u);
  const RunResult& flaky = reporter_.results[0];
  EXPECT_EQ(flaky.output, "o/a/real-1.retry-2");
  ASSERT_EQ(flaky.earlier.size(), 2u);
  EXPECT_EQ(flaky.earlier[0].output, "o/a/real-1");
  EXPECT_EQ(flaky.earlier[1].output, "o/a/real-1.retry-1");
  EXPECT_EQ(flaky.earlier[1].message, "try 2");
  EXPECT_EQ(flaky.earlier[1].at.line, 7u);
}

TEST_F(ScheduleTest, FailsWhatIsNeverRightHoweverOftenItIsTried) {
  retries_ = 2;
  on_start_ = [](const std::string&, FakeJob::Shared& job) { job.end(Verdict::kFail); };
  ScheduleOutcome outcome = play({"a"}, 1);
  EXPECT_EQ(reporter_.lines, (Lines{"planned 1", "a fail"}));
  EXPECT_EQ(starts_["a"], 3u);
  EXPECT_EQ(reporter_.results[0].earlier.size(), 2u);
  EXPECT_EQ(outcome.totals.failed, 1u);
}

// The attempts end in the call that starts them: nothing becomes readable.
TEST_F(ScheduleTest, TriesAgainWhatEndedBeforeItBegan) {
  retries_ = 3;
  on_start_ = [](const std::string&, FakeJob::Shared& job) {
    job.result.verdict = Verdict::kError;
    job.ended = true;
  };
  EXPECT_EQ(play({"a"}, 1).totals.errors, 1u);
  EXPECT_EQ(starts_["a"], 4u);
}

// With jobs to spare the plan is at its end before the run is.
TEST_F(ScheduleTest, TriesTheLastRunAgainToo) {
  retries_ = 1;
  on_start_ = [this](const std::string& id, FakeJob::Shared& job) {
    job.end(starts_[id] == 1 ? Verdict::kFail : Verdict::kPass);
  };
  EXPECT_EQ(play({"a"}, 4).totals.flaky, 1u);
}

TEST_F(ScheduleTest, TriesNothingAgainInVirtualTime) {
  retries_ = 3;
  backend_ = "fake";
  on_start_ = [](const std::string&, FakeJob::Shared& job) { job.end(Verdict::kFail); };
  EXPECT_EQ(play({"a"}, 1).totals.failed, 1u);
  EXPECT_EQ(starts_["a"], 1u);
}

TEST_F(ScheduleTest, TriesNothingAgainAfterASignal) {
  retries_ = 3;
  on_start_ = [](const std::string&, FakeJob::Shared&) { ::raise(SIGINT); };
  play({"a"}, 1);
  EXPECT_EQ(starts_["a"], 1u);
}

TEST_F(ScheduleTest, CutsOffAtTheEndOfItsTimeAndTellsWhatDidNotRun) {
  total_timeout_ = 50ms;
  on_start_ = [](const std::string& id, FakeJob::Shared& job) {
    if (id == "a") job.end(Verdict::kPass);
  };
  ScheduleOutcome outcome = play({"a", "b", "broken", "c"}, 1);
  EXPECT_EQ(reporter_.lines,
            (Lines{"planned 4", "a pass", "b not_run", "broken broken", "c not_run"}));
  EXPECT_TRUE(outcome.out_of_time);
  EXPECT_FALSE(outcome.interrupted);
  EXPECT_EQ(outcome.totals.not_run, 2u);
  EXPECT_TRUE(started_["b"]->interrupted);
  EXPECT_FALSE(started_.contains("c"));
  EXPECT_EQ(reporter_.results[1].reason, "not done before --total-timeout 50ms was over");
  EXPECT_EQ(reporter_.results[2].reason, "not started before --total-timeout 50ms was over");
}

// It passes although it is asked to end: that is a pass.
TEST_F(ScheduleTest, TakesAResultThatComesAtTheLastMoment) {
  total_timeout_ = 30ms;
  on_start_ = [](const std::string&, FakeJob::Shared& job) {
    job.deaf = true;
    job.end_later(Verdict::kPass);
  };
  EXPECT_EQ(play({"a"}, 1).totals.passed, 1u);
}

TEST_F(ScheduleTest, MissesNoExtraRoundWhenTheTimeIsOver) {
  total_timeout_ = 100ms;
  until_fail_ = true;
  on_start_ = [this](const std::string& id, FakeJob::Shared& job) {
    if (starts_[id] <= 3) job.end(Verdict::kPass);
  };
  ScheduleOutcome outcome = play({"a", "b"}, 1);
  EXPECT_EQ(outcome.totals.passed, 6u);
  EXPECT_EQ(outcome.totals.not_run, 0u);
  EXPECT_TRUE(outcome.out_of_time);
}

TEST_F(ScheduleTest, LeavesSignalsAsTheyWere) {
  play({}, 1);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGINT));
}

}  // namespace
}  // namespace netrig
