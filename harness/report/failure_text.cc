#include "harness/report/failure_text.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {

std::string run_title(const RunResult& result) {
  if (result.row.empty()) {
    return fmt::format("{} [{}, seed {}]", result.id, result.backend, result.seed);
  }
  return fmt::format("{} [{}, {}, seed {}]", result.id, result.row, result.backend, result.seed);
}

std::string failure_text(const RunResult& result, const SourceFile& source) {
  std::string text;
  size_t told = 0;
  for (const Finding& finding : result.findings) {
    if (told++ == kFindingsToldMax) {
      text += fmt::format("  ... and {}: see {}/result.json\n",
                          plural(result.findings.size() - kFindingsToldMax, "more finding"),
                          result.output);
      break;
    }
    text += format_diagnostic(source, finding.diagnostic);
  }
  if (!result.reason.empty()) text += fmt::format("  reason   {}\n", result.reason);
  text += attempts_text(result);
  if (!result.ladder.empty()) text += "\n" + indent(result.ladder, 4) + "\n";
  if (!result.capture.empty()) text += fmt::format("  capture  {}\n", result.capture);
  if (!result.again.empty()) text += fmt::format("  again    {}\n", result.again);
  return text;
}

std::string place_text(const RunResult& result, Location at) {
  const std::string& path = at.file < result.files.size() ? result.files[at.file] : result.scenario;
  return at.line == 0 ? path : fmt::format("{}:{}:{}", path, at.line, at.column);
}

std::string attempt_message(const RunResult& result, const EarlierAttempt& attempt) {
  if (attempt.at.line == 0) return attempt.message;
  return fmt::format("{}: {}", place_text(result, attempt.at), attempt.message);
}

std::string attempts_text(const RunResult& result) {
  std::string text;
  size_t number = 0;
  for (const EarlierAttempt& attempt : result.earlier) {
    text += fmt::format("  attempt {} {}: {}\n", ++number, verdict_name(attempt.verdict),
                        attempt_message(result, attempt));
    if (!attempt.output.empty()) text += fmt::format("    see {}\n", attempt.output);
  }
  return text;
}

std::string mistakes_text(const SourceFile& file, const std::vector<Diagnostic>& mistakes) {
  std::string text;
  if (mistakes.empty()) text = fmt::format("{}: error: it could not be read\n", file.path());
  for (const Diagnostic& mistake : mistakes) text += format_diagnostic(file, mistake);
  return text;
}

std::string indent(const std::string& text, size_t columns) {
  std::string indented;
  for (const std::string& line : split_lines(text)) {
    if (!line.empty()) indented += std::string(columns, ' ') + line;
    indented += '\n';
  }
  return indented;
}

}  // namespace netrig
