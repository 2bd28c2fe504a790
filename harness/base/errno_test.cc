#include "harness/base/errno.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace netrig {
namespace {

// glibc has its own table of names: the two were written apart.
TEST(Errno, KnowsEveryNameThatTheCLibraryKnows) {
  int known = 0;
  for (int value = 1; value < 4096; ++value) {
    const char* expected = strerrorname_np(value);
    if (expected == nullptr) {
      EXPECT_EQ(Errno(value).name(), "errno " + std::to_string(value));
      continue;
    }
    ++known;
    // glibc prefers ENOTSUP to the EOPNOTSUPP that sockets are documented with.
    const std::string name = value == EOPNOTSUPP ? "EOPNOTSUPP" : expected;
    EXPECT_EQ(Errno(value).name(), name);
    EXPECT_EQ(Errno::from_name(expected), Errno(value)) << expected;
    EXPECT_EQ(Errno(value).text(), strerrordesc_np(value));
  }
  EXPECT_GE(known, 131);
}

TEST(Errno, TakesBothNamesOfOneValueAndAnswersTheUsualOne) {
  EXPECT_EQ(Errno::from_name("EWOULDBLOCK")->name(), "EAGAIN");
  EXPECT_EQ(Errno::from_name("EDEADLOCK")->name(), "EDEADLK");
  EXPECT_EQ(Errno::from_name("ENOTSUP")->name(), "EOPNOTSUPP");
}

TEST(Errno, HasPseudoValuesThatAreNoErrnoNumber) {
  EXPECT_EQ(Errno::from_name("TIMEOUT"), Errno::timeout());
  EXPECT_EQ(Errno::from_name("EOF"), Errno::eof());
  EXPECT_EQ(Errno::timeout().name(), "TIMEOUT");
  EXPECT_EQ(Errno::eof().name(), "EOF");
  EXPECT_NE(Errno::timeout(), Errno(ETIMEDOUT));
  EXPECT_LT(Errno::eof().value(), 0);
}

TEST(Errno, RefusesAnUnknownName) {
  EXPECT_FALSE(Errno::from_name("ECONREFUSED"));
  EXPECT_FALSE(Errno::from_name("econnrefused"));
  EXPECT_FALSE(Errno::from_name(""));
}

TEST(Errno, ListsItsNamesSortedAndTakesEachOfThem) {
  const std::vector<std::string>& names = Errno::names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const std::string& name : names) EXPECT_TRUE(Errno::from_name(name)) << name;
  EXPECT_TRUE(std::binary_search(names.begin(), names.end(), "EWOULDBLOCK"));
}

TEST(Errno, HasATextForANumberWithoutAName) {
  EXPECT_EQ(Errno(4711).text(), "Unknown error 4711");
  EXPECT_EQ(Errno(ECONNREFUSED).text(), "Connection refused");
}

}  // namespace
}  // namespace netrig
