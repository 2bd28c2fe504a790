#include "harness/process/program_path.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace netrig {
namespace {

class ProgramPath : public ::testing::Test {
 protected:
  ProgramPath() {
    std::string name = (std::filesystem::temp_directory_path() / "netrig-path-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~ProgramPath() override { std::filesystem::remove_all(folder); }
  std::string make(const std::string& name, bool executable) const {
    const std::filesystem::path file = folder / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "#!/bin/sh\n";
    using std::filesystem::perms;
    std::filesystem::permissions(file, executable ? perms::owner_all : perms::owner_read);
    return file.string();
  }
  std::filesystem::path folder;
};

TEST_F(ProgramPath, FindsTheFirstExecutableOfTheName) {
  make("a/tool", false);
  const std::string wanted = make("b/tool", true);
  make("c/tool", true);
  const std::string path =
      folder.string() + "/a:" + folder.string() + "/b:" + folder.string() + "/c";
  EXPECT_EQ(find_program("tool", path).value(), wanted);
}

TEST_F(ProgramPath, TellsAMissingProgramFromOneThatCannotBeRun) {
  make("a/tool", false);
  EXPECT_EQ(find_program("tool", folder.string() + "/a").error(), Errno(EACCES));
  EXPECT_EQ(find_program("other", folder.string() + "/a").error(), Errno(ENOENT));
  EXPECT_EQ(find_program(folder.string() + "/a/none", "").error(), Errno(ENOENT));
  EXPECT_EQ(find_program(folder.string() + "/a", "").error(), Errno(EACCES)) << "a folder";
}

TEST_F(ProgramPath, ANameWithASlashIsNotLookedFor) {
  const std::string tool = make("a/tool", true);
  EXPECT_EQ(find_program(tool, "/nowhere").value(), tool);
}

TEST(PathWithServers, AddsTheFoldersOfServersOnce) {
  EXPECT_EQ(path_with_servers("/usr/bin:/sbin"), "/usr/bin:/sbin:/usr/local/sbin:/usr/sbin");
  EXPECT_NE(path_with_servers("").find("/usr/bin:"), std::string::npos);
}

}  // namespace
}  // namespace netrig
