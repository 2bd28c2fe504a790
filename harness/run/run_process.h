#pragma once
// What every process that plays runs sets up for itself.

#include <csignal>
#include <string_view>

#include "harness/base/fd.h"
#include "harness/run/runner.h"

namespace netrig {

// SIGINT and SIGTERM, which ask a run to end.
sigset_t stop_signals();
// They are heard by the world's loop; a pipe that nobody reads ends nothing.
void block_stop_signals();
// True once one of the two has come.
bool stop_is_asked();
// A run whose loop no longer turns must still end: with exit status kHungStatus.
void end_when_stuck(const Scenario& scenario, const RunOptions& options);
inline constexpr int kHungStatus = 124;
void write_all(const Fd& pipe, std::string_view text);
// Why a process came to nothing, by its status of waitpid(2): a sentence.
std::string process_end(int status, bool half_a_result);

}  // namespace netrig
