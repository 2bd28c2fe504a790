#include "harness/base/text.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

using Names = std::vector<std::string>;

TEST(Utf8, AcceptsTheEndsOfEveryLength) {
  for (const char* text :
       {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_FALSE(first_invalid_utf8(text)) << text;
  }
}

TEST(Utf8, FindsTheFirstMalformedOctet) {
  EXPECT_EQ(first_invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(first_invalid_utf8("a\x80"), 1u);             // a continuation alone
  EXPECT_EQ(first_invalid_utf8("\xc0\xaf"), 0u);          // overlong '/'
  EXPECT_EQ(first_invalid_utf8("\xc1\xbf"), 0u);          // overlong
  EXPECT_EQ(first_invalid_utf8("\xe0\x9f\xbf"), 0u);      // overlong
  EXPECT_EQ(first_invalid_utf8("\xed\xa0\x80"), 0u);      // a surrogate
  EXPECT_EQ(first_invalid_utf8("\xf0\x8f\xbf\xbf"), 0u);  // overlong
  EXPECT_EQ(first_invalid_utf8("\xf4\x90\x80\x80"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(first_invalid_utf8("\xf5\x80\x80\x80"), 0u);
  EXPECT_EQ(first_invalid_utf8("ü\xc3"), 2u);  // cut off
  EXPECT_EQ(first_invalid_utf8("\xe2\x82z"), 0u);
}

TEST(DisplayWidth, CountsCodePoints) {
  EXPECT_EQ(display_width("Grüß Gott"), 9u);
  EXPECT_EQ(display_width("测试"), 2u);
}

TEST(NearestName, FindsALikelyTypingMistake) {
  const Names known = {"send", "recv", "connect", "ECONNREFUSED"};
  EXPECT_EQ(nearest_name("sned", known), "send");
  EXPECT_EQ(nearest_name("efo", Names{"eof"}), "eof");  // a swap counts once
  EXPECT_EQ(nearest_name("conect", known), "connect");
  EXPECT_EQ(nearest_name("Recv", known), "recv");
  EXPECT_EQ(nearest_name("ECONREFUZED", known), "ECONNREFUSED");
}

TEST(NearestName, OffersNothingThatIsFar) {
  const Names known = {"send", "recv"};
  EXPECT_FALSE(nearest_name("banana", known));
  EXPECT_FALSE(nearest_name("xxnd", Names{"abcd"}));
  EXPECT_FALSE(nearest_name("", known));
  EXPECT_FALSE(nearest_name(std::string(1'000'000, 'x'), known));
}

TEST(NearestName, TakesTheFirstOfEquals) {
  EXPECT_EQ(nearest_name("cat", Names{"bat", "rat"}), "bat");
  EXPECT_EQ(nearest_name("rat", Names{"bat", "rat"}), "rat");
}

TEST(JoinOr, PutsOrBeforeTheLast) {
  EXPECT_EQ(join_or(Names{}), "");
  EXPECT_EQ(join_or(Names{"a"}), "a");
  EXPECT_EQ(join_or(Names{"a", "b"}), "a or b");
  EXPECT_EQ(join_or(Names{"a", "b", "c"}), "a, b or c");
}

TEST(SplitLines, OpensNoLineAfterTheLastNewline) {
  EXPECT_EQ(split_lines(""), Names{});
  EXPECT_EQ(split_lines("a"), Names{"a"});
  EXPECT_EQ(split_lines("a\n\nb\n"), (Names{"a", "", "b"}));
  EXPECT_EQ(split_lines("\n"), Names{""});
  EXPECT_EQ(split_lines("a\r\n"), Names{"a\r"});
}

TEST(Slug, IsFitForAFolder) {
  EXPECT_EQ(slug("A client and a server greet: TCP!"), "a-client-and-a-server-greet-tcp");
  EXPECT_EQ(slug("v1.2_x"), "v1.2_x");
  EXPECT_EQ(slug("Grüß"), "gr");
  EXPECT_EQ(slug(std::string(200, 'x')).size(), 80u);
}

TEST(Slug, NeverLeavesTheFolderAndIsNeverEmpty) {
  EXPECT_EQ(slug(".."), "unnamed");
  EXPECT_EQ(slug("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(slug(".hidden"), "hidden");
  EXPECT_EQ(slug("测试"), "unnamed");
  EXPECT_FALSE(slug(std::string(79, 'x') + " y").ends_with('-'));
}

TEST(Plural, FollowsEnglish) {
  EXPECT_EQ(plural(1, "datagram"), "1 datagram");
  EXPECT_EQ(plural(5, "datagram"), "5 datagrams");
  EXPECT_EQ(plural(0, "match"), "0 matches");
  EXPECT_EQ(plural(2, "retry"), "2 retries");
  EXPECT_EQ(plural(2, "delay"), "2 delays");
  EXPECT_EQ(plural(2, "address"), "2 addresses");
}

}  // namespace
}  // namespace netrig
