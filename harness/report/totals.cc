#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/report/reporter.h"

namespace netrig {

void Totals::count(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      ++passed;
      return;
    case Verdict::kFail:
      ++failed;
      return;
    case Verdict::kUnsupported:
      ++unsupported;
      return;
    case Verdict::kInvalid:
      ++invalid;
      return;
    case Verdict::kError:
      ++errors;
      return;
    case Verdict::kSkipped:
      ++skipped;
      return;
    case Verdict::kInterrupted:
      ++interrupted;
      return;
    case Verdict::kFlaky:
      ++flaky;
      return;
    case Verdict::kNotRun:
      ++not_run;
      return;
    case Verdict::kXfail:
      ++xfailed;
      return;
    case Verdict::kXpass:
      ++xpassed;
      return;
    case Verdict::kDeviates:
      ++deviating;
      return;
  }
}

std::string summary_line(const Totals& totals) {
  std::string line = fmt::format("{} passed, {} failed", totals.passed, totals.failed);
  auto add = [&](size_t count, std::string_view word) {
    if (count > 0) line += fmt::format(", {} {}", count, word);
  };
  add(totals.flaky, "flaky");
  add(totals.xfailed, "failed as expected");
  add(totals.xpassed, "passed unexpectedly");
  add(totals.deviating, "deviating");
  add(totals.invalid, "invalid");
  if (totals.errors > 0) line += ", " + plural(totals.errors, "error");
  if (totals.broken_files > 0) line += ", " + plural(totals.broken_files, "broken file");
  add(totals.unsupported, "unsupported");
  add(totals.skipped, "skipped");
  add(totals.interrupted, "interrupted");
  add(totals.not_run, "not run");
  return line + " in " + format_seconds(totals.duration);
}

std::string format_seconds(Duration duration) {
  return fmt::format("{:.2f} s", std::chrono::duration<double>(duration).count());
}

}  // namespace netrig
