#include "harness/cli/known_failures.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/scenario/payload_file.h"

namespace netrig {

namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr size_t kErrorsToldMax = 20;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view without_dot(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return path;
}

// Every "name=value" of `wanted` among the settings, or the row by its name.
bool fits_row(const std::string& wanted, const Scenario& scenario) {
  if (wanted.empty() || wanted == scenario.row) return true;
  for (size_t at = 0; at <= wanted.size();) {
    const size_t end = std::min(wanted.find(',', at), wanted.size());
    const std::string_view one = trimmed(std::string_view(wanted).substr(at, end - at));
    at = end + 1;
    const bool has = std::ranges::any_of(scenario.settings, [&](const auto& setting) {
      return setting.first + "=" + setting.second == one;
    });
    if (!has) return false;
  }
  return true;
}

bool is_backend(std::string_view word) {
  return word == "fake" || word == "real" || word == "wire";
}

}  // namespace

std::expected<KnownFailures, std::string> KnownFailures::read(const std::string& path) {
  const auto text = read_regular_file(path, kKnownFailuresBytesMax);
  if (!text) return std::unexpected(fmt::format("--known-failures {}: {}", path, text.error()));
  return parse(*text, path);
}

std::expected<KnownFailures, std::string> KnownFailures::parse(std::string_view text,
                                                               const std::string& path) {
  KnownFailures known;
  known.path_ = path;
  std::vector<std::string> errors;
  size_t number = 0;
  for (const std::string& whole : split_lines(text)) {
    ++number;
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.starts_with('#')) continue;
    const auto complain = [&](std::string_view what) {
      errors.push_back(fmt::format("{}:{}: {}", path, number, what));
    };
    Entry entry;
    entry.line = number;
    // A path may have colons; the one before the reason stands before a space.
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      complain("a line is SCENARIO [BACKEND] [ROW]: REASON");
      continue;
    }
    entry.reason = trimmed(line.substr(colon + 1));
    std::string_view subject = trimmed(line.substr(0, colon));
    bool sound = true;
    while (sound && subject.ends_with(']')) {
      const size_t open = subject.rfind('[');
      if (open == std::string_view::npos) break;
      const std::string_view word = trimmed(subject.substr(open + 1, subject.size() - open - 2));
      subject = trimmed(subject.substr(0, open));
      std::string& into = is_backend(word) ? entry.backend : entry.row;
      sound = into.empty() && (is_backend(word) || word.find('=') != std::string_view::npos);
      if (!sound) complain(fmt::format("'[{}]' is no backend and no row of a matrix", word));
      into = word;
    }
    if (subject.empty() && sound) complain("the scenario's path or id is missing");
    entry.scenario = without_dot(subject);
    if (entry.reason.empty()) complain("the reason is missing");
    known.entries_.push_back(std::move(entry));
  }
  if (errors.size() > kErrorsToldMax) {
    errors.resize(kErrorsToldMax);
    errors.push_back(fmt::format("{}: and more", path));
  }
  if (!errors.empty()) return std::unexpected(fmt::format("{}", fmt::join(errors, "\n")));
  return known;
}

std::string KnownFailures::reason(const Scenario& scenario, const std::string& path,
                                  const std::string& backend) {
  std::string reason;
  for (Entry& entry : entries_) {
    if (entry.scenario != scenario.id && entry.scenario != without_dot(path)) continue;
    entry.seen = true;
    if (!entry.backend.empty() && entry.backend != backend) continue;
    if (!fits_row(entry.row, scenario)) continue;
    entry.matched = true;
    if (reason.empty()) reason = fmt::format("{} ({}:{})", entry.reason, path_, entry.line);
  }
  return reason;
}

std::vector<std::string> KnownFailures::stale() const {
  std::vector<std::string> lines;
  for (const Entry& entry : entries_) {
    std::error_code error;
    const bool is_path = entry.scenario.ends_with(".json");
    if (entry.seen && !entry.matched) {
      lines.push_back(
          fmt::format("{}:{}: it is about no run of '{}'", path_, entry.line, entry.scenario));
    } else if (is_path && !entry.seen && !std::filesystem::exists(entry.scenario, error)) {
      lines.push_back(
          fmt::format("{}:{}: there is no file '{}'", path_, entry.line, entry.scenario));
    }
  }
  return lines;
}

}  // namespace netrig
