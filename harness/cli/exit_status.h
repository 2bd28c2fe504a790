#pragma once
// What netrig answers to the shell. CI jobs decide by it, so each number has one meaning.

#include <string_view>

#include "harness/report/reporter.h"

namespace netrig {

enum ExitStatus : int {
  kExitPass = 0,
  kExitFail = 1,
  kExitUsage = 2,
  kExitBadFile = 3,
  kExitNothingRan = 4,
  kExitCannot = 5,         // could not start, could not write, was not run, or was invalid
  kExitInterrupted = 130,  // 128 + SIGINT, as shells have it
};

inline constexpr std::string_view kExitStatusHelp =
    "Exit status:\n"
    "  0    everything that ran passed, some perhaps only when tried again (--retries)\n"
    "  1    an expectation or a step failed\n"
    "  2    wrong usage of the command line\n"
    "  3    a file has mistakes or cannot be read\n"
    "  4    nothing ran: nothing was found or selected, or all of it was skipped or unsupported\n"
    "  5    a run could not start, was invalid or was left when --total-timeout was over, or a "
    "result\n"
    "       could not be written\n"
    "  130  interrupted by SIGINT or SIGTERM\n"
    "If several apply, the first of 130, 5, 3, 1, 4 counts.";

// `interrupted`: a signal came; `cannot`: something beside a run went wrong (a report was not
// written).
int exit_status(const Totals& totals, bool interrupted, bool cannot);

}  // namespace netrig
