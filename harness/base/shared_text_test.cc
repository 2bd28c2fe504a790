#include "harness/base/shared_text.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(SharedText, ACopyHoldsTheSameCharacters) {
  const SharedText text = std::string("client step 1 (send)");
  const SharedText copy = text;
  EXPECT_EQ(&copy.str(), &text.str());
}

TEST(SharedText, IsComparedByWhatItSays) {
  EXPECT_EQ(SharedText("a"), SharedText(std::string("a")));
  EXPECT_EQ(SharedText("a"), "a");
  EXPECT_FALSE(SharedText("a") == SharedText("b"));
}

TEST(SharedText, WithoutTextItIsEmpty) {
  EXPECT_TRUE(SharedText().empty());
  EXPECT_TRUE(SharedText("").empty());
  EXPECT_EQ(SharedText(""), SharedText());
  EXPECT_EQ(SharedText().str(), "");
}

}  // namespace
}  // namespace netrig
