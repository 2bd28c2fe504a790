#include "harness/report/terminal.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>

#include "harness/base/text.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"
#include "harness/report/reason_counts.h"

namespace netrig {

namespace {

constexpr size_t kReasonsMax = 50;
constexpr size_t kBarWidth = 30;

// SGR parameters, ECMA-48 section 8.3.117.
constexpr std::string_view kBoldRed = "1;31";
constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kMagenta = "1;35";

struct Headline {
  std::string_view word;
  std::string_view color;
};

Headline headline(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return {"PASS", kGreen};
    case Verdict::kFail:
      return {"FAIL", kBoldRed};
    case Verdict::kUnsupported:
      return {"UNSUPPORTED", kYellow};
    case Verdict::kInvalid:
      return {"INVALID", kMagenta};
    case Verdict::kError:
      return {"ERROR", kMagenta};
    case Verdict::kSkipped:
      return {"SKIPPED", kYellow};
    case Verdict::kInterrupted:
      return {"INTERRUPTED", kYellow};
    case Verdict::kFlaky:
      return {"FLAKY", kYellow};
    case Verdict::kNotRun:
      return {"NOT RUN", kMagenta};
    case Verdict::kXfail:
      return {"XFAIL", kYellow};
    case Verdict::kXpass:
      return {"XPASS", kBoldRed};
    case Verdict::kDeviates:
      return {"DEVIATES", kYellow};
  }
  return {"ERROR", kMagenta};
}

std::string verdict_words(Verdict verdict) {
  std::string words(verdict_name(verdict));
  std::ranges::replace(words, '_', ' ');
  return words;
}

// Of these the reason is all that matters.
bool told_by_reason(Verdict verdict) {
  return verdict == Verdict::kUnsupported || verdict == Verdict::kSkipped ||
         verdict == Verdict::kNotRun || verdict == Verdict::kXfail;
}

bool is_good(const Totals& totals) {
  return totals.failed + totals.invalid + totals.errors + totals.broken_files + totals.interrupted +
             totals.not_run + totals.xpassed ==
         0;
}

class TerminalReporter : public Reporter {
 public:
  TerminalReporter(TextSink sink, const TerminalOptions& options)
      : sink_(std::move(sink)), options_(options) {}

  void started(size_t runs_planned) override { replanned(runs_planned); }

  void replanned(size_t runs_planned) override {
    planned_ = runs_planned;
    draw_bar();
  }

  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) override {
    ++done_;
    ++bad_;
    print(printable(mistakes_text(file, mistakes)) + "\n");
  }

  void result(const RunResult& result, const SourceFile& source) override {
    ++done_;
    if (told_by_reason(result.verdict)) {
      tell_reason(result);
    } else if (result.verdict == Verdict::kPass) {
      tell_pass(result);
    } else if (result.verdict == Verdict::kFlaky) {
      tell_flaky(result);
    } else {
      if (result.verdict != Verdict::kDeviates) ++bad_;
      std::string text = head(result) + "   " + format_seconds(result.duration) + "\n";
      text += printable(failure_text(result, source));
      if (options_.verbosity >= 2) text += printable(numbers(result));
      print(text + "\n");
    }
    draw_bar();
  }

  std::string finished(const Totals& totals) override {
    std::string text;
    for (const auto& [key, count] : reasons_.counts()) {
      text +=
          fmt::format("{} {}: {}\n", count, verdict_words(key.first), printable_line(key.second));
    }
    if (reasons_.untold() > 0) {
      text += fmt::format("{} did not run for other reasons: -v lists them\n", reasons_.untold());
    }
    text += paint(summary_line(totals), is_good(totals) ? kGreen : kBoldRed) + "\n";
    planned_ = 0;  // no bar below the summary
    print(text);
    return "";
  }

 private:
  void tell_reason(const RunResult& result) {
    if (options_.verbosity >= 1) {
      print(fmt::format("{}   {}\n", head(result), printable_line(result.reason)));
    } else if (options_.verbosity == 0) {
      reasons_.count(result);
    }
  }

  void tell_pass(const RunResult& result) {
    if (options_.verbosity < 1) return;
    std::string text = head(result) + "   " + format_seconds(result.duration) + "\n";
    if (options_.verbosity >= 2) {
      if (!result.ladder.empty()) text += "\n" + printable(indent(result.ladder, 4)) + "\n";
      text += printable(numbers(result));
      if (!result.capture.empty()) text += printable("  capture  " + result.capture + "\n");
    }
    print(text);
  }

  void tell_flaky(const RunResult& result) {
    if (options_.verbosity < 0) return;
    print(head(result) + "   " + format_seconds(result.duration) + "\n" +
          printable(attempts_text(result)) +
          fmt::format("  attempt {} pass\n\n", result.earlier.size() + 1));
  }

  // What -vv adds: what became of the datagrams, the counters, and what the world has to add.
  static std::string numbers(const RunResult& result) {
    std::string text;
    for (const DeliveryStatistics& direction : result.delivery) {
      text += fmt::format(
          "  {}: sent {}, delivered {}, lost {}, reordered {}, duplicated {}, corrupted {}\n",
          direction.direction, direction.sent, direction.delivered, direction.lost,
          direction.reordered, direction.duplicated, direction.corrupted);
    }
    for (const std::string& note : result.notes) text += "  " + printable_line(note) + "\n";
    if (result.counters.empty()) return text;
    text += "  counters";
    std::string_view before = "  ";
    for (const auto& [name, value] : result.counters) {
      text += fmt::format("{}{} {}", std::exchange(before, ", "), name, value);
    }
    return text + "\n";
  }

  std::string head(const RunResult& result) const {
    Headline line = headline(result.verdict);
    return paint(line.word, line.color) + "  " + printable_line(run_title(result));
  }

  std::string paint(std::string_view text, std::string_view color) const {
    return options_.color ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : std::string(text);
  }

  void print(const std::string& text) {
    std::string output;
    if (bar_shown_) output = "\r\x1b[K";  // ECMA-48 section 8.3.41: erase to the end of the line
    bar_shown_ = false;
    sink_(output + text);
  }

  void draw_bar() {
    if (!options_.progress || options_.verbosity < 0 || planned_ == 0) return;
    size_t filled = std::min(done_, planned_) * kBarWidth / planned_;
    std::string bar = fmt::format("\r\x1b[K[{}{}] {}/{}", std::string(filled, '#'),
                                  std::string(kBarWidth - filled, '.'), done_, planned_);
    if (bad_ > 0) bar += ", " + paint(fmt::format("{} not passed", bad_), kBoldRed);
    bar_shown_ = true;
    sink_(bar);
  }

  TextSink sink_;
  TerminalOptions options_;
  size_t planned_ = 0;
  size_t done_ = 0;
  size_t bad_ = 0;
  bool bar_shown_ = false;
  ReasonCounts reasons_{kReasonsMax};
};

}  // namespace

std::unique_ptr<Reporter> make_terminal_reporter(TextSink sink, const TerminalOptions& options) {
  return std::make_unique<TerminalReporter>(std::move(sink), options);
}

bool wants_color(ColorMode mode, bool is_terminal, const char* no_color, const char* term) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  bool refused = no_color != nullptr && *no_color != '\0';
  return wants_progress(is_terminal, term) && !refused;
}

bool wants_progress(bool is_terminal, const char* term) {
  return is_terminal && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace netrig
