#include "harness/base/require.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(RequireDeathTest, NamesTheConditionAndThePlace) {
  const int answer = 41;
  EXPECT_DEATH(NETRIG_REQUIRE(answer == 42),
               "require_test.cc:[0-9]+: a bug in netrig: this does not hold: answer == 42");
}

TEST(Require, EvaluatesItsConditionOnce) {
  int times = 0;
  NETRIG_REQUIRE(++times > 0);
  EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace netrig
