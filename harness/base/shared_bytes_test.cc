#include "harness/base/shared_bytes.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(SharedBytes, SliceSharesTheOctetsAndOutlivesTheWhole) {
  BytePool pool;
  SharedBytes slice;
  {
    const SharedBytes whole = pool.copy("hello world");
    slice = whole.slice(6, 5);
    EXPECT_EQ(static_cast<const void*>(slice.view().data()), whole.view().data() + 6);
  }
  EXPECT_EQ(slice.view(), "world");
  EXPECT_EQ(pool.blocks_in_use(), 1u);
  slice = {};
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(SharedBytes, PoolReusesABlockThatNobodyHolds) {
  BytePool pool;
  const void* first = pool.copy("one").view().data();
  EXPECT_EQ(static_cast<const void*>(pool.copy("two").view().data()), first);
}

TEST(SharedBytes, JoinPutsPiecesOneBehindTheOther) {
  BytePool pool;
  const ByteView pieces[] = {"ab", "", "cde"};
  EXPECT_EQ(pool.join(pieces, 3).view(), "abcde");
  EXPECT_TRUE(pool.join(pieces, 0).empty());
}

TEST(SharedBytes, BlocksLargerThanAnyClassAreWholeToo) {
  BytePool pool;
  const Bytes large(200'000, 'x');
  EXPECT_EQ(pool.copy(large).slice(100'000, 100'000).view(), ByteView(large).substr(100'000));
}

}  // namespace
}  // namespace netrig
