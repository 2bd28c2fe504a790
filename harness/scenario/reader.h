#pragma once
// Reads a scenario: text -> located JSON -> vars and ladder expanded -> checked against the format
// table -> Scenario. All mistakes of a file are answered at once, each at its line and column, with
// a suggestion where one is likely. Untrusted input: size, nesting and expansion are limited
// (kScenario...Max below).

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/matrix.h"
#include "harness/scenario/model.h"
#include "harness/scenario/source.h"

namespace netrig {

inline constexpr size_t kScenarioBytesMax = size_t{16} << 20;
inline constexpr size_t kScenarioDepthMax = 200;
inline constexpr size_t kScenarioPayloadMax = size_t{256} << 20;  // of one payload, when rendered
inline constexpr int64_t kScenarioInstancesMax = 100'000;  // all counts of all actors together

struct ReadOptions {
  // --set NAME=VALUE; VALUE is JSON if it parses as a scalar, else text
  std::map<std::string, std::string> set;
  std::optional<uint64_t> seed;  // --seed
  // What `env` asks for; empty: nothing is set.
  std::function<std::optional<std::string>(const std::string&)> environment = {};
  // Services without a port get 0, so that the kernel chooses: where ports are shared with others.
  bool kernel_ports = false;
};

struct ReadResult {
  std::shared_ptr<const SourceFile> source;  // always set, also when the file could not be read
  std::optional<Scenario> scenario;          // set if there are no mistakes
  std::vector<Diagnostic> mistakes;          // in order of place
  std::string expanded;                      // the long form as JSON text, if there are no mistakes
  // All rows of the matrix, if there are no mistakes; `scenario` is the first. Another one is what
  // the file is with that row's settings for --set.
  std::vector<MatrixRow> rows;
};

ReadResult read_scenario(const std::string& path, const ReadOptions& options = {});
ReadResult read_scenario_text(std::string text, const std::string& path,
                              const ReadOptions& options = {});

// `netrig verify`: a file with `packets` and `expect` only (a whole scenario is accepted too). Only
// capture, order and time expectations, and stream with addresses instead of hosts, can be checked
// without a run; others are mistakes.
ReadResult read_expectations(const std::string& path, const ReadOptions& options = {});

// A file that has only `parts`, for others to use: its name ends in ".parts.json".
ReadResult read_parts(const std::string& path, const ReadOptions& options = {});
bool is_parts_file(std::string_view path);

// The format's table, told in three ways more.
std::string scenario_json_schema();       // JSON Schema draft-07, pretty-printed, ends with '\n'
std::string scenario_format_reference();  // the generated part of scenarios/README.md, Markdown

}  // namespace netrig
