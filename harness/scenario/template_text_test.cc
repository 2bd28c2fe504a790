#include "harness/scenario/template_text.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

std::string shape(std::string_view text) {
  auto segments = parse_template(text);
  if (!segments) return "error: " + segments.error();
  std::string shape;
  for (const Template::Segment& segment : *segments) {
    shape += segment.variable.empty() ? "[" + segment.literal + "]" : "<" + segment.variable + ">";
  }
  return shape;
}

TEST(TemplateText, TakesTextAndVariablesApart) {
  EXPECT_EQ(shape("ping ${i}"), "[ping ]<i>");
  EXPECT_EQ(shape("${server.address}:${web-1.port}"), "<server.address>[:]<web-1.port>");
  EXPECT_EQ(shape(""), "");
  EXPECT_EQ(shape("5 $ and {x}"), "[5 $ and {x}]");
}

TEST(TemplateText, ReadsADoubledDollarBeforeABraceAsText) {
  EXPECT_EQ(shape("$${x}"), "[${x}]");
  EXPECT_EQ(shape("$$${x}"), "[$${x}]");
  EXPECT_EQ(shape("$${${x}"), "[${]<x>");
  EXPECT_EQ(shape("$$ $${"), "[$$ ${]");
}

TEST(TemplateText, RefusesWhatNamesNoVariable) {
  EXPECT_EQ(shape("a ${b"), "error: '${' is never closed (for the text '${' write '$${')");
  EXPECT_EQ(shape("${}"), "error: '${}' names no variable (for the text '${' write '$${')");
  EXPECT_EQ(shape("${a b}"), "error: '${a b}' names no variable (for the text '${' write '$${')");
  EXPECT_EQ(shape("${1}"), "error: '${1}' names no variable (for the text '${' write '$${')");
}

TEST(TemplateText, PrintsWhatReadsBackTheSame) {
  for (const char* text :
       {"ping ${i}", "$${x}", "$$${x}", "$${${x}", "a$", "$", "${a}${b}", "$$"}) {
    auto segments = parse_template(text);
    ASSERT_TRUE(segments) << text;
    EXPECT_EQ(print_template(*segments).value(), text);
  }
}

TEST(TemplateText, CannotPrintADollarRightBeforeAVariable) {
  std::vector<Template::Segment> segments = {{"5$", ""}, {"", "i"}};
  EXPECT_FALSE(print_template(segments));
}

}  // namespace
}  // namespace netrig
