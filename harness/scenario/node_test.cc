#include "harness/scenario/node.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/reader.h"

namespace netrig {
namespace {

struct Parsing {
  SourceFile file;
  Node root;
  std::vector<Diagnostic> mistakes;
  bool usable = false;

  explicit Parsing(std::string text) : file("t.json", std::move(text)) {
    usable = parse_json(file, root, mistakes);
  }
  // "2:5: message" of the last mistake: the syntax error, if there is one.
  std::string last() const {
    if (mistakes.empty()) return "none";
    const Diagnostic& last = mistakes.back();
    return std::to_string(last.at.line) + ":" + std::to_string(last.at.column) + ": " +
           last.message;
  }
};

void expect_same(const Node& a, const Node& b) {
  ASSERT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.boolean, b.boolean);
  EXPECT_EQ(a.integer, b.integer);
  EXPECT_EQ(a.real, b.real);
  EXPECT_EQ(a.string, b.string);
  ASSERT_EQ(a.elements.size(), b.elements.size());
  for (size_t i = 0; i < a.elements.size(); ++i) expect_same(a.elements[i], b.elements[i]);
  ASSERT_EQ(a.members.size(), b.members.size());
  for (size_t i = 0; i < a.members.size(); ++i) {
    EXPECT_EQ(a.members[i].key, b.members[i].key);
    expect_same(a.members[i].value, b.members[i].value);
  }
}

TEST(Json, PlacesEveryKeyAndValueWithItsLength) {
  const Parsing parsing(
      "{\n  \"a\": [1, -2.5e1, \"x\\u00e9y\"], // note: 7,\n\t\"b\" /*:*/ : true }");
  ASSERT_TRUE(parsing.usable) << parsing.last();
  const Member& a = parsing.root.members.at(0);
  EXPECT_EQ(a.key_at, (Location{2, 3, 3}));
  EXPECT_EQ(a.value.at, (Location{2, 8, 23}));
  EXPECT_EQ(a.value.elements.at(0).at, (Location{2, 9, 1}));
  EXPECT_EQ(a.value.elements.at(1).at, (Location{2, 12, 6}));
  EXPECT_EQ(a.value.elements.at(1).real, -25.0);
  EXPECT_EQ(a.value.elements.at(2).at, (Location{2, 20, 10}));
  EXPECT_EQ(a.value.elements.at(2).string, "x\xC3\xA9y");
  const Member& b = parsing.root.members.at(1);
  EXPECT_EQ(b.key_at, (Location{3, 2, 3}));
  EXPECT_EQ(b.value.at, (Location{3, 14, 4}));
  // The root ends on another line, so only its brace is underlined.
  EXPECT_EQ(parsing.root.at, (Location{1, 1, 1}));
}

TEST(Json, CountsColumnsInCodePointsNotOctets) {
  const Parsing parsing("{ \"grüß\": \"日本\", \"x\": 1 }");
  ASSERT_TRUE(parsing.usable);
  EXPECT_EQ(parsing.root.members.at(0).value.at, (Location{1, 11, 4}));
  EXPECT_EQ(parsing.root.members.at(1).key_at, (Location{1, 17, 3}));
}

TEST(Json, TellsEveryDuplicateKeyAndKeepsTheFirst) {
  const Parsing parsing("{ \"a\": 1,\n \"a\": { \"b\": [] },\n \"c\": { \"a\": 3, \"a\": 4 } }");
  ASSERT_TRUE(parsing.usable);
  ASSERT_EQ(parsing.mistakes.size(), 2u);
  EXPECT_EQ(parsing.mistakes[0].at, (Location{2, 2, 3}));
  EXPECT_EQ(parsing.mistakes[0].message, "duplicate key 'a', first at 1:3");
  EXPECT_EQ(parsing.mistakes[1].at, (Location{3, 17, 3}));
  ASSERT_EQ(parsing.root.members.size(), 2u);
  EXPECT_EQ(parsing.root.find("a")->value.integer, 1);
  EXPECT_EQ(parsing.root.find("c")->value.find("a")->value.integer, 3);
}

TEST(Json, ExplainsSyntaxErrorsWhereTheyAre) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "1:1: the file is empty; a scenario is a JSON object"},
      {"// nothing\n", "1:1: the file is empty; a scenario is a JSON object"},
      {"{ \"a\": 1\n  \"b\": 2 }", "2:3: a comma is missing before this string"},
      {"[1 2]", "1:4: a comma is missing before this number"},
      {"[[] {}]", "1:5: a comma is missing before this object"},
      {"{ \"a\": 1, }", "1:9: a comma too many before '}'"},
      {"[1,\n]", "1:3: a comma too many before ']'"},
      {"{ , }", "1:3: a comma too many"},
      {"{ \"a\": 1,, \"b\": 2 }", "1:10: a comma too many"},
      {"{ \"a\" 1 }", "1:7: ':' is missing before this number"},
      {"{ \"a\" = 1 }", "1:7: between a key and its value stands ':'"},
      {"{ \"a\": 1; }", "1:9: between values stands ','"},
      {"{ \"a\": }", "1:8: a value is missing before '}'"},
      {"{ a: 1 }", "1:3: keys stand in double quotes: \"a\""},
      {"{ 'a': 1 }", "1:3: strings stand in double quotes"},
      {"{ 5: 1 }", "1:3: a key in double quotes is expected here"},
      {"{ \"a\": hello }", "1:8: text stands in double quotes: \"hello\""},
      {"{ \"a\": ${x} }", "1:8: text stands in double quotes: \"$\""},
      {"{ \"a\": True }", "1:8: 'True' is written true"},
      {"{ \"a\": None }", "1:8: 'None' is written null"},
      {"{ \"a\": 250ms }", "1:11: a number with a unit stands in double quotes, such as \"250ms\""},
      {"{ \"a\": 10% }", "1:10: a number with a unit stands in double quotes, such as \"250ms\""},
      {"{ \"a\": 007 }", "1:9: a number has no zero in front"},
      {"{ \"a\": +7 }", "1:8: '+7' is not a number"},
      {"{ \"a\": 1. }", "1:8: '1.' is not a number"},
      {"{ \"a\": 1e999 }", "1:8: 1e999 is too large a number"},
      {"{ \"a\": [1 }", "1:11: '}' does not close the list that begins at 1:8: ']' is missing"},
      {"{ \"a\": [1,\n", "1:11: the file ends inside the list that begins at 1:8: ']' is missing"},
      {"{ \"a\": 1", "1:9: the file ends inside the object that begins at 1:1: '}' is missing"},
      {"{} {}", "1:4: the scenario has ended before this"},
      {"{}}", "1:3: the scenario has ended before this"},
      {"{ # note\n}", "1:3: a comment begins with //"},
      {"{ /* note }", "1:3: this comment has no end: '*/' is missing"},
      {"{ / note\n}", "1:3: a comment begins with // or /*"},
      {"[\"abc\n]", "1:2: this string has no end: '\"' is missing"},
      {"[\"abc", "1:2: this string has no end: '\"' is missing"},
      {"[\"a\tb\"]", "1:4: a tab in a string is written \\t"},
      {"[\"a\x01\"]", "1:4: this control character is written \\u0001 in a string"},
      {"[\"a\\x00\"]", "1:4: unknown escape in a string"},
      {"[\"\\u12g4\"]", "1:3: \\u takes four hex digits"},
      {"[\"\\ud800\"]",
       "1:2: half a surrogate pair: \\uD800..\\uDBFF must be followed by \\uDC00..\\uDFFF"},
  };
  for (const auto& [text, answer] : cases) {
    const Parsing parsing(text);
    EXPECT_FALSE(parsing.usable) << text;
    EXPECT_EQ(parsing.last(), answer) << text;
    EXPECT_EQ(parsing.mistakes.size(), 1u) << text;
  }
}

TEST(Json, TellsOctetsThatAreNotTextAndWhereTheyAre) {
  EXPECT_EQ(Parsing("{ \"a\":\n \"\xC3\xA9\xFF\" }").last(), "2:4: the octet 0xff is not UTF-8");
  EXPECT_EQ(Parsing(std::string("{}\0{}", 5)).last(), "1:3: a NUL octet; is this a text file?");
  EXPECT_EQ(Parsing(std::string("\xFF\xFE{\0}\0", 6)).last(),
            "1:1: the file is UTF-16; scenarios are UTF-8");
}

TEST(Json, AcceptsAByteOrderMark) {
  const Parsing parsing("\xEF\xBB\xBF{ \"a\": 1 }");
  EXPECT_TRUE(parsing.usable) << parsing.last();
  EXPECT_EQ(parsing.root.members.size(), 1u);
}

TEST(Json, TellsEveryIntegerBeyond64BitsAndReadsOn) {
  const Parsing parsing(
      "[9223372036854775807, -9223372036854775808,\n 9223372036854775808,\n"
      " 123456789012345678901234567890]");
  EXPECT_TRUE(parsing.usable);
  ASSERT_EQ(parsing.mistakes.size(), 2u);
  EXPECT_EQ(parsing.mistakes[0].at, (Location{2, 2, 19}));
  EXPECT_EQ(parsing.mistakes[1].at, (Location{3, 2, 30}));
  EXPECT_EQ(parsing.root.elements[1].integer, std::numeric_limits<int64_t>::min());
}

TEST(Json, RefusesNestingOf100000LevelsAtTheFirstTooDeep) {
  const Parsing parsing(std::string(100'000, '['));
  EXPECT_FALSE(parsing.usable);
  EXPECT_EQ(parsing.last(), "1:201: more than 200 levels of nesting");
  const Parsing deepest(std::string(kScenarioDepthMax, '[') + std::string(kScenarioDepthMax, ']'));
  EXPECT_TRUE(deepest.usable);
}

TEST(Json, RefusesAFileOf100Megabytes) {
  const Parsing parsing(std::string(100'000'000, ' '));
  EXPECT_FALSE(parsing.usable);
  EXPECT_EQ(parsing.last(), "0:0: the file has 100000000 octets, a scenario has at most 16MiB");
}

TEST(Json, RefusesMoreValuesThanMemoryIsFor) {
  std::string text = "[1";
  for (size_t i = 1; i < kNodesMax + 1; ++i) text += ",1";
  const Parsing parsing(text + "]");
  EXPECT_FALSE(parsing.usable);
  EXPECT_EQ(parsing.mistakes.back().message, "the file has more than 1000000 values");
}

TEST(Json, TellsALimitedNumberOfDuplicateKeys) {
  std::string text = "{\"a\":1";
  for (int i = 0; i < 100'000; ++i) text += ",\"a\":1";
  const Parsing parsing(text + "}");
  EXPECT_EQ(parsing.mistakes.size(), kDiagnosticsMax);
}

TEST(Json, PrintsATreeThatReadsBackTheSame) {
  const std::string text = R"({
    "empty": [{}, [], ""], "numbers": [0, -5, 1.5, 1.0, 1e300, 9223372036854775807],
    "text": "quote \" slash \\ newline \n tab \t bell \u0007 é 日本",
    "null": null, "true": true, "false": false,
    "long": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
             { "ccccccccccccccccccccccccccc": ["ddddddddddddddddddddddddddddddddddddddddddddd"] }]
  })";
  const Parsing first(text);
  ASSERT_TRUE(first.usable) << first.last();
  const std::string printed = print_json(first.root);
  const Parsing second(printed);
  ASSERT_TRUE(second.usable) << second.last() << printed;
  expect_same(first.root, second.root);
  EXPECT_EQ(print_json(second.root), printed);
}

TEST(Json, FillsTheLinesOfALongListOfValues) {
  const Parsing parsing("[1111, 2222, 3333, 4444, 5555]");
  EXPECT_EQ(print_json(parsing.root, 15), "[\n  1111, 2222,\n  3333, 4444,\n  5555\n]\n");
}

TEST(Json, PrintsWhatFitsOnOneLineAndBreaksTheRest) {
  const Parsing parsing(R"({"name":"n","steps":[{"send":"a"},{"recv":{"length":4},"save":"x"}]})");
  EXPECT_EQ(print_json(parsing.root, 50),
            "{\n"
            "  \"name\": \"n\",\n"
            "  \"steps\": [\n"
            "    { \"send\": \"a\" },\n"
            "    { \"recv\": { \"length\": 4 }, \"save\": \"x\" }\n"
            "  ]\n"
            "}\n");
  EXPECT_EQ(print_json(parsing.root, 200),
            "{ \"name\": \"n\", \"steps\": [ { \"send\": \"a\" }, { \"recv\": { \"length\": 4 }, "
            "\"save\": \"x\" } ] }\n");
}

}  // namespace
}  // namespace netrig
