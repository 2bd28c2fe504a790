#include "harness/scenario/template_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace netrig {

namespace {

// `size`, `server.port`, `web-1.address`.
bool is_variable_path(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), inner);
}

}  // namespace

std::expected<std::vector<Template::Segment>, std::string> parse_template(std::string_view text) {
  std::vector<Template::Segment> segments;
  size_t done = 0;
  while (done < text.size()) {
    size_t open = text.find("${", done);
    if (open == std::string_view::npos) break;
    if (open > done && text[open - 1] == '$') {
      append_literal(segments, text.substr(done, open - 1 - done));
      append_literal(segments, "${");
      done = open + 2;
      continue;
    }
    append_literal(segments, text.substr(done, open - done));
    size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return std::unexpected("'${' is never closed (for the text '${' write '$${')");
    }
    std::string_view name = text.substr(open + 2, close - open - 2);
    if (!is_variable_path(name)) {
      return std::unexpected(fmt::format(
          "'${{{}}}' names no variable (for the text '${{' write '$${{')", name.substr(0, 40)));
    }
    segments.push_back({.literal = {}, .variable = std::string(name)});
    done = close + 1;
  }
  append_literal(segments, text.substr(done));
  return segments;
}

std::expected<std::string, std::string> print_template(
    const std::vector<Template::Segment>& segments) {
  std::string text;
  bool after_dollar = false;
  for (const Template::Segment& segment : segments) {
    if (!segment.variable.empty()) {
      if (after_dollar) {
        return std::unexpected(fmt::format(
            "a '$' right before '${{{}}}' cannot be told from '$${{'", segment.variable));
      }
      text += "${" + segment.variable + "}";
      after_dollar = false;
      continue;
    }
    for (size_t i = 0; i < segment.literal.size(); ++i) {
      // "$$${": the text form of '$' and "${" reads back as itself only because the escape is
      // looked for from the brace backwards.
      if (segment.literal[i] == '$' && segment.literal.substr(i, 2) == "${") text += '$';
      text += segment.literal[i];
    }
    after_dollar = segment.literal.ends_with('$');
  }
  return text;
}

void append_literal(std::vector<Template::Segment>& segments, std::string_view text) {
  if (text.empty()) return;
  if (!segments.empty() && segments.back().variable.empty()) {
    segments.back().literal += text;
  } else {
    segments.push_back({.literal = std::string(text), .variable = {}});
  }
}

}  // namespace netrig
