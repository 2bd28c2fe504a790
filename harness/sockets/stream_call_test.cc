#include "harness/sockets/stream_call.h"

#include <gmock/gmock.h>

namespace netrig {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StreamWindow, CutsPartsAtItsEndsAndLeavesEmptyOnesOut) {
  const std::vector<ByteView> parts = {"abc", "", "defg", "h"};
  EXPECT_THAT(stream_window(parts, 0, 100), ElementsAre("abc", "defg", "h"));
  EXPECT_THAT(stream_window(parts, 2, 3), ElementsAre("c", "de"));
  EXPECT_THAT(stream_window(parts, 3, 4), ElementsAre("defg"));
  EXPECT_THAT(stream_window(parts, 8, 1), IsEmpty());
  EXPECT_THAT(stream_window(parts, 0, 0), IsEmpty());
}

}  // namespace
}  // namespace netrig
