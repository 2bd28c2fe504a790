#include "harness/report/output_file.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace netrig {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() {
    std::string name = testing::TempDir() + "netrig-output-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OutputFileTest() override { fs::remove_all(folder_); }

  static std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  size_t entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(OutputFileTest, IsNotThereBeforeItIsComplete) {
  fs::path path = folder_ / "deep" / "runs.jsonl";
  auto file = OutputFile::create(path.string());
  ASSERT_TRUE(file) << file.error();
  file->append("one\n");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(file->commit(), "");
  EXPECT_EQ(content(path), "one\n");
}

TEST_F(OutputFileTest, LeavesTheOldFileAndNothingElseIfItIsNeverComplete) {
  fs::path path = folder_ / "a";
  std::ofstream(path) << "old";
  {
    auto file = OutputFile::create(path.string());
    ASSERT_TRUE(file);
    file->append("new");
  }
  EXPECT_EQ(content(path), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(OutputFileTest, OverwritesInTheMiddle) {
  fs::path path = folder_ / "a";
  auto file = OutputFile::create(path.string());
  ASSERT_TRUE(file);
  file->append("head ___ tail");
  file->overwrite(5, "123");
  file->append("!");
  EXPECT_EQ(file->commit(), "");
  EXPECT_EQ(content(path), "head 123 tail!");
}

TEST_F(OutputFileTest, WritesThroughALinkAndKeepsTheMode) {
  fs::path target = folder_ / "target", link = folder_ / "link";
  std::ofstream(target) << "old";
  fs::permissions(target, fs::perms(0640));
  fs::create_symlink(target, link);
  auto file = OutputFile::create(link.string());
  ASSERT_TRUE(file);
  file->append("new");
  EXPECT_EQ(file->commit(), "");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(content(target), "new");
  EXPECT_EQ(fs::status(target).permissions(), fs::perms(0640));
}

// Renaming a file over /dev/null would take it away from everybody.
TEST_F(OutputFileTest, WritesASpecialFileInPlace) {
  fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::string cat = "cat " + pipe.string();
  FILE* reader = ::popen(cat.c_str(), "r");
  ASSERT_NE(reader, nullptr);
  auto file = OutputFile::create(pipe.string());
  ASSERT_TRUE(file);
  file->append("___text");
  file->overwrite(0, "the");
  EXPECT_EQ(file->commit(), "");
  char read[16] = {};
  EXPECT_EQ(::fread(read, 1, sizeof read, reader), 7u);
  EXPECT_STREQ(read, "thetext");
  ::pclose(reader);
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(OutputFileTest, TellsAFullDisk) {
  auto file = OutputFile::create("/dev/full");
  ASSERT_TRUE(file) << file.error();
  file->append("text");
  EXPECT_EQ(file->commit(), "cannot write /dev/full: No space left on device");
}

TEST_F(OutputFileTest, RefusesAFolderAndAFileInTheWay) {
  EXPECT_EQ(OutputFile::create(folder_.string()).error(),
            "cannot write " + folder_.string() + ": Is a directory");
  std::ofstream(folder_ / "file") << "x";
  std::string inside = (folder_ / "file" / "x.xml").string();
  EXPECT_EQ(OutputFile::create(inside).error(), "cannot write " + inside + ": Not a directory");
}

}  // namespace
}  // namespace netrig
