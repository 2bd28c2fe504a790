#include "harness/cli/selection.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

const SelectionSubject kSubject{
    "udp-loss", "Lossy datagrams", "scenarios/udp/udp-loss.json", {"udp", "slow"}};

bool matches(const std::string& expression) {
  auto selection = Selection::parse(expression, {});
  EXPECT_TRUE(selection) << selection.error();
  return selection && selection->matches(kSubject);
}

std::string error_of(const std::string& expression) {
  auto selection = Selection::parse(expression, {});
  return selection ? "none" : selection.error();
}

TEST(Selection, FindsAWordInIdNamePathAndTagsInAnyCase) {
  EXPECT_TRUE(matches("p-LOSS"));
  EXPECT_TRUE(matches("lossy"));
  EXPECT_TRUE(matches("scenarios/udp"));
  EXPECT_TRUE(matches("Slow"));
  EXPECT_FALSE(matches("tcp"));
}

TEST(Selection, CombinesWordsWithAndOrNotAndParentheses) {
  EXPECT_TRUE(matches("udp and not tcp"));
  EXPECT_FALSE(matches("udp and not (loss or tcp)"));
  EXPECT_TRUE(matches("(tcp or udp) and (not fast)"));
  EXPECT_TRUE(matches("not not udp"));
  EXPECT_TRUE(matches("'lossy datagrams'"));
  EXPECT_FALSE(matches("\"datagrams lossy\""));
}

// "and" first: (udp) or (tcp and tcp) is true, (udp or tcp) and tcp would be false.
TEST(Selection, BindsAndTighterThanOr) {
  EXPECT_TRUE(matches("udp or tcp and tcp"));
}

TEST(Selection, SaysWhereAnExpressionIsWrong) {
  EXPECT_EQ(error_of("tcp and"), "a word is missing at character 8 of 'tcp and'");
  EXPECT_EQ(error_of("or tcp"), "a word is missing at character 1 of 'or tcp'");
  EXPECT_EQ(error_of("(tcp"), "a ')' is missing at character 5 of '(tcp'");
  EXPECT_EQ(error_of("tcp)"), "a ')' without a '(' at character 4 of 'tcp)'");
  EXPECT_EQ(error_of("tcp loss"),
            "'and' or 'or' is missing before this at character 5 of 'tcp loss'");
  EXPECT_EQ(error_of("'tcp"), "this quote is not closed at character 1 of ''tcp'");
}

TEST(Selection, RefusesEndlessNestingInsteadOfRunningOutOfStack) {
  EXPECT_NE(error_of(std::string(100'000, '(')).find("nested too deeply"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  EXPECT_NE(error_of(nots + "x").find("nested too deeply"), std::string::npos);
}

TEST(Selection, TakesAnyOfTheTagsButTheWholeTag) {
  auto tagged = [](std::vector<std::string> tags) {
    return Selection::parse("", std::move(tags))->matches(kSubject);
  };
  EXPECT_TRUE(tagged({}));
  EXPECT_TRUE(tagged({"tcp", "udp"}));
  EXPECT_FALSE(tagged({"ud"}));
}

TEST(Selection, WantsBothExpressionAndTag) {
  EXPECT_FALSE(Selection::parse("loss", {"tcp"})->matches(kSubject));
  EXPECT_FALSE(Selection::parse("tcp", {"udp"})->matches(kSubject));
  EXPECT_TRUE(Selection::parse("loss", {"udp"})->matches(kSubject));
}

}  // namespace
}  // namespace netrig
