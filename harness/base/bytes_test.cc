#include "harness/base/bytes.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

using std::string_literals::operator""s;

TEST(ParseHex, TakesPairsInBothCasesWithSpaceBetween) {
  EXPECT_EQ(parse_hex("00 05\n68\t65 fF").value(), "\0\x05he\xff"s);
  EXPECT_EQ(parse_hex("").value(), "");
}

TEST(ParseHex, NamesTheOffendingCharacterOrTheOddDigit) {
  EXPECT_EQ(parse_hex("00 0g").error(), "'g' is not a hex digit");
  EXPECT_EQ(parse_hex("zz").error(), "'z' is not a hex digit");
  EXPECT_EQ(parse_hex("00\xff").error(), "octet 0xff is not a hex digit");
  EXPECT_EQ(parse_hex("001").error(), "hex digits come in pairs, '1' stands alone");
  EXPECT_EQ(parse_hex("a bc").error(), "hex digits come in pairs, 'a' stands alone");
}

TEST(ParseBase64, DecodesTheVectorsOfRfc4648) {
  EXPECT_EQ(parse_base64("").value(), "");
  EXPECT_EQ(parse_base64("Zg==").value(), "f");
  EXPECT_EQ(parse_base64("Zm8=").value(), "fo");
  EXPECT_EQ(parse_base64("Zm9v").value(), "foo");
  EXPECT_EQ(parse_base64("Zm9vYg==").value(), "foob");
  EXPECT_EQ(parse_base64("Zm9v\nYmE=").value(), "fooba");
  EXPECT_EQ(parse_base64("Zm9vYmFy").value(), "foobar");
  EXPECT_EQ(parse_base64("+/8=").value(), "\xfb\xff");
}

TEST(ParseBase64, RefusesWhatIsNotCanonical) {
  EXPECT_EQ(parse_base64("Zm9*").error(), "'*' is not a base64 digit");
  EXPECT_EQ(parse_base64("Zg=").error(), "base64 comes in groups of four digits, padded with '='");
  EXPECT_EQ(parse_base64("Z").error(), "base64 comes in groups of four digits, padded with '='");
  EXPECT_EQ(parse_base64("Zg==Zg==").error(), "base64 digits follow the padding '='");
  EXPECT_EQ(parse_base64("Zm9v=").error(), "base64 padding '=' stands where none belongs");
  EXPECT_EQ(parse_base64("Zg===").error(), "base64 padding '=' stands where none belongs");
  EXPECT_EQ(parse_base64("Zh==").error(),
            "the last base64 digit carries bits that belong to no octet");
}

TEST(FormatHex, ReadsBackAsTheSameOctets) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(format_hex("\x00\xfeZ"s), "00 fe 5a");
  EXPECT_EQ(parse_hex(format_hex(all)).value(), all);
}

TEST(FormatQuoted, EscapesWhatATerminalWouldNotShow) {
  EXPECT_EQ(format_quoted("a\r\n\t\\\"\x1b\x7f"), R"("a\r\n\t\\\"\x1b\x7f")");
  EXPECT_EQ(format_quoted("\0x\0001"s), R"("\0x\x001")");  // \01 would read as octal
  EXPECT_EQ(format_quoted("Grüß"), "\"Grüß\"");
  EXPECT_EQ(format_quoted("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(format_quoted("\u200b"), R"("\xe2\x80\x8b")");  // zero-width space
  EXPECT_EQ(format_quoted("\u009b"), R"("\xc2\x9b")");      // a terminal's control sequence
}

TEST(FormatQuoted, SaysWhatWasCutAndCutsNoCharacterInHalf) {
  EXPECT_EQ(format_quoted("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(format_quoted("abcdef", 5), "\"abcde\"... (6 bytes)");
  EXPECT_EQ(format_quoted("aü", 2), "\"a\"... (3 bytes)");
  EXPECT_EQ(format_quoted(Bytes(65536, 'x'), 3), "\"xxx\"... (65536 bytes)");
}

TEST(FormatHexDump, LooksAsHexdumpDoes) {
  EXPECT_EQ(format_hex_dump("Hello from client\n"),
            "00000000  48 65 6c 6c 6f 20 66 72  6f 6d 20 63 6c 69 65 6e  |Hello from clien|\n"
            "00000010  74 0a                                             |t.|\n");
  EXPECT_EQ(format_hex_dump(""), "");
}

TEST(FormatHexDump, SaysHowMuchTheLimitHides) {
  EXPECT_EQ(format_hex_dump("abc", 2),
            "00000000  61 62                                             |ab|\n"
            "... (1 byte more)\n");
}

TEST(FormatHexDiff, IsEmptyForEqualOctets) {
  EXPECT_EQ(format_hex_diff("abc", "abc"), "");
}

TEST(FormatHexDiff, MarksTheFirstDifferingOctet) {
  EXPECT_EQ(
      format_hex_diff("Hello from server!", "Hello frXm server!"),
      "expected  00000000  48 65 6c 6c 6f 20 66 72  6f 6d 20 73 65 72 76 65  |Hello from serve|\n"
      "actual    00000000  48 65 6c 6c 6f 20 66 72  58 6d 20 73 65 72 76 65  |Hello frXm serve|\n"
      "                                             ^^\n"
      "both      00000010  72 21                                             |r!|\n");
}

TEST(FormatHexDiff, MarksTheEndOfTheShorterOne) {
  EXPECT_EQ(format_hex_diff("abc", "ab"),
            "expected  00000000  61 62 63                                          |abc|\n"
            "actual    00000000  61 62                                             |ab|\n"
            "                          ^^\n");
  EXPECT_EQ(format_hex_diff("", "a"),
            "expected  00000000                                                    ||\n"
            "actual    00000000  61                                                |a|\n"
            "                    ^^\n");
}

TEST(FormatHexDiff, CountsTheRowsItLeavesOut) {
  Bytes expected(16 * 10, 'x');
  Bytes actual = expected;
  actual[16 * 4] = 'y';
  actual[16 * 9] = 'y';
  const std::string diff = format_hex_diff(expected, actual);
  EXPECT_TRUE(diff.starts_with("... 3 equal rows left out\nboth      00000030 ")) << diff;
  EXPECT_TRUE(diff.ends_with("... 2 equal rows left out\n... 1 different row left out\n")) << diff;
}

TEST(FormatHexDiff, StaysSmallForLargeInputs) {
  EXPECT_LT(format_hex_diff(Bytes(1 << 20, 'a'), Bytes(1 << 20, 'b')).size(), 1000u);
}

}  // namespace
}  // namespace netrig
