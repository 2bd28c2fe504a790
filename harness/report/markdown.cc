#include "harness/report/markdown.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"
#include "harness/report/output_file.h"
#include "harness/report/reason_counts.h"

namespace netrig {

namespace {

constexpr size_t kReasonsMax = 200;

std::string capitalised(std::string_view word) {
  std::string text(word);
  std::ranges::replace(text, '_', ' ');
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

// Cut at a character's start.
std::string shortened(std::string_view text) {
  if (text.size() <= kMarkdownMessageMax) return std::string(text);
  size_t end = kMarkdownMessageMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + " ...";
}

std::string place_text(const SourceFile& file, Location at) {
  const std::string& path = file.file(at.file).path();
  return at.line == 0 ? path : fmt::format("{}:{}:{}", path, at.line, at.column);
}

// Rows of one table, as many as there is room for.
class Rows {
 public:
  void add(const std::string& row, size_t& room) {
    if (row.size() > room) {
      ++untold_;
      return;
    }
    room -= row.size();
    text_ += row;
  }
  // The table, or nothing if it is empty.
  std::string table(std::string_view title, std::string_view head) const {
    if (text_.empty() && untold_ == 0) return "";
    const auto columns = static_cast<size_t>(std::ranges::count(head, '|')) - 1;
    std::string rule = "|";
    for (size_t i = 0; i < columns; ++i) rule += " --- |";
    std::string text = fmt::format("\n### {}\n\n{}\n{}\n{}", title, head, rule, text_);
    if (untold_ > 0)
      text += fmt::format("\nand {} more that this page has no room for.\n", untold_);
    return text;
  }

 private:
  std::string text_;
  size_t untold_ = 0;
};

class MarkdownReporter : public Reporter {
 public:
  explicit MarkdownReporter(OutputFile file) : file_(std::move(file)) {}

  void started(size_t /*runs_planned*/) override {}

  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) override {
    const Location at = mistakes.empty() ? Location{} : mistakes[0].at;
    std::string message = mistakes.empty() ? "it could not be read" : mistakes[0].message;
    if (mistakes.size() > 1)
      message += " (and " + plural(mistakes.size() - 1, "more mistake") + ")";
    failures_.add(fmt::format("| {} | broken file | {} | |\n", markdown_cell(file.path()),
                              markdown_code(place_text(file, at)) + "<br>" +
                                  markdown_cell(shortened(message))),
                  room_);
  }

  void result(const RunResult& result, const SourceFile& /*source*/) override {
    switch (result.verdict) {
      case Verdict::kPass:
        return;
      case Verdict::kFlaky:
        return tell_flaky(result);
      case Verdict::kUnsupported:
      case Verdict::kSkipped:
      case Verdict::kNotRun:
      case Verdict::kXfail:
        return reasons_.count(result);
      default:
        return tell_failure(result);
    }
  }

  std::string finished(const Totals& totals) override {
    file_.append(fmt::format("## netrig: {}\n", markdown_cell(summary_line(totals))));
    file_.append(failures_.table("Not right", "| run | verdict | what | again |"));
    file_.append(flaky_.table("Flaky", "| run | attempts | what was wrong at first |"));
    Rows reasons;
    for (const auto& [key, count] : reasons_.counts()) {
      reasons.add(fmt::format("| {} | {} | {} |\n", count, capitalised(verdict_name(key.first)),
                              markdown_cell(shortened(key.second))),
                  room_);
    }
    for (size_t i = 0; i < reasons_.untold(); ++i) reasons.add("", room_ = 0);
    file_.append(reasons.table("Did not run", "| runs | verdict | reason |"));
    return file_.commit();
  }

 private:
  void tell_failure(const RunResult& result) {
    std::string what;
    if (!result.findings.empty()) {
      const Diagnostic& first = result.findings[0].diagnostic;
      what = markdown_code(place_text(result, first.at)) + "<br>" +
             markdown_cell(shortened(first.message));
      if (result.findings.size() > 1) {
        what += " (and " + plural(result.findings.size() - 1, "more finding") + ")";
      }
    }
    if (!result.reason.empty()) {
      what += (what.empty() ? "" : "<br>") + markdown_cell(shortened(result.reason));
    }
    if (!result.earlier.empty())
      what += fmt::format(" (tried {} times)", result.earlier.size() + 1);
    failures_.add(fmt::format("| {} | {} | {} | {} |\n", markdown_cell(run_title(result)),
                              verdict_name(result.verdict), what,
                              result.again.empty() ? "" : markdown_code(result.again)),
                  room_);
  }

  void tell_flaky(const RunResult& result) {
    std::string what;
    for (const EarlierAttempt& attempt : result.earlier) {
      what +=
          (what.empty() ? "" : "<br>") + markdown_cell(shortened(attempt_message(result, attempt)));
    }
    flaky_.add(fmt::format("| {} | {} | {} |\n", markdown_cell(run_title(result)),
                           result.earlier.size() + 1, what),
               room_);
  }

  OutputFile file_;
  size_t room_ = kMarkdownOctetsMax;
  Rows failures_, flaky_;
  ReasonCounts reasons_{kReasonsMax};
};

// The longest run of '`'.
size_t longest_backticks(std::string_view text) {
  size_t longest = 0, here = 0;
  for (char c : text) {
    here = c == '`' ? here + 1 : 0;
    longest = std::max(longest, here);
  }
  return longest;
}

}  // namespace

std::string markdown_cell(std::string_view text) {
  // Backslash escapes work for every ASCII punctuation character (section 6.1); these are the ones
  // that mean something inside a line, '|' to the table and '$' to GitHub's formulas. '&' and '<'
  // are entities, so that HTML is safe also where a site forgets about escapes, and so is '@',
  // which would tell a person of that name.
  constexpr std::string_view kMarkup = "\\`*_[]#|~$:";
  std::string cell;
  for (char c : std::string(printable(text))) {
    if (c == '\n') {
      cell += "<br>";
    } else if (c == '\t') {
      cell += ' ';
    } else if (c == '&') {
      cell += "&amp;";
    } else if (c == '<') {
      cell += "&lt;";
    } else if (c == '>') {
      cell += "&gt;";
    } else if (c == '@') {
      cell += "&#64;";
    } else {
      if (kMarkup.find(c) != std::string_view::npos) cell += '\\';
      cell += c;
    }
  }
  return cell;
}

std::string markdown_code(std::string_view text) {
  std::string code = printable_line(text);
  const std::string fence(longest_backticks(code) + 1, '`');
  std::string span;
  // The table sees its bars first, also inside code, where nothing but they can be escaped.
  for (char c : code) span += c == '|' ? std::string("\\|") : std::string(1, c);
  // One space on each side is taken off again (section 6.3): a '`' may stand at an end.
  return span.empty() ? "" : fmt::format("{} {} {}", fence, span, fence);
}

std::expected<std::unique_ptr<Reporter>, std::string> open_markdown_reporter(
    const std::string& path) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<MarkdownReporter>(std::move(*file));
}

}  // namespace netrig
