#pragma once
// Scenario files as tests of a user's own GoogleTest program (target netrig::gtest). Each run (a
// file, a backend, a seed, a row of a matrix) becomes a test; a failure is told at the line of the
// JSON file, a run that is unsupported or skipped is a skipped test with its reason, a file with
// mistakes a test that fails at them. Register before RUN_ALL_TESTS():
//
//   int main(int argc, char** argv) {
//     testing::InitGoogleTest(&argc, argv);
//     netrig::register_scenarios("scenarios", {.suite = "Greeting"});
//     return RUN_ALL_TESTS();
//   }
//
// A run is played in a process of its own, made by fork(2). On `real` that process is a sandbox,
// and it is refused while the program has other threads: what they hold at that moment (an
// allocator's lock) stays held in the sandbox for ever. On `fake` that is for you to avoid.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/base/time_scale.h"

namespace netrig {

struct ScenarioTestOptions {
  std::string suite = "Scenarios";
  std::vector<std::string> backends = {"fake"};  // empty: all that this machine and the file allow
  std::string keywords;                          // as -k of netrig run
  std::vector<std::string> tags;                 // as -t
  std::map<std::string, std::string> set;        // as --set
  std::optional<uint64_t> seed;                  // instead of the files' own
  Duration timeout{0};                           // of each run; 0: the files' own
  TimeScale time_scale;                          // as --time-scale
  bool capture = true;
  std::string output = "out";  // the folder for the files of each run
};

// `path`: a scenario, or a folder that is searched for *.json as netrig run does. Answers how many
// tests were registered: at least one, for a path without a scenario is a test that fails. The
// tests are called SUITE.ID/BACKEND_SEED, with '_' for characters that --gtest_filter would read.
size_t register_scenarios(const std::string& path, const ScenarioTestOptions& options = {});

}  // namespace netrig
