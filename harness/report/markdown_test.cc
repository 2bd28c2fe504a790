#include "harness/report/markdown.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdlib.h>

namespace netrig {
namespace {

namespace fs = std::filesystem;

class MarkdownTest : public testing::Test {
 protected:
  MarkdownTest() {
    std::string name = testing::TempDir() + "netrig-markdown-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    auto opened = open_markdown_reporter(page().string());
    EXPECT_TRUE(opened) << opened.error();
    reporter_ = std::move(*opened);
    reporter_->started(1);
  }
  ~MarkdownTest() override { fs::remove_all(folder_); }

  fs::path page() const { return folder_ / "summary.md"; }

  void tell(const RunResult& result) {
    reporter_->result(result, source_);
    totals_.count(result.verdict);
  }

  static RunResult run(Verdict verdict, const std::string& reason = "") {
    RunResult result;
    result.scenario = "scenarios/udp.json";
    result.id = "udp";
    result.backend = "real";
    result.seed = 7;
    result.verdict = verdict;
    result.reason = reason;
    result.again = "netrig run scenarios/udp.json";
    return result;
  }

  std::string finish() {
    EXPECT_EQ(reporter_->finished(totals_), "");
    std::stringstream text;
    text << std::ifstream(page()).rdbuf();
    return text.str();
  }

  fs::path folder_;
  SourceFile source_{"scenarios/udp.json", "{\n  \"name\": 1\n}\n"};
  std::unique_ptr<Reporter> reporter_;
  Totals totals_;
};

TEST_F(MarkdownTest, TellsOnlyTheTotalsIfAllIsWell) {
  tell(run(Verdict::kPass));
  EXPECT_EQ(finish(), "## netrig: 1 passed, 0 failed in 0.00 s\n");
}

TEST_F(MarkdownTest, MakesATableOfWhatIsNotRight) {
  RunResult failed = run(Verdict::kFail);
  Finding finding;
  finding.diagnostic = {{2, 11, 1}, "expected 'a|b'\ngot 'c'", {}};
  failed.findings = {finding, finding, finding};
  tell(failed);
  tell(run(Verdict::kInvalid, "the kernel dropped <3> packets"));
  reporter_->broken_file(source_, {{{2, 3, 6}, "unknown key 'nam'", {}}});
  ++totals_.broken_files;
  EXPECT_EQ(finish(),
            "## netrig: 0 passed, 1 failed, 1 invalid, 1 broken file in 0.00 s\n"
            "\n### Not right\n\n"
            "| run | verdict | what | again |\n"
            "| --- | --- | --- | --- |\n"
            "| udp \\[real, seed 7\\] | fail | ` scenarios/udp.json:2:11 `<br>"
            "expected 'a\\|b'<br>got 'c' (and 2 more findings) | ` netrig run scenarios/udp.json ` "
            "|\n"
            "| udp \\[real, seed 7\\] | invalid | the kernel dropped &lt;3&gt; packets | ` netrig "
            "run scenarios/udp.json ` |\n"
            "| scenarios/udp.json | broken file | ` scenarios/udp.json:2:3 `<br>unknown key 'nam' "
            "| |\n");
}

TEST_F(MarkdownTest, TellsFlakyRunsWithWhatWasWrong) {
  RunResult flaky = run(Verdict::kFlaky);
  flaky.earlier = {{Verdict::kFail, {2, 11, 1}, "got 'c'", "out/x"}};
  tell(flaky);
  EXPECT_EQ(finish(),
            "## netrig: 0 passed, 0 failed, 1 flaky in 0.00 s\n"
            "\n### Flaky\n\n"
            "| run | attempts | what was wrong at first |\n"
            "| --- | --- | --- |\n"
            "| udp \\[real, seed 7\\] | 2 | scenarios/udp.json\\:2\\:11\\: got 'c' |\n");
}

TEST_F(MarkdownTest, CountsWhatDidNotRunByReason) {
  tell(run(Verdict::kUnsupported, "no redis-server"));
  tell(run(Verdict::kUnsupported, "no redis-server"));
  tell(run(Verdict::kNotRun, "not started"));
  const std::string text = finish();
  EXPECT_NE(text.find("| 2 | Unsupported | no redis-server |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| 1 | Not run | not started |\n"), std::string::npos) << text;
}

TEST_F(MarkdownTest, StaysBelowWhatAPageTakes) {
  RunResult failed = run(Verdict::kFail, std::string(10'000, 'x'));
  for (int i = 0; i < 5000; ++i) tell(failed);
  const std::string text = finish();
  EXPECT_LT(text.size(), 1024u * 1024u);
  EXPECT_NE(text.find("more that this page has no room for"), std::string::npos);
}

TEST(MarkdownCell, LetsNoCharacterBeMarkup) {
  EXPECT_EQ(markdown_cell("a*b_c`d"), "a\\*b\\_c\\`d");
  EXPECT_EQ(markdown_cell("[x](y)"), "\\[x\\](y)");
  EXPECT_EQ(markdown_cell("<img src=x>&amp;"), "&lt;img src=x&gt;&amp;amp;");
  EXPECT_EQ(markdown_cell("a|b\\|c"), "a\\|b\\\\\\|c");
  EXPECT_EQ(markdown_cell("two\nlines\tand\x1b"), "two<br>lines and\\\\x1b");
  EXPECT_EQ(markdown_cell("@someone #12 $x$ ~~y~~"), "&#64;someone \\#12 \\$x\\$ \\~\\~y\\~\\~");
}

TEST(MarkdownCode, KeepsItsTextWhole) {
  EXPECT_EQ(markdown_code("netrig run a.json"), "` netrig run a.json `");
  EXPECT_EQ(markdown_code("a`b``c"), "``` a`b``c ```");
  EXPECT_EQ(markdown_code("a|b\n"), "` a\\|b\\x0a `");
  EXPECT_EQ(markdown_code(""), "");
}

}  // namespace
}  // namespace netrig
