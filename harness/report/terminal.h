#pragma once
// Results for people: failures in full, a line a run with -v, counts by reason for what did not
// run, the summary as the last line. It writes text to a sink and knows no descriptor: whether
// there is a terminal, and whether it wants colour, is asked by the caller.

#include <functional>
#include <memory>
#include <string_view>

#include "harness/report/reporter.h"

namespace netrig {

using TextSink = std::function<void(std::string_view)>;

struct TerminalOptions {
  int verbosity =
      0;  // -1: only failures and the summary; 1: a line a run; 2: also ladders and counters
  bool color = false;
  bool progress = false;  // a bar that is drawn over itself: only for a terminal
};

std::unique_ptr<Reporter> make_terminal_reporter(TextSink sink, const TerminalOptions& options);

enum class ColorMode : uint8_t { kAuto, kAlways, kNever };

// `no_color` and `term`: the values of NO_COLOR (https://no-color.org) and TERM, null if not set.
bool wants_color(ColorMode mode, bool is_terminal, const char* no_color, const char* term);

// A bar is drawn only where the cursor can go back.
bool wants_progress(bool is_terminal, const char* term);

}  // namespace netrig
