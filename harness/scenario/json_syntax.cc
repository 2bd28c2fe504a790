#include "harness/scenario/json_syntax.h"

#include <cctype>
#include <fmt/format.h>

namespace netrig {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool begins_value(char c) {
  return c == '"' || c == '{' || c == '[' || c == '-' || is_digit(c) || is_letter(c);
}

uint32_t columns(std::string_view text) {
  uint32_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

// ---------------------------------------------------------------- the cursor

size_t JsonCursor::comment_size() const {
  if (peek() != '/') return 0;
  if (peek(1) == '/') {
    const size_t end = text_.find('\n', offset_);
    return (end == std::string_view::npos ? text_.size() : end) - offset_;
  }
  if (peek(1) == '*') {
    const size_t end = text_.find("*/", offset_ + 2);
    return end == std::string_view::npos ? 0 : end + 2 - offset_;
  }
  return 0;
}

void JsonCursor::skip_space() {
  if (offset_ == 0 && text_.starts_with(kByteOrderMark)) advance(kByteOrderMark.size());
  while (!at_end()) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      advance(1);
    } else if (const size_t comment = comment_size(); comment > 0) {
      advance(comment);
    } else {
      return;
    }
  }
}

void JsonCursor::skip_to_token() {
  skip_space();
  while (peek() == ',' || peek() == ':') {
    advance(1);
    skip_space();
  }
}

void JsonCursor::advance_to(size_t offset) {
  for (; offset_ < offset && offset_ < text_.size(); ++offset_) {
    const auto octet = static_cast<unsigned char>(text_[offset_]);
    if (octet == '\n') {
      ++line_;
      column_ = 1;
    } else if ((octet & 0xC0) != 0x80) {  // continuation octets of UTF-8 take no column
      ++column_;
    }
  }
}

Location JsonCursor::last_place() const {
  JsonCursor last(text_);
  last.advance_to(text_.find_last_not_of(" \t\r\n") + 1);
  return last.here();
}

size_t JsonCursor::string_size() const {
  for (size_t i = 1; offset_ + i < text_.size(); ++i) {
    if (peek(i) == '\\') {
      ++i;
    } else if (peek(i) == '"') {
      return i + 1;
    } else if (peek(i) == '\n') {
      return 0;
    }
  }
  return 0;
}

size_t JsonCursor::number_size() const {
  // RFC 8259 section 6. Without a digit where one must stand, the number ends before.
  size_t size = peek() == '-' ? 1 : 0;
  auto digits = [&](size_t from) {
    size_t end = from;
    while (is_digit(peek(end))) ++end;
    if (end > from) size = end;
    return end > from;
  };
  if (peek(size) == '0') {
    ++size;
  } else {
    digits(size);
  }
  if (peek(size) == '.') digits(size + 1);
  if (peek(size) == 'e' || peek(size) == 'E') {
    const char sign = peek(size + 1);
    digits(size + (sign == '+' || sign == '-' ? 2 : 1));
  }
  return size;
}

size_t JsonCursor::word_size() const {
  size_t size = 0;
  while (is_letter(peek(size)) || is_digit(peek(size)) ||
         (peek(size) != '\0' && std::string_view(".%+-$").contains(peek(size)))) {
    ++size;
  }
  return size;
}

// ---------------------------------------------------------------- what is wrong

namespace {

using Last = JsonProgress::Last;
using Opening = JsonProgress::Opening;

// A string that the parser refused: why.
Diagnostic explain_string(const JsonCursor& start) {
  JsonCursor at = start;
  at.advance(1);
  while (!at.at_end()) {
    const char c = at.peek();
    if (c == '"') break;
    if (c == '\n' || c == '\r') {
      const uint32_t length = at.here().column - start.here().column;
      return {start.here(length), "this string has no end: '\"' is missing", {}};
    }
    if (c == '\t') return {at.here(), "a tab in a string is written \\t", {}};
    if (static_cast<unsigned char>(c) < 0x20) {
      return {at.here(),
              fmt::format("this control character is written \\u{:04x} in a string",
                          static_cast<unsigned>(c)),
              {}};
    }
    if (c != '\\') {
      at.advance(1);
      continue;
    }
    const char escape = at.peek(1);
    if (escape == 'u') {
      for (size_t i = 2; i < 6; ++i) {
        if (std::isxdigit(static_cast<unsigned char>(at.peek(i))) == 0) {
          return {at.here(static_cast<uint32_t>(i)), "\\u takes four hex digits", {}};
        }
      }
      at.advance(6);
    } else if (escape != '\0' && std::string_view("\"\\/bfnrt").contains(escape)) {
      at.advance(2);
    } else {
      return {at.here(2),
              "unknown escape in a string",
              {R"(known: \" \\ \/ \b \f \n \r \t \uXXXX; other octets: { "hex": "..." })"}};
    }
  }
  if (at.at_end()) {
    const size_t end = start.rest().find('\n');
    return {start.here(columns(start.rest().substr(0, end))),
            "this string has no end: '\"' is missing",
            {}};
  }
  return {start.here(at.here().column - start.here().column + 1),
          "half a surrogate pair: \\uD800..\\uDBFF must be followed by \\uDC00..\\uDFFF",
          {}};
}

Diagnostic explain_word(const JsonCursor& at, bool key) {
  const std::string word(at.rest().substr(0, at.word_size()));
  const Location place = at.here(static_cast<uint32_t>(word.size()));
  if (key) return {place, fmt::format("keys stand in double quotes: \"{}\"", word), {}};
  if (word == "True" || word == "TRUE" || word == "yes" || word == "on") {
    return {place, fmt::format("'{}' is written true", word), {}};
  }
  if (word == "False" || word == "FALSE" || word == "no" || word == "off") {
    return {place, fmt::format("'{}' is written false", word), {}};
  }
  if (word == "None" || word == "NULL" || word == "nil") {
    return {place, fmt::format("'{}' is written null", word), {}};
  }
  return {place, fmt::format("text stands in double quotes: \"{}\"", word), {}};
}

std::string token_name(const JsonCursor& at) {
  const char c = at.peek();
  if (c == '"') return "this string";
  if (c == '{') return "this object";
  if (c == '[') return "this list";
  if (c == '-' || is_digit(c)) return "this number";
  if (is_letter(c)) return fmt::format("'{}'", at.rest().substr(0, at.word_size()));
  return fmt::format("'{}'", c);
}

Location token_place(const JsonCursor& at) {
  size_t size = 1;
  if (at.peek() == '"') size = at.string_size();
  if (is_letter(at.peek())) size = at.word_size();
  if (at.peek() == '-' || is_digit(at.peek())) size = at.number_size();
  return at.here(std::max<uint32_t>(columns(at.rest().substr(0, size)), 1));
}

// What never begins a token, wherever it stands; no message: nothing of this kind.
Diagnostic explain_stray(const JsonCursor& at, const std::vector<Opening>& open) {
  if (at.at_end()) {
    if (open.empty()) return {{1, 1, 1}, "the file is empty; a scenario is a JSON object", {}};
    const Opening& last = open.back();
    return {at.last_place(),
            fmt::format("the file ends inside the {} that begins at {}:{}: '{}' is missing",
                        last.object ? "object" : "list", last.at.line, last.at.column,
                        last.object ? '}' : ']'),
            {}};
  }
  switch (at.peek()) {
    case '/':
      if (at.peek(1) == '*') return {at.here(2), "this comment has no end: '*/' is missing", {}};
      return {at.here(), "a comment begins with // or /*", {}};
    case '#':
      return {at.here(), "a comment begins with //", {}};
    case '\'':
    case '`':
      return {at.here(), "strings stand in double quotes", {}};
    case '=':
      return {at.here(), "between a key and its value stands ':'", {}};
    case ';':
      return {at.here(), "between values stands ','", {}};
    default:
      return {};
  }
}

// Behind a value: ',' or the end of the container is due, but not here.
Diagnostic explain_missing_comma(const JsonCursor& at, const JsonProgress& progress) {
  const Opening& in = progress.open.back();
  const char c = at.peek();
  if (progress.last == Last::kNumber && at.offset() == progress.cursor.offset()) {
    if (is_letter(c) || c == '%') {
      const std::string_view unit = at.rest().substr(0, std::max<size_t>(at.word_size(), 1));
      return {at.here(columns(unit)),
              "a number with a unit stands in double quotes, such as \"250ms\"",
              {}};
    }
    if (is_digit(c)) return {at.here(), "a number has no zero in front", {}};
  }
  if (begins_value(c)) {
    return {token_place(at), fmt::format("a comma is missing before {}", token_name(at)), {}};
  }
  if (c == '}' || c == ']') {
    return {
        at.here(),
        fmt::format("'{}' does not close the {} that begins at {}:{}: '{}' is missing", c,
                    in.object ? "object" : "list", in.at.line, in.at.column, in.object ? '}' : ']'),
        {}};
  }
  return {at.here(), fmt::format("',' or '{}' is expected here", in.object ? '}' : ']'), {}};
}

// A value, or with `key` a key, is due, but something else stands here.
Diagnostic explain_missing_value(const JsonCursor& at, bool key) {
  const char c = at.peek();
  if (c == '"') return explain_string(at);
  if (is_letter(c) || c == '$') return explain_word(at, key);
  if (key) {
    if (c == ',') return {at.here(), "a comma too many", {}};
    return {token_place(at), "a key in double quotes is expected here", {}};
  }
  if (is_digit(c) || c == '-' || c == '+' || c == '.') {
    const size_t size = std::max<size_t>(at.word_size(), 1);
    const std::string text(at.rest().substr(0, size));
    const bool complete = at.number_size() == size && is_digit(text.back());
    return {at.here(static_cast<uint32_t>(size)),
            complete ? text + " is too large a number" : "'" + text + "' is not a number",
            {}};
  }
  if (c == ',' || c == '}' || c == ']') {
    return {at.here(), fmt::format("a value is missing before '{}'", c), {}};
  }
  return {at.here(), "a value is expected here", {}};
}

}  // namespace

Diagnostic explain_syntax_error(const JsonProgress& progress) {
  JsonCursor at = progress.cursor;
  at.skip_space();
  const bool inside = !progress.open.empty();
  bool key = inside && progress.open.back().object;
  Location comma;
  if (progress.last == Last::kKey) {
    if (at.peek() != ':') {
      if (Diagnostic stray = explain_stray(at, progress.open); !stray.message.empty()) return stray;
      return {at.here(), fmt::format("':' is missing before {}", token_name(at)), {}};
    }
    at.advance(1);
    at.skip_space();
    key = false;
  } else if (progress.last == Last::kValue || progress.last == Last::kNumber) {
    if (inside && at.peek() == ',') {
      comma = at.here();
      at.advance(1);
      at.skip_space();
    } else {
      if (!inside) return {token_place(at), "the scenario has ended before this", {}};
      if (Diagnostic stray = explain_stray(at, progress.open); !stray.message.empty()) return stray;
      return explain_missing_comma(at, progress);
    }
  }
  if (Diagnostic stray = explain_stray(at, progress.open); !stray.message.empty()) return stray;
  if (comma.line > 0 && (at.peek() == '}' || at.peek() == ']')) {
    return {comma, fmt::format("a comma too many before '{}'", at.peek()), {}};
  }
  return explain_missing_value(at, key);
}

}  // namespace netrig
