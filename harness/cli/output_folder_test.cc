#include "harness/cli/output_folder.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "harness/cli/exit_status.h"

namespace netrig {
namespace {

namespace fs = std::filesystem;

class OutputFolderTest : public testing::Test {
 protected:
  OutputFolderTest() {
    std::string name = testing::TempDir() + "netrig-folder-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OutputFolderTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(OutputFolderTest, IsMadeWithItsParents) {
  EXPECT_EQ(prepare_output_folder(folder_ / "a/real-1"), "");
  EXPECT_TRUE(fs::is_directory(folder_ / "a/real-1"));
}

TEST_F(OutputFolderTest, LosesOurOldFilesAndKeepsOtherPeoples) {
  for (const char* name :
       {"result.json", "capture.pcapng", "journal.jsonl", "ladder.txt", "my-notes"}) {
    std::ofstream(folder_ / name) << "old";
  }
  EXPECT_EQ(prepare_output_folder(folder_), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  EXPECT_TRUE(fs::exists(folder_ / "my-notes"));
}

TEST_F(OutputFolderTest, SaysWhatIsInTheWay) {
  std::ofstream(folder_ / "file") << "x";
  std::string path = folder_ / "file/real-1";
  EXPECT_EQ(prepare_output_folder(path), "cannot write " + path + ": Not a directory");
  path = folder_ / "file";
  EXPECT_EQ(prepare_output_folder(path), "cannot write " + path + ": Not a directory");
}

TEST(ExitStatus, FollowsTheOrderThatTheHelpTells) {
  Totals totals;
  EXPECT_EQ(exit_status(totals, false, false), kExitNothingRan);
  totals.unsupported = 3;
  EXPECT_EQ(exit_status(totals, false, false), kExitNothingRan);
  totals.passed = 1;
  EXPECT_EQ(exit_status(totals, false, false), kExitPass);
  totals.failed = 1;
  EXPECT_EQ(exit_status(totals, false, false), kExitFail);
  totals.broken_files = 1;
  EXPECT_EQ(exit_status(totals, false, false), kExitBadFile);
  totals.invalid = 1;
  EXPECT_EQ(exit_status(totals, false, false), kExitCannot);
  EXPECT_EQ(exit_status(totals, true, false), kExitInterrupted);
  totals = {};
  totals.passed = 1;
  EXPECT_EQ(exit_status(totals, false, true), kExitCannot);
}

}  // namespace
}  // namespace netrig
