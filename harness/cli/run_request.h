#pragma once
// What `netrig run` was asked to do: the options as text, and as checked values. All that can be
// wrong with an option's value is answered here, by a sentence that names the option.

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/cli/selection.h"
#include "harness/report/terminal.h"

namespace netrig {

inline constexpr uint64_t kSeedsMax = 1'000'000;
inline constexpr uint64_t kRepeatsMax = 1'000'000;
inline constexpr uint64_t kJobsMax = 1024;

// As typed; empty where nothing was.
struct RunArguments {
  std::vector<std::string> paths, backends, tags, set;
  std::optional<std::string> keywords, seed, seeds, jobs, repeat, timeout, color;
  std::string out = "out";
  std::string junit, json;
  bool fail_fast = false, host_network = false, allow_remote = false, no_capture = false;
  bool check_determinism = false;
  bool quiet = false;
  int verbose = 0;
};

struct RunRequest {
  std::vector<std::string> paths;
  std::vector<std::string> backends;  // empty: all that this build has and the file allows
  Selection selection;
  std::map<std::string, std::string> set;
  std::optional<uint64_t> seed;                        // --seed
  std::optional<std::pair<uint64_t, uint64_t>> seeds;  // --seeds, both ends included
  size_t jobs = 1;
  size_t repeat = 1;
  Duration timeout{0};  // 0: the scenario's own
  bool fail_fast = false, host_network = false, allow_remote = false, capture = true;
  bool check_determinism = false;
  std::string out, junit, json;
  int verbosity = 0;
  ColorMode color = ColorMode::kAuto;
};

// `known_backends`: those that this build has. The error is a sentence for the user.
std::expected<RunRequest, std::string> parse_run_request(
    const RunArguments& arguments, const std::vector<std::string>& known_backends);

// Words of --set: "NAME=VALUE".
std::expected<std::map<std::string, std::string>, std::string> parse_assignments(
    const std::vector<std::string>& words);

// -k and -t together, as run, list and check take them.
std::expected<Selection, std::string> parse_selection(const std::optional<std::string>& keywords,
                                                      const std::vector<std::string>& tags);

// The command that repeats one run, quoted for a shell.
std::string again_command(const RunRequest& request, const std::string& path,
                          const std::string& backend, uint64_t seed);

std::string shell_quoted(const std::string& word);

}  // namespace netrig
