#include "harness/report/terminal.h"

#include <gtest/gtest.h>
#include <string>

namespace netrig {
namespace {

SourceFile udp_loss_file() {
  std::string text(30, '\n');
  text += "    { \"delivery\": \"client -> server\", \"delivered\": \"852..948\" },\n";
  return SourceFile("scenarios/udp-loss.json", text);
}

RunResult udp_loss(Verdict verdict) {
  RunResult result;
  result.scenario = "scenarios/udp-loss.json";
  result.id = "udp-loss";
  result.name = "Lossy";
  result.backend = "real";
  result.seed = 7;
  result.verdict = verdict;
  result.output = "out/udp-loss/real-7";
  result.capture = "out/udp-loss/real-7/capture.pcapng";
  result.again = "netrig run scenarios/udp-loss.json --backend real --seed 7";
  result.duration = 1520ms;
  return result;
}

RunResult failed_udp_loss() {
  RunResult result = udp_loss(Verdict::kFail);
  Finding finding;
  finding.diagnostic.at = {31, 53, 10};
  finding.diagnostic.message = "expected 852..948 datagrams delivered, got 801";
  finding.diagnostic.details = {"lost 199 of 1000, longest run 4, first #3; reordered 48"};
  result.findings.push_back(finding);
  return result;
}

struct Told {
  std::string text;
  std::unique_ptr<Reporter> reporter;

  explicit Told(const TerminalOptions& options)
      : reporter(make_terminal_reporter([this](std::string_view part) { text += part; }, options)) {
  }
};

Totals totals_of(size_t passed, size_t failed) {
  Totals totals;
  totals.passed = passed;
  totals.failed = failed;
  totals.duration = 1520ms;
  return totals;
}

// The example of DESIGN section 4, to the letter (but for the column of its headline).
TEST(Terminal, TellsAFailureAsTheDesignShowsIt) {
  Told told({});
  told.reporter->started(1);
  told.reporter->result(failed_udp_loss(), udp_loss_file());
  EXPECT_EQ(told.text,
            "FAIL  udp-loss [real, seed 7]   1.52 s\n"
            "scenarios/udp-loss.json:31:53: error: expected 852..948 datagrams delivered, got 801\n"
            "   31 |     { \"delivery\": \"client -> server\", \"delivered\": \"852..948\" },\n"
            "      |                                                     ^^^^^^^^^^\n"
            "      lost 199 of 1000, longest run 4, first #3; reordered 48\n"
            "  capture  out/udp-loss/real-7/capture.pcapng\n"
            "  again    netrig run scenarios/udp-loss.json --backend real --seed 7\n"
            "\n");
}

RunResult flaky_udp_loss() {
  RunResult result = udp_loss(Verdict::kFlaky);
  result.earlier = {{Verdict::kFail, {31, 53, 10}, "got 801", "out/udp-loss/real-7"},
                    {Verdict::kInvalid, {}, "the kernel dropped 3 packets", "out/udp-loss/x"}};
  return result;
}

TEST(Terminal, TellsAFlakyRunWithItsAttempts) {
  Told told({});
  told.reporter->result(flaky_udp_loss(), udp_loss_file());
  EXPECT_EQ(told.text,
            "FLAKY  udp-loss [real, seed 7]   1.52 s\n"
            "  attempt 1 fail: scenarios/udp-loss.json:31:53: got 801\n"
            "    see out/udp-loss/real-7\n"
            "  attempt 2 invalid: the kernel dropped 3 packets\n"
            "    see out/udp-loss/x\n"
            "  attempt 3 pass\n\n");
  Told quiet({.verbosity = -1});
  quiet.reporter->result(flaky_udp_loss(), udp_loss_file());
  EXPECT_EQ(quiet.text, "");
}

TEST(Terminal, CountsWhatThereWasNoTimeFor) {
  Told told({});
  RunResult result = udp_loss(Verdict::kNotRun);
  result.reason = "not started before --total-timeout 1s was over";
  told.reporter->result(result, udp_loss_file());
  told.reporter->result(result, udp_loss_file());
  Totals totals = totals_of(1, 0);
  totals.not_run = 2;
  totals.flaky = 1;
  told.reporter->finished(totals);
  EXPECT_EQ(told.text,
            "2 not run: not started before --total-timeout 1s was over\n"
            "1 passed, 0 failed, 1 flaky, 2 not run in 1.52 s\n");
}

TEST(Terminal, IndentsTheLadderBetweenTheFindingAndTheCapture) {
  Told told({});
  RunResult result = failed_udp_loss();
  result.ladder = "client   server\n  |--x    |\n";
  told.reporter->result(result, udp_loss_file());
  EXPECT_NE(told.text.find("reordered 48\n\n    client   server\n      |--x    |\n\n  capture  "),
            std::string::npos)
      << told.text;
}

TEST(Terminal, SaysNothingOfAPassingRunWithoutV) {
  Told told({});
  told.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  EXPECT_EQ(told.text, "");
}

TEST(Terminal, GivesAPassingRunOneLineWithV) {
  Told told({.verbosity = 1});
  told.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  EXPECT_EQ(told.text, "PASS  udp-loss [real, seed 7]   1.52 s\n");
}

TEST(Terminal, AddsDeliveryCountersAndCaptureWithVV) {
  Told told({.verbosity = 2});
  RunResult result = udp_loss(Verdict::kPass);
  DeliveryStatistics direction;
  direction.direction = "client -> server";
  direction.sent = 10;
  direction.delivered = 9;
  direction.lost = 1;
  result.delivery.push_back(direction);
  result.counters = {{"packets", 20}, {"wakeups", 3}};
  told.reporter->result(result, udp_loss_file());
  EXPECT_EQ(told.text,
            "PASS  udp-loss [real, seed 7]   1.52 s\n"
            "  client -> server: sent 10, delivered 9, lost 1, reordered 0, duplicated 0, "
            "corrupted 0\n"
            "  counters  packets 20, wakeups 3\n"
            "  capture  out/udp-loss/real-7/capture.pcapng\n");
}

TEST(Terminal, CountsWhatDidNotRunByReason) {
  Told told({});
  RunResult result = udp_loss(Verdict::kUnsupported);
  result.reason = "real cannot apply corrupt to TCP";
  told.reporter->result(result, udp_loss_file());
  told.reporter->result(result, udp_loss_file());
  result.verdict = Verdict::kSkipped;
  result.reason = "until the resolver is there";
  told.reporter->result(result, udp_loss_file());
  EXPECT_EQ(told.text, "");
  Totals totals = totals_of(41, 0);
  totals.unsupported = 2;
  totals.skipped = 1;
  EXPECT_EQ(told.reporter->finished(totals), "");
  EXPECT_EQ(told.text,
            "2 unsupported: real cannot apply corrupt to TCP\n"
            "1 skipped: until the resolver is there\n"
            "41 passed, 0 failed, 2 unsupported, 1 skipped in 1.52 s\n");
}

TEST(Terminal, ListsWhatDidNotRunWithV) {
  Told told({.verbosity = 1});
  RunResult result = udp_loss(Verdict::kUnsupported);
  result.reason = "no user namespaces";
  told.reporter->result(result, udp_loss_file());
  told.reporter->finished(totals_of(0, 0));
  EXPECT_EQ(told.text,
            "UNSUPPORTED  udp-loss [real, seed 7]   no user namespaces\n"
            "0 passed, 0 failed in 1.52 s\n");
}

TEST(Terminal, SaysOnlyFailuresAndTheSummaryWithQ) {
  Told told({.verbosity = -1, .progress = true});
  told.reporter->started(2);
  RunResult result = udp_loss(Verdict::kUnsupported);
  result.reason = "no user namespaces";
  told.reporter->result(result, udp_loss_file());
  told.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  told.reporter->finished(totals_of(1, 0));
  EXPECT_EQ(told.text, "1 passed, 0 failed in 1.52 s\n");
}

TEST(Terminal, GivesTheReasonOfAnInvalidRunAndOfAnError) {
  Told told({});
  RunResult result = udp_loss(Verdict::kInvalid);
  result.reason = "the kernel dropped 3 packets of the capture";
  told.reporter->result(result, udp_loss_file());
  EXPECT_TRUE(
      told.text.starts_with("INVALID  udp-loss [real, seed 7]   1.52 s\n"
                            "  reason   the kernel dropped 3 packets of the capture\n"))
      << told.text;
}

TEST(Terminal, TellsAllMistakesOfABrokenFile) {
  Told told({.verbosity = -1});
  told.reporter->broken_file(SourceFile("a.json", "{\n}\n"),
                             {{{1, 1, 1}, "'name' is missing", {}}, {{2, 1, 1}, "and more", {}}});
  EXPECT_NE(told.text.find("a.json:1:1: error: 'name' is missing\n"), std::string::npos);
  EXPECT_NE(told.text.find("a.json:2:1: error: and more\n"), std::string::npos);
}

// A scenario must not move the cursor or change the title of the terminal.
TEST(Terminal, LetsNoControlCharacterThrough) {
  Told told({.verbosity = 2});
  RunResult result = failed_udp_loss();
  result.id = "a\x1b]0;b";
  result.findings[0].diagnostic.message = "got \x1b[2J\x9b and \xc2\x9b";
  result.ladder = "a\rb\n";
  result.reason = "bell \a";
  told.reporter->result(result, udp_loss_file());
  EXPECT_EQ(told.text.find_first_of("\x1b\r\a\x9b"), std::string::npos) << told.text;
  EXPECT_NE(told.text.find("got \\x1b[2J\\x9b and \\xc2\\x9b"), std::string::npos) << told.text;
}

TEST(Terminal, TellsAtMostTwentyFindingsAndCountsTheRest) {
  Told told({});
  RunResult result = failed_udp_loss();
  result.findings.resize(25, result.findings[0]);
  told.reporter->result(result, udp_loss_file());
  EXPECT_NE(told.text.find("... and 5 more findings: see out/udp-loss/real-7/result.json\n"),
            std::string::npos);
}

TEST(Terminal, ErasesTheBarBeforeItPrintsAndLeavesNoneAtTheEnd) {
  Told told({.progress = true});
  told.reporter->started(2);
  EXPECT_EQ(told.text, "\r\x1b[K[..............................] 0/2");
  told.text.clear();
  told.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  EXPECT_EQ(told.text, "\r\x1b[K[###############...............] 1/2");
  told.text.clear();
  told.reporter->result(failed_udp_loss(), udp_loss_file());
  EXPECT_TRUE(told.text.starts_with("\r\x1b[KFAIL  ")) << told.text;
  EXPECT_TRUE(told.text.ends_with("] 2/2, 1 not passed")) << told.text;
  told.text.clear();
  told.reporter->finished(totals_of(1, 1));
  EXPECT_EQ(told.text, "\r\x1b[K1 passed, 1 failed in 1.52 s\n");
}

TEST(Terminal, PaintsOnlyWithColour) {
  Told plain({.verbosity = 1}), painted({.verbosity = 1, .color = true});
  plain.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  painted.reporter->result(udp_loss(Verdict::kPass), udp_loss_file());
  EXPECT_EQ(plain.text.find('\x1b'), std::string::npos);
  EXPECT_EQ(painted.text, "\x1b[32mPASS\x1b[0m  udp-loss [real, seed 7]   1.52 s\n");
}

TEST(Color, IsForTerminalsThatKnowItUnlessRefused) {
  EXPECT_TRUE(wants_color(ColorMode::kAuto, true, nullptr, "xterm"));
  EXPECT_TRUE(wants_color(ColorMode::kAuto, true, "", "xterm"));  // no-color.org: not empty
  EXPECT_FALSE(wants_color(ColorMode::kAuto, true, "1", "xterm"));
  EXPECT_FALSE(wants_color(ColorMode::kAuto, true, nullptr, "dumb"));
  EXPECT_FALSE(wants_color(ColorMode::kAuto, true, nullptr, nullptr));
  EXPECT_FALSE(wants_color(ColorMode::kAuto, false, nullptr, "xterm"));
}

TEST(Color, ObeysAnExplicitWishAboveTheEnvironment) {
  EXPECT_TRUE(wants_color(ColorMode::kAlways, false, "1", "dumb"));
  EXPECT_FALSE(wants_color(ColorMode::kNever, true, nullptr, "xterm"));
}

TEST(Summary, NamesPassedAndFailedAlwaysAndTheOthersIfThereAreAny) {
  Totals totals = totals_of(0, 0);
  EXPECT_EQ(summary_line(totals), "0 passed, 0 failed in 1.52 s");
  totals.invalid = 1;
  totals.errors = 2;
  totals.broken_files = 1;
  totals.interrupted = 4;
  EXPECT_EQ(summary_line(totals),
            "0 passed, 0 failed, 1 invalid, 2 errors, 1 broken file, 4 interrupted in 1.52 s");
}

}  // namespace
}  // namespace netrig
