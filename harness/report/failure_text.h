#pragma once
// One run told in full, as plain text: what the terminal shows for a failure and JUnit keeps as the
// body. Not escaped for any form: the reporter that prints it does that.

#include <string>

#include "harness/report/reporter.h"

namespace netrig {

// How many findings of one run are told; result.json has the rest.
inline constexpr size_t kFindingsToldMax = 20;

// "udp-loss [real, seed 7]".
std::string run_title(const RunResult& result);

// Findings quoted from the file, the ladder, and the capture and the command to have it again;
// every line ends with '\n'.
std::string failure_text(const RunResult& result, const SourceFile& source);

// "scenarios/x.json:31:5", of the file that the place is in; its path alone without a line.
std::string place_text(const RunResult& result, Location at);

// "scenarios/x.json:31:5: expected 3 datagrams, got 2", or the reason, of an attempt of a run.
std::string attempt_message(const RunResult& result, const EarlierAttempt& attempt);

// What --retries saw, a line an attempt that does not count; empty for a run that was tried once.
std::string attempts_text(const RunResult& result);

// The mistakes of a file (the reader finds at most kMistakesMax).
std::string mistakes_text(const SourceFile& file, const std::vector<Diagnostic>& mistakes);

// Every line of `text` that is not empty behind so many spaces; ends with '\n' unless empty.
std::string indent(const std::string& text, size_t columns);

}  // namespace netrig
