// What the corpus does not show: limits, order, the other kind of file, and what is deliberately
// let pass.
#include "harness/scenario/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/format_table.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Diagnostic> judge(const std::string& json, FileKind kind = FileKind::kScenario) {
  Node root;
  std::vector<Diagnostic> mistakes;
  if (parse_json(SourceFile("t.json", json), root, mistakes)) validate(root, mistakes, kind);
  return mistakes;
}

std::vector<std::string> messages(const std::vector<Diagnostic>& mistakes) {
  std::vector<std::string> texts;
  for (const Diagnostic& mistake : mistakes) texts.push_back(mistake.message);
  return texts;
}

std::vector<std::string> messages(const std::string& json) {
  return messages(judge(json));
}

std::string step(const std::string& text) {
  return R"({ "name": "n", "vars": { "wait": "5ms" }, "actors": { "a": { "steps": [ )" + text +
         " ] } } }";
}

std::vector<std::string> details_of(const std::string& json) {
  const std::vector<Diagnostic> mistakes = judge(json);
  return mistakes.empty() ? std::vector<std::string>{} : mistakes.front().details;
}

TEST(Validate, TellsMistakesInTheFilesOrder) {
  const std::vector<Diagnostic> mistakes = judge(
      "{\n \"expect\": 5,\n \"actors\": { \"a\": { \"count\": 0,\n \"x\": 1 } },\n \"tags\": 1 }");
  std::vector<uint32_t> lines;
  for (const Diagnostic& mistake : mistakes) lines.push_back(mistake.at.line);
  EXPECT_THAT(lines, ElementsAre(1, 2, 3, 4, 5));
}

TEST(Validate, StopsAtTheLimitOfMistakes) {
  std::string steps = "{ \"a\": 1 }";
  for (int i = 0; i < 10'000; ++i) steps += ", { \"a\": 1 }";
  EXPECT_EQ(judge(step(steps)).size(), kDiagnosticsMax);
}

TEST(Validate, WantsExpectationsButNoActorsOfAFileToVerifyACaptureWith) {
  EXPECT_THAT(
      judge(R"({ "expect": [ { "capture": "syn", "count": 1 } ] })", FileKind::kExpectations),
      IsEmpty());
  EXPECT_THAT(messages(judge(R"({ "packets": {} })", FileKind::kExpectations)),
              ElementsAre("'expect' is missing in a scenario"));
  EXPECT_THAT(judge(R"({ "expect": [ { "stream": "10.0.0.1:4 -> [::1]:80", "is": "x" } ] })",
                    FileKind::kExpectations),
              IsEmpty());
  // What is there is judged the same.
  EXPECT_EQ(judge(R"({ "expect": [], "actors": [] })", FileKind::kExpectations).size(), 1u);
}

TEST(Validate, SuggestsTheNearestNameWhereverNamesAreKnown) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({ "sned": "x" })", "did you mean 'send'?"},
      {R"({ "send": "x", "witin": "1s" })", "did you mean 'within'?"},
      {R"({ "shutdown": "wirte" })", "did you mean 'write'?"},
      {R"({ "read": 1, "error": "ECONREFUSED" })", "did you mean 'ECONNREFUSED'?"},
      {R"({ "read": 1, "flags": ["MSG_PEAK"] })", "did you mean 'MSG_PEEK'?"},
      {R"({ "get_option": "SO_RCVBUFF" })", "did you mean 'SO_RCVBUF'?"},
      {R"({ "set_option": { "SO_SNBUF": 1 } })", "did you mean 'SO_SNDBUF'?"},
      {R"({ "poll": { "s": "POLIN" } })", "did you mean 'POLLIN'?"},
      {R"({ "send": { "u32eb": 1 } })", "did you mean 'u32be'?"},
      {R"({ "recv": { "prefx": "a" } })", "did you mean 'prefix'?"},
      {R"({ "sleep": "${wiat}" })", "did you mean '${wait}'?"},
      {R"({ "send": "x", "after": 250 })", "with a unit: \"250ms\" or \"250s\""},
      {R"({ "send": "x", "flags": [] })",
       "it goes with read, write, send_to, recv_from, send_msg or recv_msg"},
      {R"({ "send": "x", "every": "1s" })", "it goes with repeat"},
  };
  for (const auto& [text, detail] : cases) {
    EXPECT_THAT(details_of(step(text)), testing::Contains(detail)) << text;
  }
}

TEST(Validate, ListsWhatIsKnownIfNothingIsNear) {
  const std::vector<std::string> details = details_of(step(R"({ "frobnicate": 1 })"));
  ASSERT_EQ(details.size(), 1u);
  EXPECT_TRUE(details[0].starts_with("known: send, recv, eof")) << details[0];
}

TEST(Validate, TakesVariablesOfTheRunOnlyWhereTheRunLooks) {
  EXPECT_THAT(messages(step(R"({ "send": "${x} and ${y}" })")), IsEmpty());
  EXPECT_THAT(messages(step(R"({ "read": "${x}" })")), IsEmpty());
  EXPECT_THAT(messages(step(R"({ "send": { "u8": "${x}" } })")), IsEmpty());
  EXPECT_THAT(messages(step(R"({ "local_address": "${a.address}:${a.port}" })")), IsEmpty());
  EXPECT_THAT(messages(step(R"({ "send": { "u8": "1${x}" } })")),
              ElementsAre("'u8' must be one variable alone, such as \"${x}\""));
  EXPECT_THAT(messages(step(R"({ "sleep": "${x}" })")), ElementsAre("'${x}' is not one of 'vars'"));
  EXPECT_THAT(messages(step(R"({ "close": "${x}" })")), ElementsAre("'${x}' is not one of 'vars'"));
}

TEST(Validate, TakesAnEscapedVariableForText) {
  EXPECT_THAT(messages(step(R"({ "sleep": "1ms", "note": "costs $${x}" })")), IsEmpty());
  EXPECT_THAT(messages(step(R"({ "sleep": "1ms", "note": "costs ${x}" })")),
              ElementsAre("'${x}' is not one of 'vars'"));
}

TEST(Validate, LetsABoundBeOpenButNotOutside) {
  const std::string before = R"({ "local_address": { "port": )";
  EXPECT_THAT(messages(step(before + "\"1024..\" } }")), IsEmpty());
  EXPECT_THAT(messages(step(before + "\"..80\" } }")), IsEmpty());
  EXPECT_THAT(messages(step(before + "\"80..65536\" } }")),
              ElementsAre("'port' must be in 0..65535, not 65536"));
  EXPECT_THAT(messages(step(before + "65536 } }")),
              ElementsAre("'port' must be in 0..65535, not 65536"));
}

TEST(Validate, TellsASecondVerbButStillJudgesTheFirst) {
  EXPECT_THAT(messages(step(R"({ "send": 5, "recv": "y" })")),
              ElementsAre("'send' must be text, an object or a list, not an integer",
                          "a step has one verb: 'send' and 'recv' are two"));
}

TEST(Validate, DoesNotTellWhatParsingToldOfTheSamePlace) {
  EXPECT_THAT(messages(R"({ "name": "n", "seed": -99999999999999999999, "actors": { "a": {} } })"),
              ElementsAre("this integer does not fit 64 bits with a sign"));
}

}  // namespace
}  // namespace netrig
