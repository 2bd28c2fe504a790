#include "harness/run/matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Payload bytes_of(Bytes bytes) {
  return Payload{{}, std::move(bytes)};
}
Regex regex_of(const std::string& text) {
  return Regex{{}, text, std::make_shared<const re2::RE2>(text)};
}
Matcher exactly(Bytes bytes) {
  Matcher matcher;
  matcher.exact = bytes_of(std::move(bytes));
  return matcher;
}

class MatchingTest : public testing::Test {
 protected:
  std::optional<Mismatch> match(const Matcher& matcher, ByteView message) {
    return match_message(matcher, message, variables, 1, &captures);
  }
  // Fails the test instead of crashing when there is no mismatch.
  Mismatch mismatch(const Matcher& matcher, ByteView message) {
    std::optional<Mismatch> answer = match(matcher, message);
    EXPECT_TRUE(answer) << "matches, but should not";
    return answer.value_or(Mismatch{});
  }
  FixedVariables variables{{{"size", int64_t{3}}}};
  Captures captures;
};

TEST_F(MatchingTest, EqualOctetsMatch) {
  EXPECT_FALSE(match(exactly("Hello"), "Hello"));
  EXPECT_FALSE(match(exactly(""), ""));
  EXPECT_FALSE(match(Matcher{}, "whatever"));
}

TEST_F(MatchingTest, ShortTextsThatDifferStandAboveEachOtherWithACaret) {
  const Mismatch answer = mismatch(exactly("Hello from server!\r\n"), "Hello from client!\r\n");
  EXPECT_EQ(answer.message, "the octets are not the expected ones: the first 11 octets are equal");
  EXPECT_THAT(
      answer.details,
      ElementsAre(R"(expected  "Hello from server!\r\n")", R"(actual    "Hello from client!\r\n")",
                  R"(                      ^)", HasSubstr("expected  00000000  48 65 6c 6c 6f"),
                  HasSubstr("actual    00000000  48 65 6c 6c 6f"), HasSubstr("^^"),
                  HasSubstr("expected  00000010"), HasSubstr("actual    00000010")));
}

TEST_F(MatchingTest, TheCaretCountsEscapesAndUtf8AsTheyShow) {
  const Mismatch answer = mismatch(exactly("\r\nZürich!"), "\r\nZürich?");
  ASSERT_EQ(answer.details.size(), 6U);
  EXPECT_EQ(answer.details[2], std::string(10 + 1 + 4 + 6, ' ') + '^');
  // "ü" and "ö" differ in their second octet: the caret stands below the character.
  EXPECT_EQ(mismatch(exactly("aü"), "aö").details.at(2), std::string(10 + 2, ' ') + '^');
}

TEST_F(MatchingTest, TooFewAndTooManyOctetsAreCounted) {
  EXPECT_EQ(mismatch(exactly("Hello"), "Hel").message, "expected 5 octets, got only the first 3");
  EXPECT_EQ(mismatch(exactly("Hello"), "").message, "expected 5 octets, got none");
  EXPECT_EQ(mismatch(exactly("Hello"), "Hello!!").message, "expected 5 octets, got 7: 2 too many");
}

TEST_F(MatchingTest, BinaryOctetsAreShownAsAHexDiff) {
  const Mismatch answer = mismatch(exactly(Bytes("\x00\x01\x02", 3)), Bytes("\x00\x01\x03", 3));
  EXPECT_THAT(answer.details,
              ElementsAre(HasSubstr("expected  00000000  00 01 02"),
                          HasSubstr("actual    00000000  00 01 03"), HasSubstr("^^")));
}

TEST_F(MatchingTest, TheLengthMustBeRight) {
  Matcher matcher;
  matcher.length = Template{{}, {{"", "size"}}};
  EXPECT_FALSE(match(matcher, "abc"));
  const Mismatch answer = mismatch(matcher, "abcd");
  EXPECT_EQ(answer.message, "expected 3 octets, got 4");
  EXPECT_THAT(answer.details, ElementsAre("actual    \"abcd\""));
}

TEST_F(MatchingTest, UntilEndsAtItsFirstOccurrence) {
  Matcher matcher;
  matcher.until = bytes_of("\r\n");
  EXPECT_FALSE(match(matcher, "ok\r\n"));
  EXPECT_EQ(mismatch(matcher, "ok\r").message, R"(the message does not end with "\r\n")");
  EXPECT_EQ(mismatch(matcher, "a\r\nbc\r\n").message,
            R"(expected the message to end with the first "\r\n", got 4 octets more)");
}

TEST_F(MatchingTest, APrefixThatDiffersSaysHowMuchIsEqual) {
  Matcher matcher;
  matcher.prefix = bytes_of("ping ");
  EXPECT_FALSE(match(matcher, "ping 1"));
  const Mismatch answer = mismatch(matcher, "pong 1 and a long rest that is of no interest");
  EXPECT_EQ(answer.message, "the message does not begin as expected: the first octet is equal");
  EXPECT_THAT(answer.details,
              ElementsAre("expected  \"ping \"", "actual    \"pong \"", "            ^"));
  EXPECT_EQ(mismatch(matcher, "").message,
            "the message does not begin as expected: they differ from the first octet on");
}

TEST_F(MatchingTest, ContainsLooksAnywhere) {
  Matcher matcher;
  matcher.contains = bytes_of("needle");
  EXPECT_FALSE(match(matcher, "a needle here"));
  EXPECT_THAT(mismatch(matcher, "hay").details,
              ElementsAre("expected  \"needle\"", "actual    \"hay\""));
}

TEST_F(MatchingTest, ALineIsMatchedWholeAndWithoutItsEnd) {
  Matcher matcher;
  matcher.line = regex_of("hello (?P<who>[a-z]+)");
  EXPECT_FALSE(match(matcher, "hello ann\r\n"));
  EXPECT_EQ(std::get<Bytes>(captures["who"]), "ann");
  EXPECT_FALSE(match(matcher, "hello bob\n"));
  EXPECT_EQ(std::get<Bytes>(captures["who"]), "bob");
  const Mismatch answer = mismatch(matcher, "hello Ann!\n");
  EXPECT_EQ(answer.message, "the line does not match the regular expression");
  EXPECT_THAT(answer.details,
              ElementsAre("expected  hello (?P<who>[a-z]+)", "actual    \"hello Ann!\""));
  matcher.line = regex_of("(?s).*");
  EXPECT_EQ(mismatch(matcher, "two\nlines\n").message, "expected one line, got more than one");
}

TEST_F(MatchingTest, MatchesSeesTheMessageWithItsEnd) {
  Matcher matcher;
  matcher.matches = regex_of("(?P<code>[0-9]+)( (?P<rest>.*))?\r\n");
  EXPECT_FALSE(match(matcher, "250\r\n"));
  EXPECT_EQ(std::get<Bytes>(captures["code"]), "250");
  EXPECT_EQ(std::get<Bytes>(captures["rest"]), "");
  EXPECT_TRUE(match(matcher, "250"));
  EXPECT_TRUE(match(matcher, "250\r\nmore"));
}

TEST_F(MatchingTest, NothingIsCapturedFromAMessageThatFails) {
  Matcher matcher;
  matcher.matches = regex_of("(?P<all>.*)");
  matcher.contains = bytes_of("x");
  EXPECT_TRUE(match(matcher, "abc"));
  EXPECT_THAT(captures, IsEmpty());
  matcher.contains.reset();
  matcher.any_of = {exactly("other")};
  EXPECT_TRUE(match(matcher, "abc"));
  EXPECT_THAT(captures, IsEmpty());
}

TEST_F(MatchingTest, OneAlternativeIsEnoughAndAllAreExplainedOtherwise) {
  Matcher matcher;
  matcher.any_of = {exactly("yes"), exactly("no")};
  EXPECT_FALSE(match(matcher, "yes"));
  EXPECT_FALSE(match(matcher, "no"));
  const Mismatch answer = mismatch(matcher, "nay");
  EXPECT_EQ(answer.message, "the message is none of 2 alternatives");
  ASSERT_EQ(answer.details.size(), 14U);
  EXPECT_EQ(answer.details[0],
            "1. the octets are not the expected ones: they differ from the first octet on");
  EXPECT_EQ(answer.details[7], "2. the octets are not the expected ones: the first octet is equal");
}

TEST_F(MatchingTest, AllConditionsMustHold) {
  Matcher matcher;
  matcher.length = int64_t{4};
  matcher.prefix = bytes_of("ab");
  matcher.contains = bytes_of("d");
  EXPECT_FALSE(match(matcher, "abcd"));
  EXPECT_TRUE(match(matcher, "abc"));
  EXPECT_TRUE(match(matcher, "xbcd"));
  EXPECT_TRUE(match(matcher, "abcx"));
}

TEST_F(MatchingTest, AVariableWithoutAValueIsTheMismatch) {
  Matcher matcher;
  matcher.exact = Payload{{}, Template{{}, {{"", "nobody"}}}};
  EXPECT_EQ(mismatch(matcher, "abc").message, "'${nobody}' has no value");
}

TEST_F(MatchingTest, ALongMessageIsCutInTheDetails) {
  Matcher matcher;
  matcher.contains = bytes_of("needle");
  const Mismatch answer = mismatch(matcher, Bytes(1'000'000, 'x'));
  EXPECT_LT(answer.details.size(), 12U);
  EXPECT_EQ(answer.details.back(), "          ... (999872 bytes more)");
}

}  // namespace
}  // namespace netrig
