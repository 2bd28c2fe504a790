#include "harness/scenario/parts.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <unistd.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PartsTest : public testing::Test {
 protected:
  PartsTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/sub");
  }
  ~PartsTest() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  ReadResult read(const std::string& text) {
    return read_scenario_text(text, folder_ + "/main.json");
  }
  ReadResult read_using(const std::string& use, const std::string& more = "") {
    return read("{\"name\": \"x\", " + more +
                "\"actors\": {\"a\": {\"bind\": \"udp\", \"steps\": [" + use + "]}}}");
  }
  static std::vector<std::string> places(const ReadResult& result) {
    std::vector<std::string> all;
    for (const Diagnostic& mistake : result.mistakes) {
      all.push_back(format_diagnostic(*result.source, mistake));
    }
    return all;
  }

  // Tests run side by side, one a process.
  std::string folder_ = testing::TempDir() + "parts-" + std::to_string(::getpid());
};

TEST_F(PartsTest, StepsStandWhereTheyAreUsedAndCount) {
  const ReadResult result = read_using(
      R"({"send": "a"}, {"use": "p", "with": {"x": "b"}}, {"send": "d"})",
      R"("parts": {"p": {"parameters": ["x"], "steps": [{"send": "${x}"}, {"send": "c"}]}}, )");
  ASSERT_THAT(places(result), IsEmpty());
  const Steps& steps = result.scenario->actors.at(0).steps;
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[3].path, "a.4");
  EXPECT_EQ(result.expanded.find("use"), std::string::npos);
}

TEST_F(PartsTest, WholeMatchersAreParameters) {
  const ReadResult result = read_using(
      R"({"use": "p", "with": {"x": {"prefix": "a"}}}, {"use": "p"})",
      R"("parts": {"p": {"defaults": {"x": ["b", {"u8": 1}]}, "steps": [{"recv": "${x}"}]}}, )");
  ASSERT_THAT(places(result), IsEmpty());
  EXPECT_TRUE(std::get<RecvArguments>(step_of(result, "a", 0).arguments).matcher.prefix);
  EXPECT_TRUE(std::get<RecvArguments>(step_of(result, "a", 1).arguments).matcher.exact);
}

// A parameter's value is not looked into again: what it says is meant where it was written.
TEST_F(PartsTest, AParameterIsNotTakenForOneOfTheSameName) {
  const ReadResult result = read_using(R"({"use": "outer", "with": {"x": "1"}})",
                                       R"("parts": {
           "outer": {"parameters": ["x"],
                     "steps": [{"use": "inner", "with": {"y": "${x}", "x": "2"}}]},
           "inner": {"parameters": ["x", "y"], "steps": [{"send": "${x}${y}"}]}}, )");
  ASSERT_THAT(places(result), IsEmpty());
  EXPECT_THAT(result.expanded, HasSubstr("\"21\""));
}

TEST_F(PartsTest, AMistakeInAnotherFileIsToldThereWithItsUse) {
  write("lib.parts.json",
        "{ \"parts\": {\n  \"p\": { \"steps\": [ { \"recv\": \"x\", \"on\": \"b\" } ] } } }");
  const ReadResult result = read_using(R"({"use": "lib.parts.json#p"})");
  const std::vector<std::string> told = places(result);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0], HasSubstr("lib.parts.json:2:"));
  EXPECT_THAT(told[0], HasSubstr("unknown socket 'b'"));
  EXPECT_THAT(told[0], HasSubstr("\"recv\": \"x\", \"on\": \"b\""));
  EXPECT_THAT(told[0], HasSubstr("in the part 'p', used at"));
  EXPECT_THAT(told[0], HasSubstr("main.json:1:"));
}

TEST_F(PartsTest, WhatAnotherFileGetsWrongIsToldThere) {
  write("bad.parts.json", "{ \"parts\": { \"p\": { \"steps\": [ { \"sned\": 1 } ] } } }");
  EXPECT_THAT(places(read_using(R"({"use": "bad.parts.json#p"})")),
              ElementsAre(HasSubstr("bad.parts.json:1:34: error: unknown verb 'sned'")));
  write("broken.parts.json", "{ \"parts\": ");
  EXPECT_THAT(places(read_using(R"({"use": "broken.parts.json#p"})")),
              ElementsAre(HasSubstr("broken.parts.json:1:")));
  write("empty.parts.json", "{}");
  EXPECT_THAT(places(read_using(R"({"use": "empty.parts.json#p"})")),
              ElementsAre(HasSubstr("'parts' is missing in this file")));
}

TEST_F(PartsTest, FilesAreRelativeToWhoNamesThemAndStayInTheFolder) {
  write("sub/data.bin", "octets");
  write("sub/lib.parts.json",
        R"({"parts": {"p": {"steps": [
            {"send": {"file": "data.bin"}}, {"use": "../top.parts.json#q"}]}}})");
  write("top.parts.json", R"({"parts": {"q": {"steps": [{"send": "q"}]}}})");
  EXPECT_THAT(places(read_using(R"({"use": "sub/lib.parts.json#p"})")), IsEmpty());
  write("sub/evil.parts.json", R"({"parts": {"p": {"steps": [{"use": "../../evil.json#p"}]}}})");
  for (const char* name : {"../x.json#p", "/etc/passwd#p", "sub/evil.parts.json#p"}) {
    const ReadResult result = read_using(R"({"use": ")" + std::string(name) + "\"}");
    EXPECT_THAT(places(result), ElementsAre(HasSubstr("outside of the scenario's folder"))) << name;
  }
  std::filesystem::create_symlink("/etc/hostname", folder_ + "/link.json");
  EXPECT_THAT(places(read_using(R"({"use": "link.json#p"})")),
              ElementsAre(HasSubstr("outside of the scenario's folder")));
}

TEST_F(PartsTest, ACircleOverFilesIsToldWithItsWay) {
  write("a.json", R"({"parts": {"p": {"steps": [{"use": "b.json#q"}]}}})");
  write("b.json", R"({"parts": {"q": {"steps": [{"use": "a.json#p"}]}}})");
  EXPECT_THAT(places(read_using(R"({"use": "a.json#p"})")),
              ElementsAre(HasSubstr("a.json#p -> b.json#q -> a.json#p")));
}

// Each of 40 parts uses the one before it: too deep; twice each, it would be 2^40 steps.
TEST_F(PartsTest, DepthAndSizeHaveLimits) {
  std::string chain = "\"p0\": {\"steps\": [{\"send\": \"x\"}]}";
  for (int i = 1; i < 40; ++i) {
    const std::string use = fmt::format("{{\"use\": \"p{}\"}}", i - 1);
    chain += fmt::format(", \"p{}\": {{\"steps\": [{}, {}]}}", i, use, use);
  }
  const ReadResult deep = read_using(R"({"use": "p39"})", "\"parts\": {" + chain + "}, ");
  ASSERT_FALSE(deep.mistakes.empty());
  const ReadResult wide = read_using(R"({"use": "p25"})", "\"parts\": {" + chain + "}, ");
  EXPECT_THAT(places(wide), testing::Contains(HasSubstr("have more than 250000 values")));
}

TEST_F(PartsTest, AFileOfPartsAloneIsRead) {
  write("ok.parts.json", R"({"parts": {"p": {"steps": []}}})");
  EXPECT_TRUE(read_parts(folder_ + "/ok.parts.json").scenario);
  write("bad.parts.json", R"({"parts": {"p": {"steps": [{"use": "r"}]}}})");
  EXPECT_THAT(places(read_parts(folder_ + "/bad.parts.json")),
              ElementsAre(HasSubstr("unknown part 'r'")));
}

}  // namespace
}  // namespace netrig
