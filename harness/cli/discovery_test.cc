#include "harness/cli/discovery.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace netrig {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::string>;

// Works inside a folder of its own, so that found paths are short and relative.
class DiscoveryTest : public testing::Test {
 protected:
  DiscoveryTest() : before_(fs::current_path()) {
    std::string name = testing::TempDir() + "netrig-discovery-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fs::current_path(folder_);
  }
  ~DiscoveryTest() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }
  static void make(const fs::path& path) {
    if (path.has_parent_path()) fs::create_directories(path.parent_path());
    std::ofstream file(path);
  }

  fs::path before_, folder_;
};

TEST_F(DiscoveryTest, FindsJsonFilesBelowAFolderInOrderOfPath) {
  for (const char* path : {"s/b.json", "s/a/z.json", "s/a.json", "s/readme.md", "s/x.jsonl"}) {
    make(path);
  }
  EXPECT_EQ(discover({"s"}), (Files{"s/a.json", "s/a/z.json", "s/b.json"}));
}

TEST_F(DiscoveryTest, SkipsSchemaOutAndDotFoldersUnlessAFileIsNamed) {
  for (const char* path : {"s/schema/a.json", "s/x/out/b.json", "s/.git/c.json", "s/d.json"}) {
    make(path);
  }
  EXPECT_EQ(discover({"s"}), Files{"s/d.json"});
  EXPECT_EQ(discover({"s/schema/a.json"}), Files{"s/schema/a.json"});
  EXPECT_EQ(discover({"s/x/out"}), Files{"s/x/out/b.json"});
}

TEST_F(DiscoveryTest, KeepsAFileThatIsNamedWhateverItsEndingAndEvenIfItIsMissing) {
  make("x.scenario");
  EXPECT_EQ(discover({"x.scenario", "missing.json"}), (Files{"x.scenario", "missing.json"}));
}

TEST_F(DiscoveryTest, TakesAFileThatIsNamedTwiceOnce) {
  make("s/a.json");
  make("s/b.json");
  EXPECT_EQ(discover({"s/b.json", "./s", "s/../s/b.json"}), (Files{"s/b.json", "./s/a.json"}));
}

TEST_F(DiscoveryTest, FollowsNoLinkToAFolder) {
  make("s/a.json");
  fs::create_directory_symlink("..", "s/loop");
  EXPECT_EQ(discover({"s"}), Files{"s/a.json"});
}

TEST_F(DiscoveryTest, SearchesScenariosWithoutAPathAndSaysSoIfThereIsNone) {
  EXPECT_EQ(discover({}).error(), "no PATH was given, and there is no folder 'scenarios' here");
  make("scenarios/a.json");
  EXPECT_EQ(discover({}), Files{"scenarios/a.json"});
}

TEST_F(DiscoveryTest, FindsNothingInAnEmptyFolder) {
  fs::create_directory("empty");
  EXPECT_EQ(discover({"empty"}), Files{});
}

}  // namespace
}  // namespace netrig
