#pragma once
// For tests of what starts runs: a scenario from text, a folder for its files, and a way to wait.

#include <filesystem>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>

#include "harness/run/runner.h"
#include "harness/scenario/reader.h"

namespace netrig {

// Two actors that greet each other; `steps` are more of the client's.
inline Scenario greeting(const std::string& network = "", const std::string& steps = "") {
  const std::string text = R"({ "name": "greeting", )" + network + R"( "actors": {
      "server": { "listen": "tcp", "steps": [
        { "recv": "ping" }, { "send": "pong" }, { "eof": true } ] },
      "client": { "connect": "server", "steps": [ { "send": "ping" }, { "recv": "pong" })" +
                           steps + R"(, { "close": true } ] } } })";
  auto read = read_scenario_text(text, "greeting.json");
  EXPECT_TRUE(read.scenario) << (read.mistakes.empty() ? "" : read.mistakes.front().message);
  return std::move(*read.scenario);
}

// A folder of the test's own, made and removed.
class RunFolder {
 public:
  RunFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "netrig-run-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~RunFolder() { std::filesystem::remove_all(path_); }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Options of a run on `fake` with a folder in this one.
  RunOptions options(uint64_t seed = 1) const {
    RunOptions options;
    options.scenario_path = "greeting.json";
    options.backend = "fake";
    options.seed = seed;
    options.output = path_ / std::to_string(seed);
    options.again = "again";
    std::filesystem::create_directories(options.output);
    return options;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::vector<Finding> nothing_to_judge(const FinishedRun&) {
  return {};
}

// Ten seconds at most.
inline bool becomes_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 10'000) == 1;
}

}  // namespace netrig
