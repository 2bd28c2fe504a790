#include "harness/gtest/scenario_test_case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace netrig {
namespace {

namespace fs = std::filesystem;

// What a test would have told GoogleTest, each failure as "file:line".
struct Told {
  std::string skipped;
  std::vector<std::string> places, messages;
};

template <typename Body>
Told told_by(const Body& body) {
  testing::TestPartResultArray parts;
  Told told;
  {
    testing::ScopedFakeTestPartResultReporter catcher(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
    told.skipped = body();
  }
  for (int i = 0; i < parts.size(); ++i) {
    const testing::TestPartResult& part = parts.GetTestPartResult(i);
    EXPECT_TRUE(part.nonfatally_failed());
    told.places.push_back(std::string(part.file_name()) + ":" + std::to_string(part.line_number()));
    told.messages.emplace_back(part.message());
  }
  return told;
}

constexpr const char* kHello = R"({
  "name": "hello",
  "actors": {
    "server": { "listen": "tcp", "steps": [
      { "recv": "ping" }, { "send": "pong" }, { "eof": true } ] },
    "client": { "connect": "server", "steps": [
      { "send": "ping" },
      { "recv": "pong" },
      { "close": true } ] }
  }
})";

class ScenarioTestCaseTest : public testing::Test {
 protected:
  ScenarioTestCaseTest() {
    std::string name = testing::TempDir() + "netrig-gtest-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    options_.output = (folder_ / "out").string();
  }
  ~ScenarioTestCaseTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::vector<ScenarioTestCase> plan(const std::string& path) {
    return plan_scenario_tests(path, options_);
  }

  fs::path folder_;
  ScenarioTestOptions options_;
};

TEST_F(ScenarioTestCaseTest, MakesATestOfEachRunOfAFolder) {
  write("s/hello-tcp.json", kHello);
  write("s/sub/hello-tcp.json", kHello);
  options_.backends = {"fake", "real"};
  std::vector<std::string> names;
  for (const ScenarioTestCase& test : plan((folder_ / "s").string())) names.push_back(test.name);
  EXPECT_EQ(names, (std::vector<std::string>{"hello_tcp/fake_1", "hello_tcp/real_1",
                                             "hello_tcp_2/fake_1", "hello_tcp_2/real_1"}));
}

TEST_F(ScenarioTestCaseTest, PassesWhatIsRight) {
  const auto tests = plan(write("hello.json", kHello));
  ASSERT_EQ(tests.size(), 1u);
  const Told told = told_by([&] { return run_scenario_test(tests[0]); });
  EXPECT_TRUE(told.places.empty()) << told.messages[0];
  EXPECT_EQ(told.skipped, "");
  EXPECT_TRUE(fs::exists(folder_ / "out/hello/fake-1/capture.pcapng"));
}

TEST_F(ScenarioTestCaseTest, FailsAtTheLineOfTheStep) {
  std::string text = kHello;
  text.replace(text.find("{ \"recv\": \"pong\" }"), 18, "{ \"recv\": \"pang\" }");
  const std::string path = write("bad.json", text);
  const auto tests = plan(path);
  const Told told = told_by([&] { return run_scenario_test(tests[0]); });
  ASSERT_EQ(told.places, (std::vector<std::string>{path + ":8", path + ":8"}));
  EXPECT_NE(told.messages[0].find("pang"), std::string::npos) << told.messages[0];
  EXPECT_NE(told.messages[1].find("again    netrig run"), std::string::npos) << told.messages[1];
}

TEST_F(ScenarioTestCaseTest, FailsAtEveryMistakeOfAFile) {
  const std::string path = write("broken.json", "{\n  \"nam\": \"x\",\n  \"seed\": \"y\"\n}\n");
  const auto tests = plan(path);
  ASSERT_EQ(tests.size(), 1u);
  EXPECT_EQ(tests[0].name, "broken/is_a_scenario");
  const Told told = told_by([&] { return run_scenario_test(tests[0]); });
  EXPECT_GE(told.places.size(), 2u);
  EXPECT_NE(std::ranges::find(told.places, path + ":2"), told.places.end());
}

TEST_F(ScenarioTestCaseTest, SkipsWithTheReason) {
  std::string text = kHello;
  text.replace(text.find("\"actors\""), 8, "\"skip\": \"not yet\", \"actors\"");
  const auto tests = plan(write("skipped.json", text));
  const Told told = told_by([&] { return run_scenario_test(tests[0]); });
  EXPECT_EQ(told.skipped, "skipped: not yet");
  EXPECT_TRUE(told.places.empty());
}

TEST_F(ScenarioTestCaseTest, IsNeverWithoutATest) {
  fs::create_directories(folder_ / "empty");
  options_.keywords = "and";
  EXPECT_EQ(plan((folder_ / "empty").string()).size(), 1u);
  options_.keywords = "";
  for (const std::string& path : {(folder_ / "empty").string(), (folder_ / "none").string()}) {
    const auto tests = plan(path);
    ASSERT_EQ(tests.size(), 1u);
    EXPECT_EQ(told_by([&] { return run_scenario_test(tests[0]); }).places.size(), 1u);
  }
  options_.backends = {"reel"};
  const auto tests = plan(write("hello.json", kHello));
  const Told told = told_by([&] { return run_scenario_test(tests[0]); });
  ASSERT_EQ(told.messages.size(), 1u);
  EXPECT_NE(told.messages[0].find("there is no backend 'reel' here"), std::string::npos);
}

TEST(TestName, HasNothingThatAFilterWouldRead) {
  EXPECT_EQ(test_name("udp-loss@size=1,mode=a b/fake-7"), "udp_loss_size_1_mode_a_b/fake_7");
}

}  // namespace
}  // namespace netrig
