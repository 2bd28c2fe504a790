#include "harness/report/junit.h"

#include <fmt/format.h>
#include <utility>

#include "harness/base/require.h"
#include "harness/base/text.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"
#include "harness/report/output_file.h"

namespace netrig {

namespace {

constexpr std::string_view kDeclaration =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
// Room for the suite's start tag: it is known only at the end. Spaces may stand before its '>'.
constexpr size_t kSuiteTagRoom = 200;

std::string suite_tag(const Totals& totals) {
  size_t errors =
      totals.errors + totals.invalid + totals.interrupted + totals.not_run + totals.broken_files;
  size_t failures = totals.failed + totals.xpassed;
  size_t skipped = totals.unsupported + totals.skipped + totals.xfailed + totals.deviating;
  size_t tests = totals.passed + totals.flaky + failures + errors + skipped;
  std::string tag = fmt::format(
      R"(<testsuite name="netrig" tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}")",
      tests, failures, errors, skipped, std::chrono::duration<double>(totals.duration).count());
  NETRIG_REQUIRE(tag.size() + 2 <= kSuiteTagRoom);
  tag.resize(kSuiteTagRoom - 2, ' ');
  return tag + ">\n";
}

// "./scenarios/tcp/hello.json" -> "scenarios.tcp.hello": CI servers make a tree of it.
std::string class_name(std::string path) {
  if (path.ends_with(".json")) path.resize(path.size() - 5);
  std::string name;
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    if (!part.empty() && part != "." && part != "..") name += (name.empty() ? "" : ".") + part;
    at = end + 1;
  }
  return name;
}

std::string_view element_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "";
    case Verdict::kFail:
    case Verdict::kXpass:
      return "failure";
    case Verdict::kUnsupported:
    case Verdict::kSkipped:
    case Verdict::kXfail:     // as pytest tells it
    case Verdict::kDeviates:  // no failure of the call, but not to be taken for a pass
      return "skipped";
    case Verdict::kInvalid:
    case Verdict::kError:
    case Verdict::kInterrupted:
    case Verdict::kNotRun:
      return "error";
    case Verdict::kFlaky:
      return "";  // a pass, but for the attempts before it
  }
  return "error";
}

std::string message_of(const RunResult& result) {
  bool finding_first = result.verdict == Verdict::kFail || result.verdict == Verdict::kDeviates ||
                       result.reason.empty();
  if (finding_first && !result.findings.empty()) return result.findings[0].diagnostic.message;
  if (!result.reason.empty()) return result.reason;
  return std::string(verdict_name(result.verdict));
}

// Attempts that do not count, by the names of Surefire's schema: whoever does not know them sees
// the last attempt alone.
std::string attempts(const RunResult& result) {
  std::string_view element = result.verdict == Verdict::kFlaky ? "flakyFailure" : "rerunFailure";
  std::string text;
  for (const EarlierAttempt& attempt : result.earlier) {
    text +=
        fmt::format("<{} message=\"{}\" type=\"{}\">{}</{}>\n", element,
                    xml_attribute(attempt.message), verdict_name(attempt.verdict),
                    xml_text(attempt_message(result, attempt) + "\n" + attempt.output), element);
  }
  return text;
}

struct TestCase {
  std::string path;
  std::string name;
  uint32_t line = 1;
  Duration duration{0};
};

std::string start_tag(const TestCase& test) {
  return fmt::format(R"(<testcase classname="{}" name="{}" file="{}" line="{}" time="{:.3f}")",
                     xml_attribute(class_name(test.path)), xml_attribute(test.name),
                     xml_attribute(test.path), test.line,
                     std::chrono::duration<double>(test.duration).count());
}

class JunitReporter : public Reporter {
 public:
  explicit JunitReporter(OutputFile file) : file_(std::move(file)) {}

  void started(size_t /*runs_planned*/) override {
    file_.append(kDeclaration);
    file_.append(suite_tag(Totals{}));
  }

  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) override {
    TestCase test;
    test.path = file.path();
    test.name = "the file is a scenario";
    std::string message = "the file could not be read";
    if (!mistakes.empty()) {
      test.line = std::max(mistakes[0].at.line, 1u);
      message = mistakes[0].message;
    }
    file_.append(start_tag(test) + ">\n");
    file_.append(fmt::format("<error message=\"{}\" type=\"broken file\">{}</error>\n</testcase>\n",
                             xml_attribute(message), xml_text(mistakes_text(file, mistakes))));
  }

  void result(const RunResult& result, const SourceFile& source) override {
    TestCase test;
    test.path = result.scenario;
    test.name =
        fmt::format("{} [{}{}{}, seed {}]", result.name.empty() ? result.id : result.name,
                    result.row, result.row.empty() ? "" : ", ", result.backend, result.seed);
    test.duration = result.duration;
    // A finding in a part of another file is told by its text.
    if (!result.findings.empty() && result.findings[0].diagnostic.at.file == 0) {
      test.line = std::max(result.findings[0].diagnostic.at.line, 1u);
    }
    file_.append(start_tag(test));
    std::string_view element = element_name(result.verdict);
    if (element.empty() && result.earlier.empty()) {
      file_.append("/>\n");
      return;
    }
    if (element.empty()) {
      file_.append(">\n" + attempts(result) + "</testcase>\n");
      return;
    }
    file_.append(fmt::format(">\n<{} message=\"{}\"", element, xml_attribute(message_of(result))));
    if (element == "skipped") {
      file_.append("/>\n</testcase>\n");
      return;
    }
    file_.append(fmt::format(" type=\"{}\">{}</{}>\n{}</testcase>\n", verdict_name(result.verdict),
                             xml_text(failure_text(result, source)), element, attempts(result)));
  }

  std::string finished(const Totals& totals) override {
    file_.append("</testsuite>\n</testsuites>\n");
    file_.overwrite(kDeclaration.size(), suite_tag(totals));
    return file_.commit();
  }

 private:
  OutputFile file_;
};

}  // namespace

std::expected<std::unique_ptr<Reporter>, std::string> open_junit_reporter(const std::string& path) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<JunitReporter>(std::move(*file));
}

}  // namespace netrig
