#pragma once
// Checks over a finished run or a recording: each expectation of the scenario is answered by
// findings that point at its line and show expected and actual in the same notation. Knows no
// socket and no world.

#include <map>
#include <string>
#include <vector>

#include "harness/run/runner.h"

namespace netrig {

struct Recording;

// All expectations of the run's scenario, in the file's order. Reads the capture at most once.
std::vector<Finding> judge_run(const FinishedRun& run);

// `netrig verify`: the expectations of a file against a recording made elsewhere.
std::vector<Finding> judge_recording(const Scenario& expectations, const Recording& recording);

}  // namespace netrig
