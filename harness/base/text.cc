#include "harness/base/text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace netrig {

namespace {

constexpr size_t kSlugMax = 80;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// How long the well-formed sequence at the start of `text` is, 0 if there is none.
// RFC 3629 section 4: the second octet's range depends on the first.
size_t utf8_sequence_length(std::string_view text) {
  auto octet = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = octet(0);
  if (first < 0x80) return 1;
  size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                  : first >= 0xE0 && first <= 0xEF ? 3
                  : first >= 0xF0 && first <= 0xF4 ? 4
                                                   : 0;
  if (length == 0 || text.size() < length) return 0;
  uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (octet(1) < low || octet(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((octet(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Optimal string alignment: insert, delete, replace, swap neighbours; each costs 1.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      char x = lower(a[i - 1]), y = lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool ends_with_any(std::string_view word, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return word.ends_with(ending); });
}

}  // namespace

std::optional<size_t> first_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    size_t length = utf8_sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

size_t display_width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> known) {
  const size_t limit = 1 + name.size() / 4;
  std::optional<std::string> nearest;
  size_t smallest = limit + 1;
  for (const std::string& candidate : known) {
    size_t apart =
        std::max(candidate.size(), name.size()) - std::min(candidate.size(), name.size());
    if (apart >= smallest) continue;
    size_t distance = edit_distance(name, candidate);
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string join_or(std::span<const std::string> names) {
  std::string joined;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) joined += i + 1 == names.size() ? " or " : ", ";
    joined += names[i];
  }
  return joined;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string slug(std::string_view text) {
  std::string name;
  for (char raw : text) {
    char c = lower(raw);
    bool fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!fit) c = '-';
    // A leading dot would hide the folder, and ".." would leave it.
    if (name.empty() && (c == '-' || c == '.')) continue;
    if (c == '-' && name.back() == '-') continue;
    if (name.size() == kSlugMax) break;
    name += c;
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "unnamed" : name;
}

std::string plural(uint64_t count, std::string_view noun) {
  if (count == 1 || noun.empty()) return fmt::format("{} {}", count, noun);
  constexpr std::string_view kVowels = "aeiou";
  bool ies = noun.ends_with('y') && noun.size() > 1 && !kVowels.contains(noun[noun.size() - 2]);
  if (ies) return fmt::format("{} {}ies", count, noun.substr(0, noun.size() - 1));
  bool es = ends_with_any(noun, {"s", "x", "ch", "sh"});
  return fmt::format("{} {}{}", count, noun, es ? "es" : "s");
}

}  // namespace netrig
