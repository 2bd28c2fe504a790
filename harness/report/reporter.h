#pragma once
// How results are told: an interface that the run command feeds, and one implementation a form
// (terminal, JUnit, JSON lines). A reporter sees each result once, as it arrives, and keeps as
// little as it can.

#include <cstddef>
#include <string>
#include <vector>

#include "harness/run/result.h"
#include "harness/scenario/source.h"

namespace netrig {

struct Totals {
  size_t passed = 0, failed = 0, unsupported = 0, invalid = 0, errors = 0, skipped = 0;
  size_t interrupted = 0;
  size_t flaky = 0, not_run = 0;
  size_t xfailed = 0, xpassed = 0, deviating = 0;
  size_t broken_files = 0;  // scenario files with mistakes
  Duration duration{0};

  void count(Verdict verdict);
};

// "41 passed, 0 failed, 2 unsupported in 1.52 s": passed and failed always, the others if there are
// any.
std::string summary_line(const Totals& totals);

// "1.52 s": seconds with two decimals, for people.
std::string format_seconds(Duration duration);

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void started(size_t runs_planned) = 0;
  // The plan is read as it is played: how many runs and broken files there will be in all, as far
  // as is known now.
  virtual void replanned(size_t /*runs_planned*/) {}
  // A file that could not be read as a scenario: its mistakes.
  virtual void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) = 0;
  // `source` is the scenario's file, for quoting lines.
  virtual void result(const RunResult& result, const SourceFile& source) = 0;
  // The error is a sentence ("cannot write out/junit.xml: No space left on device"); empty if all
  // is well.
  virtual std::string finished(const Totals& totals) = 0;
};

}  // namespace netrig
