#include "harness/report/escape.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(Printable, KeepsTextLinesAndTabs) {
  EXPECT_EQ(printable("Grüß\tGott\n测试"), "Grüß\tGott\n测试");
}

TEST(Printable, EscapesControlsAndMalformedOctets) {
  EXPECT_EQ(printable(std::string_view("a\0\x1b\x7f\r", 5)), "a\\x00\\x1b\\x7f\\x0d");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc2\x9b[2J"), "\\xc2\\x9b[2J");  // U+009B is CSI
  EXPECT_EQ(printable("\xc2\xa0"), "\xc2\xa0");          // U+00A0 is not a control
}

TEST(PrintableLine, EscapesTheLineFeedToo) {
  EXPECT_EQ(printable_line("a\nb"), "a\\x0ab");
}

TEST(Xml, EscapesMarkup) {
  EXPECT_EQ(xml_text("a < b && \"c\" ]]>"), "a &lt; b &amp;&amp; \"c\" ]]&gt;");
  EXPECT_EQ(xml_attribute("\"a\"\n\t<"), "&quot;a&quot;&#10;&#9;&lt;");
}

// XML 1.0 section 2.2: no reference may name these either.
TEST(Xml, WritesWhatIsNoXmlCharacterAsVisibleText) {
  EXPECT_EQ(xml_text(std::string_view("\0\x1b\x1f", 3)), "\\x00\\x1b\\x1f");
  EXPECT_EQ(xml_text("\xef\xbf\xbe\xef\xbf\xbf"), "\\xef\\xbf\\xbe\\xef\\xbf\\xbf");
  EXPECT_EQ(xml_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(xml_text("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace netrig
