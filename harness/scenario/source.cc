#include "harness/scenario/source.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {

namespace {

constexpr size_t kQuotedColumnsMax = 160;
constexpr size_t kColumnsBefore = 60;  // kept before the place, if a line is cut
constexpr size_t kKnownNamesMax = 40;  // more are not listed

// Octets of the code point that begins here; 1 for what is none.
size_t point_size(std::string_view text) {
  const auto octet = static_cast<unsigned char>(text.front());
  const size_t size = octet < 0x80 ? 1 : octet < 0xE0 ? 2 : octet < 0xF0 ? 3 : 4;
  return text.size() < size || first_invalid_utf8(text.substr(0, size)) ? 1 : size;
}

// What a terminal shows of one code point: control characters and octets that are not UTF-8 become
// one replacement character, so that the caret stays below its column.
std::string printable(std::string_view point) {
  const auto octet = static_cast<unsigned char>(point.front());
  if (octet == '\t') return " ";
  if (octet < 0x20 || octet == 0x7F || (octet >= 0x80 && point.size() == 1)) return "\xEF\xBF\xBD";
  return std::string(point);
}

// The part of the line that is quoted: all of it, or kQuotedColumnsMax columns around the place. A
// line may have megabytes, so only what is shown is copied.
struct Window {
  size_t begin = 0;  // its first column, from 0
  std::vector<std::string> columns;
  bool cut_behind = false;
};

Window window_around(std::string_view line, size_t place) {
  Window window;
  // What fits as a whole is shown as a whole.
  if (place > kQuotedColumnsMax - kColumnsBefore) window.begin = place - kColumnsBefore;
  if (line.size() <= kQuotedColumnsMax) window.begin = 0;
  size_t column = 0;
  while (!line.empty()) {
    const std::string_view point = line.substr(0, point_size(line));
    if (column >= window.begin) {
      window.cut_behind = window.columns.size() == kQuotedColumnsMax;
      if (window.cut_behind) break;
      window.columns.push_back(printable(point));
    }
    ++column;
    line.remove_prefix(point.size());
  }
  return window;
}

std::string quote_line(std::string_view line, const Location& at) {
  const size_t column = std::max<size_t>(at.column, 1) - 1;
  const Window window = window_around(line, column);
  const size_t place =
      std::min(std::max(column, window.begin) - window.begin, window.columns.size());
  std::string quoted = window.begin > 0 ? "..." : "";
  const size_t indent = quoted.size() + place;
  for (const std::string& point : window.columns) quoted += point;
  if (window.cut_behind) quoted += "...";
  const size_t shown = std::max<size_t>(window.columns.size() - place, 1);
  const size_t carets = std::clamp<size_t>(at.length, 1, shown);
  return fmt::format("{:>5} | {}\n      | {}{}\n", at.line, quoted, std::string(indent, ' '),
                     std::string(carets, '^'));
}

}  // namespace

SourceFile::SourceFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

std::string_view SourceFile::line(uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  const size_t begin = line_starts_[number - 1];
  const size_t end = number < line_starts_.size() ? line_starts_[number] - 1 : text_.size();
  std::string_view line = std::string_view(text_).substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

uint32_t SourceFile::add(std::shared_ptr<const SourceFile> used) {
  used_.push_back(std::move(used));
  return static_cast<uint32_t>(used_.size());
}

const SourceFile& SourceFile::file(uint32_t number) const {
  return number == 0 || number > used_.size() ? *this : *used_[number - 1];
}

std::vector<std::string> SourceFile::paths() const {
  std::vector<std::string> paths = {path_};
  for (const auto& used : used_) paths.push_back(used->path());
  return paths;
}

std::string format_diagnostic(const SourceFile& source, const Diagnostic& diagnostic) {
  const Location& at = diagnostic.at;
  const SourceFile& file = source.file(at.file);
  std::string text = at.line == 0 ? fmt::format("{}: error: {}\n", file.path(), diagnostic.message)
                                  : fmt::format("{}:{}:{}: error: {}\n", file.path(), at.line,
                                                at.column, diagnostic.message) +
                                        quote_line(file.line(at.line), at);
  for (const std::string& detail : diagnostic.details) text += "      " + detail + "\n";
  return text;
}

Diagnostic unknown_name(Location at, std::string_view what, std::string_view name,
                        std::span<const std::string> known) {
  Diagnostic diagnostic = {at, fmt::format("unknown {} '{}'", what, name), {}};
  if (const std::optional<std::string> nearest = nearest_name(name, known)) {
    diagnostic.details.push_back(fmt::format("did you mean '{}'?", *nearest));
  } else if (known.size() > kKnownNamesMax) {
    diagnostic.details.push_back(fmt::format("{} names are known", known.size()));
  } else if (!known.empty()) {
    diagnostic.details.push_back("known: " + fmt::format("{}", fmt::join(known, ", ")));
  }
  return diagnostic;
}

}  // namespace netrig
