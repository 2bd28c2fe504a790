#include "harness/report/junit.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdlib.h>

namespace netrig {
namespace {

namespace fs = std::filesystem;

// Reads a report with Python's parser and prints "tests failures errors skipped", then one line a
// test case: classname|name|file|line|what|message.
constexpr const char* kReader = R"(
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
print(*(suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped", "time")))
for case in suite.findall("testcase"):
    ends = list(case)
    head = [case.get(key) for key in ("classname", "name", "file", "line")]
    tail = [part for end in ends for part in (end.tag, end.get("message"), end.text or "")]
    print("|".join(head + tail))
)";

class JunitTest : public testing::Test {
 protected:
  JunitTest() {
    std::string name = testing::TempDir() + "netrig-junit-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    auto opened = open_junit_reporter(report().string());
    EXPECT_TRUE(opened) << opened.error();
    reporter_ = std::move(*opened);
    reporter_->started(1);
  }
  ~JunitTest() override { fs::remove_all(folder_); }

  fs::path report() const { return folder_ / "junit.xml"; }

  std::string parsed() const {
    fs::path reader = folder_ / "reader.py";
    std::ofstream(reader) << kReader;
    std::string command = "/usr/bin/python3 " + reader.string() + " " + report().string() + " 2>&1";
    FILE* python = ::popen(command.c_str(), "r");
    std::string text;
    char buffer[4096];
    while (size_t count = ::fread(buffer, 1, sizeof buffer, python)) text.append(buffer, count);
    ::pclose(python);
    return text;
  }

  void tell(RunResult result) {
    reporter_->result(result, source_);
    totals_.count(result.verdict);
  }

  static RunResult result(Verdict verdict) {
    RunResult result;
    result.scenario = "./scenarios/tcp/hello.json";
    result.id = "hello";
    result.name = "Hello";
    result.backend = "real";
    result.seed = 7;
    result.verdict = verdict;
    result.duration = 12ms;
    return result;
  }

  fs::path folder_;
  std::unique_ptr<Reporter> reporter_;
  SourceFile source_{"./scenarios/tcp/hello.json", "{\n  \"name\": \"<&>\"\n}\n"};
  Totals totals_;
};

TEST_F(JunitTest, HasOneTestCaseARunAndTheCountsInTheHead) {
  tell(result(Verdict::kPass));
  RunResult failed = result(Verdict::kFail);
  failed.findings.push_back({{{2, 3, 6}, "expected \"a\", got \"b\"", {}}, "", ""});
  failed.findings.push_back({{{1, 1, 1}, "another", {}}, "", ""});
  tell(failed);
  RunResult unsupported = result(Verdict::kUnsupported);
  unsupported.reason = "no namespaces";
  tell(unsupported);
  RunResult invalid = result(Verdict::kInvalid);
  invalid.reason = "the capture lost packets";
  tell(invalid);
  totals_.duration = 1520ms;
  ASSERT_EQ(reporter_->finished(totals_), "");
  EXPECT_EQ(parsed(),
            "netrig 4 1 1 1 1.520\n"
            "scenarios.tcp.hello|Hello [real, seed 7]|./scenarios/tcp/hello.json|1\n"
            "scenarios.tcp.hello|Hello [real, seed 7]|./scenarios/tcp/hello.json|2|failure|"
            "expected \"a\", got \"b\"|"
            "./scenarios/tcp/hello.json:2:3: error: expected \"a\", got \"b\"\n"
            "    2 |   \"name\": \"<&>\"\n"
            "      |   ^^^^^^\n"
            "./scenarios/tcp/hello.json:1:1: error: another\n"
            "    1 | {\n"
            "      | ^\n"
            "\n"
            "scenarios.tcp.hello|Hello [real, seed 7]|./scenarios/tcp/hello.json|1|skipped|"
            "no namespaces|\n"
            "scenarios.tcp.hello|Hello [real, seed 7]|./scenarios/tcp/hello.json|1|error|"
            "the capture lost packets|  reason   the capture lost packets\n"
            "\n");
}

TEST_F(JunitTest, KeepsTheAttemptsThatDoNotCount) {
  RunResult flaky = result(Verdict::kFlaky);
  flaky.scenario = "a.json";
  flaky.earlier = {{Verdict::kFail, {2, 3, 6}, "got \"b\"", "out/a"}};
  tell(flaky);
  RunResult failed = result(Verdict::kInvalid);
  failed.scenario = "b.json";
  failed.reason = "twice";
  failed.earlier = {{Verdict::kInvalid, {}, "once", "out/b"}};
  tell(failed);
  ASSERT_EQ(reporter_->finished(totals_), "");
  EXPECT_EQ(parsed(),
            "netrig 2 0 1 0 0.000\n"
            "a|Hello [real, seed 7]|a.json|1|flakyFailure|got \"b\"|a.json:2:3: got \"b\"\nout/a\n"
            "b|Hello [real, seed 7]|b.json|1|error|twice|  reason   twice\n"
            "  attempt 1 invalid: once\n    see out/b\n|rerunFailure|once|once\nout/b\n");
}

TEST_F(JunitTest, CountsABrokenFileAsAnError) {
  reporter_->broken_file(source_, {{{2, 3, 6}, "unknown key", {}}});
  totals_.broken_files = 1;
  reporter_->finished(totals_);
  std::string text = parsed();
  EXPECT_TRUE(text.starts_with("netrig 1 0 1 0 0.000\n")) << text;
  EXPECT_NE(text.find("json|2|error|unknown key|./scenarios/tcp/hello.json:2:3: error:"),
            std::string::npos)
      << text;
}

TEST_F(JunitTest, StaysWellFormedWhateverTheTextHolds) {
  RunResult failed = result(Verdict::kFail);
  failed.name = std::string("\0<\xff\"'&\x1b\n]]>", 11);
  failed.findings.push_back({{{2, 3, 6}, std::string("\x01\xed\xa0\x80]]>\t"), {"\x0c"}}, "", ""});
  failed.ladder = "\x08 \xef\xbf\xbf\n";
  tell(failed);
  reporter_->finished(totals_);
  std::string text = parsed();
  EXPECT_TRUE(text.starts_with("netrig 1 1 0 0 0.000\n")) << text;
  EXPECT_NE(text.find("\\x00<\\xff\"'&\\x1b\n]]> [real, seed 7]"), std::string::npos) << text;
  EXPECT_NE(text.find("\\x01\\xed\\xa0\\x80]]>\t|"), std::string::npos) << text;
}

TEST(Junit, TellsAtOnceThatItCannotWrite) {
  auto reporter = open_junit_reporter("/proc/netrig/junit.xml");
  ASSERT_FALSE(reporter);
  EXPECT_TRUE(reporter.error().starts_with("cannot write /proc/netrig/junit.xml: "))
      << reporter.error();
}

}  // namespace
}  // namespace netrig
