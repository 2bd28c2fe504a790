#include "harness/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace netrig {
namespace {

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

TEST(Fd, ClosesOnDestructionAndNotAfterRelease) {
  int closed = -1, kept = -1;
  {
    Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC)), b(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    closed = a.get();
    kept = b.release();
    EXPECT_TRUE(a);
    EXPECT_FALSE(b);
  }
  EXPECT_FALSE(is_open(closed));
  EXPECT_TRUE(is_open(kept));
  ::close(kept);
}

TEST(Fd, HasOneOwnerAfterAMove) {
  Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int descriptor = a.get();
  Fd b(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int replaced = b.get();
  b = std::move(a);
  EXPECT_EQ(b.get(), descriptor);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(descriptor));
}

}  // namespace
}  // namespace netrig
