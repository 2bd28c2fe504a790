#pragma once
// What a verdict means where a failure is known or not binding: xfail, xpass, deviates.

#include "harness/run/runner.h"

namespace netrig {

// A failure that is expected (RunOptions::expected_failure) is `xfail`, and a pass that is not is
// `xpass`; a failed `should` or `may` deviates, unless the call is strict. Other verdicts stay.
void settle_verdict(RunResult& result, const Scenario& scenario, const RunOptions& options);

// Requirements of single steps and expectations, each once, in the order of the file.
std::vector<std::string> requirements_of_parts(const Scenario& scenario);

}  // namespace netrig
