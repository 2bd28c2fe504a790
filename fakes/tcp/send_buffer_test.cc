#include "fakes/tcp/send_buffer.h"

#include <gtest/gtest.h>

namespace netrig::tcp {
namespace {

TEST(SendBufferTest, SmallWritesBecomeOneFullSegment) {
  BytePool pool;
  SendBuffer buffer(pool);
  for (int i = 0; i < 100; ++i) buffer.append("0123456789", 1000);
  EXPECT_EQ(pool.blocks_in_use(), 0u);  // nothing is held as blocks before a segment wants it
  const SharedBytes segment = buffer.take(1000);
  EXPECT_EQ(segment.view().substr(990), "0123456789");
  EXPECT_EQ(pool.blocks_in_use(), 1u);
  EXPECT_TRUE(buffer.empty());
}

TEST(SendBufferTest, SegmentsOfALargeWriteAreSlicesOfOneCopy) {
  BytePool pool;
  SendBuffer buffer(pool);
  buffer.append(std::string(14480, 'x'), 1448);
  std::vector<SharedBytes> segments;
  while (!buffer.empty()) segments.push_back(buffer.take(1448));
  EXPECT_EQ(segments.size(), 10u);
  EXPECT_EQ(pool.blocks_in_use(), 1u);
}

TEST(SendBufferTest, OctetsStayInOrderWhateverTheSizes) {
  BytePool pool;
  SendBuffer buffer(pool);
  std::string written, taken;
  uint64_t state = 1;
  const auto draw = [&state](size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state >> 33) % bound;
  };
  for (int i = 0; i < 5000; ++i) {
    std::string piece(draw(10) == 0 ? draw(100'000) : draw(700), '\0');
    for (char& octet : piece) octet = static_cast<char>(written.size() * 7 + draw(3));
    written += piece;
    buffer.append(piece, 1448);
    while (buffer.size() > 50'000 || (!buffer.empty() && draw(3) == 0)) {
      taken += buffer.take(std::min(buffer.size(), draw(3000) + 1)).view();
    }
  }
  taken += buffer.take(buffer.size()).view();
  EXPECT_TRUE(taken == written);
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

}  // namespace
}  // namespace netrig::tcp
