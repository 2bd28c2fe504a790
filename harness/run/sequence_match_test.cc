#include "harness/run/sequence_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "harness/scenario/masked_hex.h"

namespace netrig {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

SequencePart exactly(Bytes bytes) {
  SequencePart part;
  part.matcher.exact = Payload{{}, std::move(bytes)};
  return part;
}
SequencePart length_of(Number length, const std::string& name = "") {
  SequencePart part;
  part.matcher.length = std::move(length);
  if (!name.empty()) part.save = Save{name, {}};
  return part;
}
Number variable(const std::string& name) {
  return Template{{}, {{"", name}}};
}
SequencePart checksum_part(Checksum checksum, std::optional<size_t> parts = {}) {
  SequencePart part;
  part.matcher.exact = Payload{{}, ChecksumPayload{checksum, false, parts, {}}};
  return part;
}
MaskedOctets masked(std::string_view text) {
  const MaskedHex hex = parse_masked_hex(text).value();
  return {{}, hex.octets, hex.mask};
}

class SequenceTest : public testing::Test {
 protected:
  std::optional<Mismatch> match(std::vector<SequencePart> parts, ByteView message) {
    Matcher matcher;
    matcher.sequence = std::move(parts);
    return match_message(matcher, message, variables_, 1, &captures_);
  }
  Mismatch mismatch(const Matcher& matcher, ByteView message) {
    auto answer = match_message(matcher, message, variables_, 1, &captures_);
    EXPECT_TRUE(answer) << "matches, but should not";
    return answer.value_or(Mismatch{});
  }
  FixedVariables variables_{{}};
  Captures captures_;
};

TEST_F(SequenceTest, WhatOnePartSavesTheNextUses) {
  SequencePart size = length_of(int64_t{2});
  size.save = Save{"", {{"size", 2, false, false, false}}};
  const std::vector<SequencePart> parts = {size, length_of(variable("size"), "body"),
                                           exactly("end")};
  EXPECT_FALSE(match(parts, Bytes("\0\3abcend", 8)));
  EXPECT_EQ(std::get<Bytes>(captures_["body"]), "abc");
  EXPECT_EQ(std::get<int64_t>(captures_["size"]), 3);
}

TEST_F(SequenceTest, AMismatchNamesThePartAndItsPlaceInTheMessage) {
  const auto answer = match({exactly("GET "), length_of(int64_t{3}), exactly("!")}, "GET abc?");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->message, HasSubstr("part 3 of 3 (octets 7..7): the octets are not"));
  EXPECT_THAT(answer->details, Contains("message   \"GET abc?\""));
}

TEST_F(SequenceTest, AMessageThatEndsEarlyOrLateIsCounted) {
  EXPECT_THAT(match({exactly("ab"), exactly("cd")}, "abc")->message,
              HasSubstr("part 2 of 2 (octets 2..2): expected 2 octets, got only the first 1"));
  EXPECT_THAT(match({exactly("ab"), exactly("cd")}, "ab")->message,
              HasSubstr("part 2 of 2 (at octet 2): expected 2 octets, got none"));
  EXPECT_EQ(match({exactly("ab"), exactly("cd")}, "abcdef")->message,
            "expected 4 octets in 2 parts, got 6: 2 too many");
}

TEST_F(SequenceTest, AChecksumIsThatOfTheOctetsThatCame) {
  const std::vector<SequencePart> parts = {length_of(int64_t{3}), length_of(int64_t{3}),
                                           checksum_part(Checksum::kXor8, 1)};
  EXPECT_FALSE(match(parts, Bytes("abc\1\2\4\7", 7)));
  EXPECT_TRUE(match(parts, Bytes("abc\1\2\4\6", 7)));
  EXPECT_FALSE(
      match({length_of(int64_t{9}), checksum_part(Checksum::kCrc32)}, "123456789\xcb\xf4\x39\x26"));
}

TEST_F(SequenceTest, TooFewOctetsToSaveAreAMismatch) {
  SequencePart part = length_of(int64_t{1});
  part.save = Save{"", {{"size", 2, false, false, false}}};
  EXPECT_THAT(match({part}, "a")->message, HasSubstr("'size' cannot be saved: it needs 2 octets"));
}

TEST_F(SequenceTest, NothingIsKeptOfAMessageThatDoesNotFit) {
  EXPECT_TRUE(match({length_of(int64_t{1}, "first"), exactly("b")}, "ac"));
  EXPECT_TRUE(captures_.empty());
}

TEST_F(SequenceTest, OpenDigitsMatchAnything) {
  Matcher matcher;
  matcher.masked = masked("45 ?? 0?");
  EXPECT_FALSE(match_message(matcher, "\x45\xff\x07", variables_, 1, nullptr));
  const Mismatch answer = mismatch(matcher, "\x45\xff\x17");
  EXPECT_EQ(answer.message, "the octets are not the expected ones: octet 2 differs");
  EXPECT_THAT(answer.details,
              ElementsAre("expected  00000000  45 ?? 0?", "actual    00000000  45 ff 17",
                          std::string(26, ' ') + "^^"));
  EXPECT_EQ(mismatch(matcher, "\x45").message, "expected 3 octets, got 1");
  EXPECT_EQ(mismatch(matcher, "\x45\xff\x07!").message, "expected 3 octets, got 4");
}

TEST_F(SequenceTest, AMaskOfSingleBitsIsShown) {
  Matcher matcher;
  matcher.masked = MaskedOctets{{}, "\x80", "\xc1"};
  EXPECT_FALSE(match_message(matcher, "\xbe", variables_, 1, nullptr));
  EXPECT_THAT(mismatch(matcher, "\x81").details, Contains("of octet 0 these bits count: c1"));
}

TEST_F(SequenceTest, SizeAndDigestAndNegationHaveTheirWords) {
  Matcher matcher;
  matcher.size = Range<int64_t>{2, 4};
  EXPECT_EQ(mismatch(matcher, "a").message, "expected 2..4 octets, got 1");
  Matcher digest;
  digest.sha256 = Bytes(32, 'x');
  EXPECT_EQ(mismatch(digest, "abc").message, "the SHA-256 of 3 octets is not the expected one");
  EXPECT_THAT(
      mismatch(digest, "abc").details,
      Contains("actual    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  Matcher negated;
  negated.none_of.push_back(exactly("abc").matcher);
  EXPECT_FALSE(match_message(negated, "abd", variables_, 1, nullptr));
  EXPECT_EQ(mismatch(negated, "abc").message, "the message is what it must not be");
}

}  // namespace
}  // namespace netrig
