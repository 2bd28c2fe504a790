#include "harness/run/render.h"

#include <gtest/gtest.h>

#include "harness/scenario/reader.h"

namespace netrig {
namespace {

Template text_of(std::vector<Template::Segment> segments) {
  return Template{{}, std::move(segments)};
}
Template literal(std::string text) {
  return text_of({{std::move(text), ""}});
}
Template variable(std::string name) {
  return text_of({{"", std::move(name)}});
}

class RenderTest : public testing::Test {
 protected:
  std::expected<Bytes, std::string> rendered(decltype(Payload::form) form, uint64_t seed = 1) {
    return render(Payload{{}, std::move(form)}, variables, seed);
  }
  FixedVariables variables{{{"i", int64_t{7}}, {"who", Bytes("Ann")}, {"size", Bytes("12")}}};
};

TEST_F(RenderTest, VariablesStandWhereTheTemplateNamesThem) {
  const Template text = text_of({{"ping ", ""}, {"", "i"}, {" from ", ""}, {"", "who"}});
  EXPECT_EQ(render(text, variables), "ping 7 from Ann");
}

TEST_F(RenderTest, AVariableWithoutAValueIsNamed) {
  EXPECT_EQ(render(variable("nobody"), variables).error(), "'${nobody}' has no value");
}

TEST_F(RenderTest, APatternIsRepeatedAndCut) {
  EXPECT_EQ(rendered(PatternPayload{literal("abc"), int64_t{7}}), "abcabca");
  EXPECT_EQ(rendered(PatternPayload{literal("abc"), variable("size")}), "abcabcabcabc");
  EXPECT_EQ(rendered(PatternPayload{literal(""), int64_t{0}}), "");
}

TEST_F(RenderTest, AnEmptyPatternCannotBeRepeated) {
  EXPECT_EQ(rendered(PatternPayload{literal(""), int64_t{3}}).error(),
            "an empty pattern cannot be repeated to 3 octets");
}

TEST_F(RenderTest, RandomOctetsDependOnSeedAndPathAlone) {
  const Bytes one = rendered(RandomPayload{int64_t{64}, "client.2"}).value();
  EXPECT_EQ(one.size(), 64U);
  EXPECT_EQ(rendered(RandomPayload{int64_t{64}, "client.2"}), one);
  EXPECT_NE(rendered(RandomPayload{int64_t{64}, "client.3"}), one);
  EXPECT_NE(rendered(RandomPayload{int64_t{64}, "client.2"}, 2), one);
  EXPECT_EQ(rendered(RandomPayload{int64_t{13}, "client.2"}), one.substr(0, 13));
}

TEST_F(RenderTest, IntegersAreWrittenInTheirByteOrder) {
  EXPECT_EQ(rendered(IntegerPayload{2, false, int64_t{0x1234}}), Bytes("\x12\x34"));
  EXPECT_EQ(rendered(IntegerPayload{4, true, int64_t{0x01020304}}), Bytes("\x04\x03\x02\x01"));
  EXPECT_EQ(rendered(IntegerPayload{8, false, int64_t{-1}}), Bytes(8, '\xFF'));
  EXPECT_EQ(rendered(IntegerPayload{1, false, variable("i")}), Bytes("\x07"));
}

TEST_F(RenderTest, AnIntegerThatDoesNotFitIsAnError) {
  EXPECT_TRUE(rendered(IntegerPayload{1, false, int64_t{255}}));
  EXPECT_TRUE(rendered(IntegerPayload{1, false, int64_t{-128}}));
  EXPECT_EQ(rendered(IntegerPayload{1, false, int64_t{256}}).error(),
            "256 does not fit into 1 octet");
  EXPECT_EQ(rendered(IntegerPayload{2, false, int64_t{-32769}}).error(),
            "-32769 does not fit into 2 octets");
}

TEST_F(RenderTest, AListIsTheConcatenationOfItsParts) {
  std::vector<Payload> parts = {Payload{{}, IntegerPayload{1, false, int64_t{3}}},
                                Payload{{}, variable("who")}, Payload{{}, Bytes("\0!", 2)}};
  EXPECT_EQ(rendered(std::move(parts)), Bytes("\x03"
                                              "Ann\0!",
                                              6));
}

TEST_F(RenderTest, NothingGrowsBeyondTheLimit) {
  // The first is refused before it is made; the list is two halves of more than the limit together.
  const int64_t limit = static_cast<int64_t>(kScenarioPayloadMax);
  EXPECT_EQ(rendered(PatternPayload{literal("x"), limit + 1}).error(),
            "the payload is larger than 256MiB");
  EXPECT_EQ(rendered(RandomPayload{INT64_MAX, "a.1"}).error(), "the payload is larger than 256MiB");
  EXPECT_EQ(rendered(PatternPayload{literal("x"), int64_t{-1}}).error(),
            "a length of -1 is negative");
  std::vector<Payload> halves(2, Payload{{}, PatternPayload{literal("x"), limit / 2 + 1}});
  EXPECT_EQ(rendered(std::move(halves)).error(), "the payload is larger than 256MiB");
}

TEST_F(RenderTest, ANumberIsAnIntegerOrAVariableThatHoldsOne) {
  EXPECT_EQ(evaluate(int64_t{5}, variables), 5);
  EXPECT_EQ(evaluate(variable("i"), variables), 7);
  EXPECT_EQ(evaluate(variable("size"), variables), 12);
  EXPECT_EQ(evaluate(text_of({{"1", ""}, {"", "i"}}), variables), 17);
  EXPECT_EQ(evaluate(variable("who"), variables).error(), "'${who}' is \"Ann\", not an integer");
  EXPECT_EQ(evaluate(variable("nobody"), variables).error(), "'${nobody}' has no value");
}

}  // namespace
}  // namespace netrig
