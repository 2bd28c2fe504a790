#include "harness/report/escape.h"

#include <cstdint>
#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {

namespace {

std::string hex_escape(std::string_view octets) {
  std::string escaped;
  for (char octet : octets) escaped += fmt::format("\\x{:02x}", static_cast<uint8_t>(octet));
  return escaped;
}

size_t sequence_length(char first) {
  auto octet = static_cast<uint8_t>(first);
  return octet < 0x80 ? 1 : octet < 0xE0 ? 2 : octet < 0xF0 ? 3 : 4;
}

// Copies `text`, with `form(character)` for each character of well-formed UTF-8 and `\xNN` for each
// octet that belongs to none.
template <typename Form>
std::string map_characters(std::string_view text, const Form& form) {
  std::string mapped;
  mapped.reserve(text.size());
  while (!text.empty()) {
    size_t valid = first_invalid_utf8(text).value_or(text.size());
    for (size_t at = 0; at < valid;) {
      size_t length = sequence_length(text[at]);
      mapped += form(text.substr(at, length));
      at += length;
    }
    text.remove_prefix(valid);
    if (text.empty()) break;
    mapped += hex_escape(text.substr(0, 1));
    text.remove_prefix(1);
  }
  return mapped;
}

bool is_control(std::string_view character) {
  auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  // U+0080..U+009F, the C1 controls, are c2 80 .. c2 9f.
  return first == 0xC2 && static_cast<uint8_t>(character[1]) < 0xA0;
}

bool is_noncharacter(std::string_view character) {
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";  // U+FFFE, U+FFFF
}

std::string xml_character(std::string_view character, bool in_attribute) {
  if (character.size() > 1) {
    return is_noncharacter(character) ? hex_escape(character) : std::string(character);
  }
  switch (character[0]) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return in_attribute ? "&quot;" : "\"";
    case '\n':
      return in_attribute ? "&#10;" : "\n";
    case '\t':
      return in_attribute ? "&#9;" : "\t";
    // XML 1.0 section 2.11: a bare carriage return would become a line feed.
    case '\r':
      return "&#13;";
    default:
      break;
  }
  return static_cast<uint8_t>(character[0]) < 0x20 ? hex_escape(character) : std::string(character);
}

}  // namespace

std::string printable(std::string_view text) {
  return map_characters(text, [](std::string_view character) {
    bool keep = !is_control(character) || character == "\n" || character == "\t";
    return keep ? std::string(character) : hex_escape(character);
  });
}

std::string printable_line(std::string_view text) {
  return map_characters(text, [](std::string_view character) {
    return is_control(character) ? hex_escape(character) : std::string(character);
  });
}

std::string xml_text(std::string_view text) {
  return map_characters(text,
                        [](std::string_view character) { return xml_character(character, false); });
}

std::string xml_attribute(std::string_view text) {
  return map_characters(text,
                        [](std::string_view character) { return xml_character(character, true); });
}

}  // namespace netrig
