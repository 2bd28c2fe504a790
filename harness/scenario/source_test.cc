#include "harness/scenario/source.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(SourceFile, GivesLinesByNumberWithoutTheirEnds) {
  const SourceFile file("f.json", "one\r\ntwo\n\nfour");
  EXPECT_EQ(file.line(1), "one");
  EXPECT_EQ(file.line(2), "two");
  EXPECT_EQ(file.line(3), "");
  EXPECT_EQ(file.line(4), "four");
  EXPECT_EQ(file.line(0), "");
  EXPECT_EQ(file.line(5), "");
}

TEST(Diagnostic, QuotesTheLineUnderlinesThePlaceAndAddsItsDetails) {
  const SourceFile file("dir/f.json", "{\n  \"nmae\": \"x\"\n}\n");
  const Diagnostic diagnostic = {{2, 3, 6}, "unknown key 'nmae'", {"did you mean 'name'?"}};
  EXPECT_EQ(format_diagnostic(file, diagnostic),
            "dir/f.json:2:3: error: unknown key 'nmae'\n"
            "    2 |   \"nmae\": \"x\"\n"
            "      |   ^^^^^^\n"
            "      did you mean 'name'?\n");
}

TEST(Diagnostic, WithoutAPlaceNamesTheFileOnly) {
  EXPECT_EQ(format_diagnostic(SourceFile("f.json", ""), {{}, "no such file", {}}),
            "f.json: error: no such file\n");
}

TEST(Diagnostic, KeepsTheCaretBelowItsColumnBehindTabsAndWideText) {
  const SourceFile file("f.json", "\t\"grüß\x01\": x");
  EXPECT_EQ(format_diagnostic(file, {{1, 11, 1}, "m", {}}),
            "f.json:1:11: error: m\n"
            "    1 |  \"grüß\xEF\xBF\xBD\": x\n"
            "      |           ^\n");
}

TEST(Diagnostic, ShowsOctetsThatAreNotUtf8AsReplacementCharacters) {
  const SourceFile file("f.json", "\"a\xFF\xC3");
  EXPECT_EQ(format_diagnostic(file, {{1, 3, 1}, "m", {}}),
            "f.json:1:3: error: m\n"
            "    1 | \"a\xEF\xBF\xBD\xEF\xBF\xBD\n"
            "      |   ^\n");
}

TEST(Diagnostic, CutsALongLineAroundThePlace) {
  const SourceFile file("f.json", std::string(500, 'a') + "X" + std::string(500, 'b'));
  const std::string text = format_diagnostic(file, {{1, 501, 1}, "m", {}});
  const std::string quoted = text.substr(text.find('|') + 2);
  const std::string line = quoted.substr(0, quoted.find('\n'));
  EXPECT_LE(line.size(), 170u);
  EXPECT_TRUE(line.starts_with("...aaa") && line.ends_with("bbb...")) << line;
  const std::string carets = text.substr(text.rfind('|') + 2);
  EXPECT_EQ(carets.find('^'), line.find('X'));
}

TEST(Diagnostic, UnderlinesNoFurtherThanTheLine) {
  const std::string text = format_diagnostic(SourceFile("f", "abc"), {{1, 2, 99}, "m", {}});
  EXPECT_TRUE(text.ends_with("|  ^^\n")) << text;
  const std::string behind = format_diagnostic(SourceFile("f", "abc"), {{1, 4, 0}, "m", {}});
  EXPECT_TRUE(behind.ends_with("|    ^\n")) << behind;
}

TEST(UnknownName, NamesTheNearestOrAllThatAreKnown) {
  const std::vector<std::string> known = {"send", "recv"};
  const Diagnostic near = unknown_name({1, 1, 1}, "verb", "sned", known);
  EXPECT_EQ(near.message, "unknown verb 'sned'");
  EXPECT_EQ(near.details, std::vector<std::string>{"did you mean 'send'?"});
  const Diagnostic far = unknown_name({1, 1, 1}, "verb", "frobnicate", known);
  EXPECT_EQ(far.details, std::vector<std::string>{"known: send, recv"});
}

}  // namespace
}  // namespace netrig
