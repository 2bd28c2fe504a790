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
#include "harness/base/time_scale.h"
#include "harness/cli/selection.h"
#include "harness/report/terminal.h"

namespace netrig {

inline constexpr uint64_t kSeedsMax = 1'000'000;
inline constexpr uint64_t kRepeatsMax = 1'000'000;
inline constexpr uint64_t kJobsMax = 1024;
inline constexpr uint64_t kShardsMax = 10'000;
inline constexpr uint64_t kRetriesMax = 100;

// As typed; empty where nothing was.
struct RunArguments {
  std::vector<std::string> paths, backends, tags, set;
  std::optional<std::string> keywords, seed, seeds, jobs, repeat, timeout, color;
  std::optional<std::string> shard, retries, total_timeout, time_scale, spin;
  std::string out = "out";
  std::string junit, json, markdown, conformance, known_failures;
  bool strict = false;
  bool until_fail = false;
  bool fail_fast = false, host_network = false, allow_remote = false, no_capture = false;
  bool check_determinism = false;
  bool quiet = false;
  int verbose = 0;
};

// --shard 2/3: one part of what is to be run, the parts as equal as can be.
struct Shard {
  uint64_t index = 0;  // from 0
  uint64_t count = 1;

  // Whether it holds the `number`-th item (from 0) of the whole. Of each `count` items that follow
  // each other every shard has one, in an order that shifts from one to the next: dealt out in
  // turn, two shards of runs that are now fake, now real would be all fake and all real.
  bool holds(uint64_t number) const { return (number + number / count) % count == index; }
  // How many of the first `items` it holds.
  uint64_t share(uint64_t items) const;
};

struct RunRequest {
  std::vector<std::string> paths;
  std::vector<std::string> backends;  // empty: all that this build has and the file allows
  Selection selection;
  std::map<std::string, std::string> set;
  std::optional<uint64_t> seed;                        // --seed
  std::optional<std::pair<uint64_t, uint64_t>> seeds;  // --seeds, both ends included
  size_t jobs = 1;
  size_t repeat = 1;        // with until_fail: how many rounds at most; 0: no limit
  bool until_fail = false;  // round after round, until something is not right
  size_t retries = 0;
  Shard shard;
  Duration timeout{0};        // 0: the scenario's own
  Duration total_timeout{0};  // of the whole call; 0: none
  TimeScale time_scale;
  Duration spin{0};  // see RunOptions
  bool fail_fast = false, host_network = false, allow_remote = false, capture = true;
  bool check_determinism = false;
  bool strict = false;  // a failed `should` or `may` fails the call too
  std::string out, junit, json, markdown, conformance;
  std::string known_failures;  // a file's name; empty: none
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

// The command that repeats one run, quoted for a shell. `settings`: for --set beside the request's,
// what tells the run from others of its file.
std::string again_command(const RunRequest& request, const std::string& path,
                          const std::string& backend, uint64_t seed,
                          const std::map<std::string, std::string>& settings = {});

std::string shell_quoted(const std::string& word);

}  // namespace netrig
