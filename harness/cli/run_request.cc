#include "harness/cli/run_request.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/run/runner.h"

namespace netrig {

namespace {

// A processor that spins does nothing else.
constexpr Duration kSpinMax = 10ms;

template <typename T>
using Checked = std::expected<T, std::string>;

// The backends of the design (DESIGN section 1): a build may lack some.
const std::vector<std::string>& all_backends() {
  static const std::vector<std::string> kNames{"fake", "real", "wire"};
  return kNames;
}

Checked<uint64_t> parse_number(std::string_view option, std::string_view text, uint64_t low,
                               uint64_t high) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && number >= low && number <= high) return number;
  return std::unexpected(
      fmt::format("{} takes a whole number from {} to {}, got '{}'", option, low, high, text));
}

Checked<std::vector<std::string>> parse_backends(const std::vector<std::string>& words,
                                                 const std::vector<std::string>& known) {
  std::vector<std::string> chosen;
  for (const std::string& word : words) {
    for (size_t at = 0; at <= word.size();) {
      size_t end = std::min(word.find(',', at), word.size());
      std::string name = word.substr(at, end - at);
      at = end + 1;
      if (std::find(all_backends().begin(), all_backends().end(), name) == all_backends().end()) {
        return std::unexpected(fmt::format("there is no backend '{}'; this build has {}", name,
                                           fmt::join(known, ", ")));
      }
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return std::unexpected(
            fmt::format("this build has no backend '{}', it has {}", name, fmt::join(known, ", ")));
      }
      if (std::find(chosen.begin(), chosen.end(), name) == chosen.end()) chosen.push_back(name);
    }
  }
  return chosen;
}

Checked<std::pair<uint64_t, uint64_t>> parse_seeds(const std::string& text) {
  std::string wrong = fmt::format("--seeds takes FIRST:LAST, for instance 1:100, got '{}'", text);
  size_t colon = text.find(':');
  if (colon == std::string::npos) return std::unexpected(wrong);
  auto first = parse_number("--seeds", std::string_view(text).substr(0, colon), 0, UINT64_MAX);
  auto last = parse_number("--seeds", std::string_view(text).substr(colon + 1), 0, UINT64_MAX);
  if (!first || !last) return std::unexpected(wrong);
  if (*first > *last) {
    return std::unexpected(fmt::format("--seeds {}: the first is larger than the last", text));
  }
  if (*last - *first >= kSeedsMax) {
    return std::unexpected(fmt::format("--seeds {}: at most {} in one call", text, kSeedsMax));
  }
  return std::pair(*first, *last);
}

Checked<Duration> parse_timeout(const std::string& option, const std::string& text) {
  auto duration = parse_duration(text);
  if (!duration) return std::unexpected(option + ": " + duration.error());
  if (*duration <= Duration{0}) return std::unexpected(option + " must be longer than 0s");
  return *duration;
}

Checked<TimeScale> parse_time_scale(const std::string& text) {
  auto scale = TimeScale::parse(text);
  if (!scale) return std::unexpected("--time-scale takes " + scale.error());
  return *scale;
}

Checked<Shard> parse_shard(const std::string& text) {
  std::string wrong = fmt::format("--shard takes I/N, for instance 1/3, got '{}'", text);
  size_t slash = text.find('/');
  if (slash == std::string::npos) return std::unexpected(wrong);
  auto count = parse_number("--shard", std::string_view(text).substr(slash + 1), 1, kShardsMax);
  auto index = parse_number("--shard", std::string_view(text).substr(0, slash), 1,
                            count.value_or(kShardsMax));
  if (!count) return std::unexpected(fmt::format("{}: N is from 1 to {}", wrong, kShardsMax));
  if (!index) return std::unexpected(fmt::format("{}: I is from 1 to N", wrong));
  return Shard{*index - 1, *count};
}

Checked<ColorMode> parse_color(const std::string& text) {
  if (text == "auto") return ColorMode::kAuto;
  if (text == "always") return ColorMode::kAlways;
  if (text == "never") return ColorMode::kNever;
  return std::unexpected(fmt::format("--color is auto, always or never, not '{}'", text));
}

size_t processors() {
  // sysconf(3): -1 if it is not known.
  return static_cast<size_t>(std::clamp(::sysconf(_SC_NPROCESSORS_ONLN), 1L, 256L));
}

std::string contradiction(const RunArguments& arguments) {
  if (arguments.seed && arguments.seeds) return "--seed and --seeds exclude each other";
  if (arguments.quiet && arguments.verbose > 0) return "-q and -v exclude each other";
  if (arguments.allow_remote && !arguments.host_network) {
    return "--allow-remote is of use only with --host-network";
  }
  if (arguments.check_determinism && arguments.host_network) {
    return "--check-determinism is of use only on the backend fake, which has no host network";
  }
  if (arguments.out.empty()) return "--out takes the name of a folder";
  const std::pair<std::string_view, const std::string&> files[] = {
      {"--junit", arguments.junit},
      {"--json", arguments.json},
      {"--markdown", arguments.markdown},
      {"--conformance", arguments.conformance}};
  for (const auto& [option, file] : files) {
    if (file == "-" && option != "--json") {
      return fmt::format("{} takes the name of a file; only --json knows '-'", option);
    }
    for (const auto& [other, its_file] : files) {
      if (other != option && file == its_file && !file.empty()) {
        return fmt::format("{} and {} cannot write the same file", option, other);
      }
    }
  }
  return "";
}

// Takes what `parsed` holds, or keeps its error: the first one is told.
template <typename T>
void take(Checked<T> parsed, T& into, std::string& error) {
  if (parsed) {
    into = std::move(*parsed);
  } else if (error.empty()) {
    error = parsed.error();
  }
}

// Options that leave one backend only. The error is a sentence.
std::string choose_backends(RunRequest& request) {
  const auto only = [&](const std::string& option, const std::string& backend) -> std::string {
    for (const std::string& asked : request.backends) {
      if (asked != backend) return fmt::format("{} is not for the backend {}", option, asked);
    }
    request.backends = {backend};
    return "";
  };
  if (request.check_determinism) return only("--check-determinism", "fake");
  if (request.host_network) return only("--host-network", "real");
  return "";
}

}  // namespace

std::expected<RunRequest, std::string> parse_run_request(
    const RunArguments& arguments, const std::vector<std::string>& known_backends) {
  std::string error = contradiction(arguments);
  RunRequest request;
  request.paths = arguments.paths;
  request.jobs = processors();
  request.fail_fast = arguments.fail_fast;
  request.host_network = arguments.host_network;
  request.allow_remote = arguments.allow_remote;
  request.capture = !arguments.no_capture;
  request.check_determinism = arguments.check_determinism;
  request.out = arguments.out;
  request.junit = arguments.junit;
  request.json = arguments.json;
  request.markdown = arguments.markdown;
  request.conformance = arguments.conformance;
  request.known_failures = arguments.known_failures;
  request.strict = arguments.strict;
  request.until_fail = arguments.until_fail;
  if (request.until_fail) {
    request.fail_fast = true;
    request.repeat = 0;
  }
  request.verbosity = arguments.quiet ? -1 : std::min(arguments.verbose, 2);
  take(parse_backends(arguments.backends, known_backends), request.backends, error);
  take(parse_selection(arguments.keywords, arguments.tags), request.selection, error);
  take(parse_assignments(arguments.set), request.set, error);
  uint64_t number = 0;
  if (arguments.seed) {
    take(parse_number("--seed", *arguments.seed, 0, UINT64_MAX), number, error);
    request.seed = number;
  }
  if (arguments.seeds) {
    std::pair<uint64_t, uint64_t> seeds;
    take(parse_seeds(*arguments.seeds), seeds, error);
    request.seeds = seeds;
  }
  if (arguments.jobs) {
    take(parse_number("-j", *arguments.jobs, 1, kJobsMax), number, error);
    request.jobs = number;
  }
  if (arguments.repeat) {
    take(parse_number("--repeat", *arguments.repeat, 1, kRepeatsMax), number, error);
    request.repeat = number;
  }
  if (arguments.retries) {
    take(parse_number("--retries", *arguments.retries, 0, kRetriesMax), number, error);
    request.retries = number;
  }
  if (arguments.shard) take(parse_shard(*arguments.shard), request.shard, error);
  if (arguments.timeout) {
    take(parse_timeout("--timeout", *arguments.timeout), request.timeout, error);
  }
  if (arguments.total_timeout) {
    take(parse_timeout("--total-timeout", *arguments.total_timeout), request.total_timeout, error);
  }
  if (arguments.spin) {
    take(parse_timeout("--spin", *arguments.spin), request.spin, error);
    if (error.empty() && request.spin > kSpinMax) {
      error = "--spin is at most " + format_duration(kSpinMax);
    }
  }
  if (arguments.time_scale) {
    take(parse_time_scale(*arguments.time_scale), request.time_scale, error);
  }
  if (arguments.color) take(parse_color(*arguments.color), request.color, error);
  if (error.empty()) error = choose_backends(request);
  if (!error.empty()) return std::unexpected(error);
  return request;
}

std::expected<std::map<std::string, std::string>, std::string> parse_assignments(
    const std::vector<std::string>& words) {
  std::map<std::string, std::string> assignments;
  for (const std::string& word : words) {
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(
          fmt::format("--set takes NAME=VALUE, for instance --set size=100, got '{}'", word));
    }
    std::string name = word.substr(0, equals);
    if (!assignments.emplace(name, word.substr(equals + 1)).second) {
      return std::unexpected(fmt::format("--set gives '{}' twice", name));
    }
  }
  return assignments;
}

std::expected<Selection, std::string> parse_selection(const std::optional<std::string>& keywords,
                                                      const std::vector<std::string>& tags) {
  if (keywords && keywords->find_first_not_of(" \t\r\n") == std::string::npos) {
    return std::unexpected("-k takes an expression, for instance -k 'tcp and not loss'");
  }
  auto selection = Selection::parse(keywords.value_or(""), tags);
  if (!selection) return std::unexpected("-k: " + selection.error());
  return selection;
}

std::string again_command(const RunRequest& request, const std::string& path,
                          const std::string& backend, uint64_t seed,
                          const std::map<std::string, std::string>& settings) {
  std::string command = "netrig run ";
  if (path.starts_with('-')) command += "./";  // not an option
  command += fmt::format("{} --backend {} --seed {}", shell_quoted(path), backend, seed);
  std::map<std::string, std::string> set = settings;
  set.insert(request.set.begin(), request.set.end());
  for (const auto& [name, value] : set) {
    command += " --set " + shell_quoted(fmt::format("{}={}", name, value));
  }
  if (request.timeout > Duration{0}) command += " --timeout " + format_duration(request.timeout);
  if (!request.time_scale.is_one() && is_wall_clock(backend)) {
    command += " --time-scale " + request.time_scale.text();
  }
  if (request.spin > Duration{0} && backend == "wire") {
    command += " --spin " + format_duration(request.spin);
  }
  if (request.host_network) command += " --host-network";
  if (request.allow_remote) command += " --allow-remote";
  if (!request.capture) command += " --no-capture";
  if (request.strict) command += " --strict";
  if (!request.known_failures.empty()) {
    command += " --known-failures " + shell_quoted(request.known_failures);
  }
  return command;
}

uint64_t Shard::share(uint64_t items) const {
  // The last, incomplete turn begins at `turns * count`; this shard's item is the one that holds()
  // finds there, if the turn gets so far.
  const uint64_t turns = items / count;
  const uint64_t place = (index + count - turns % count) % count;
  return turns + (place < items % count ? 1 : 0);
}

std::string shell_quoted(const std::string& word) {
  // POSIX shell 2.2: these characters never need a quote.
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kSafe) == std::string::npos) return word;
  std::string quoted = "'";
  for (char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace netrig
