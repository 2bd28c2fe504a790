#include "harness/cli/exit_status.h"

namespace netrig {

int exit_status(const Totals& totals, bool interrupted, bool cannot) {
  if (interrupted || totals.interrupted > 0) return kExitInterrupted;
  if (cannot || totals.errors + totals.invalid + totals.not_run > 0) return kExitCannot;
  if (totals.broken_files > 0) return kExitBadFile;
  if (totals.failed + totals.xpassed > 0) return kExitFail;
  // All skipped or unsupported says nothing about the program under test: no green light.
  if (totals.passed + totals.flaky + totals.xfailed + totals.deviating == 0) return kExitNothingRan;
  return kExitPass;
}

}  // namespace netrig
