#include "harness/base/ring.h"

#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace netrig {
namespace {

template <typename T>
std::vector<T> contents(const Ring<T>& ring) {
  std::vector<T> result;
  for (size_t i = 0; i < ring.size(); ++i) result.push_back(ring[i]);
  return result;
}

TEST(Ring, WhatWentInFirstComesOutFirst) {
  Ring<int> ring;
  for (int i = 0; i < 100; ++i) ring.push_back(i);
  EXPECT_EQ(ring.size(), 100u);
  EXPECT_EQ(ring.back(), 99);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.take_front(), i);
  EXPECT_TRUE(ring.empty());
}

// The front is somewhere in the middle of the block when it grows, at every place once.
TEST(Ring, GrowingKeepsTheOrderWhereverTheFrontIs) {
  for (int ahead = 0; ahead < 16; ++ahead) {
    Ring<int> ring;
    for (int i = 0; i < ahead; ++i) {
      ring.push_back(-1);
      ring.pop_front();
    }
    for (int i = 0; i < 40; ++i) ring.push_back(i);
    std::vector<int> expected(40);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(contents(ring), expected) << ahead;
  }
}

TEST(Ring, PoppingLetsGoAtOnce) {
  const auto shared = std::make_shared<int>(7);
  Ring<std::shared_ptr<int>> ring;
  ring.push_back(shared);
  ring.push_back(shared);
  EXPECT_EQ(shared.use_count(), 3);
  ring.pop_front();
  EXPECT_EQ(shared.use_count(), 2);
  ring.clear();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Ring, InsertingMovesWhatFollows) {
  Ring<std::string> ring;
  for (const char* each : {"a", "b", "d"}) ring.push_back(each);
  ring.insert(2, "c");
  ring.insert(0, "_");
  ring.insert(5, "e");
  EXPECT_EQ(contents(ring), (std::vector<std::string>{"_", "a", "b", "c", "d", "e"}));
}

TEST(Ring, HoldsWhatCanOnlyBeMoved) {
  Ring<std::unique_ptr<int>> ring;
  ring.push_back(std::make_unique<int>(1));
  ring.place_at_back() = std::make_unique<int>(2);
  EXPECT_EQ(*ring.take_front(), 1);
  EXPECT_EQ(*ring.front(), 2);
}

TEST(Ring, AMovedOneIsEmptyAndOfUse) {
  Ring<int> from;
  from.push_back(1);
  Ring<int> to = std::move(from);
  EXPECT_EQ(contents(to), std::vector<int>{1});
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  from.push_back(2);
  EXPECT_EQ(from.back(), 2);
  to = {};
  EXPECT_TRUE(to.empty());
}

}  // namespace
}  // namespace netrig
