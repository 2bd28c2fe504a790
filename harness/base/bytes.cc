#include "harness/base/bytes.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7F;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 4648 section 4, table 1.
int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// How a message names one character of its input.
std::string name_character(std::string_view text, size_t at) {
  if (is_printable(text[at])) return fmt::format("'{}'", text[at]);
  return fmt::format("octet 0x{:02x}", octet_at(text, at));
}

// Well-formed, but a reader would not see it, or the terminal would obey it: C1 controls,
// zero-width and bidirectional formatting characters, line separators, the byte order mark.
bool is_invisible(std::string_view sequence) {
  auto octet = [&](size_t i) { return octet_at(sequence, i); };
  if (sequence.size() == 2) return octet(0) == 0xC2 && octet(1) < 0xA0;
  if (sequence.size() != 3) return false;
  uint32_t code = (octet(0) & 0x0FU) << 12 | (octet(1) & 0x3FU) << 6 | (octet(2) & 0x3FU);
  return (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

// Octets of the well-formed UTF-8 sequence of two or more that starts at `at`, 0 if none does.
size_t multibyte_length(ByteView bytes, size_t at) {
  if (octet_at(bytes, at) < 0x80) return 0;
  for (size_t length = 2; length <= 4 && at + length <= bytes.size(); ++length) {
    if (!first_invalid_utf8(bytes.substr(at, length))) return length;
  }
  return 0;
}

void append_escaped(std::string& out, ByteView bytes, size_t at) {
  char c = bytes[at];
  bool digit_follows = at + 1 < bytes.size() && bytes[at + 1] >= '0' && bytes[at + 1] <= '9';
  if (c == '\r') {
    out += "\\r";
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\0' && !digit_follows) {  // "\01" would read as an octal escape
    out += "\\0";
  } else if (c == '\\' || c == '"') {
    out += '\\';
    out += c;
  } else if (is_printable(c)) {
    out += c;
  } else {
    out += fmt::format("\\x{:02x}", octet_at(bytes, at));
  }
}

constexpr size_t kRow = 16;
constexpr size_t kOffsetWidth = 10;  // eight digits and two spaces

size_t hex_column(size_t index_in_row) {
  return index_in_row * 3 + (index_in_row >= 8 ? 1 : 0);
}

// "00000010  68 65 6c 6c 6f ...  |hello|", as hexdump -C, without '\n'.
std::string hex_row(ByteView bytes, size_t offset) {
  ByteView row = offset < bytes.size() ? bytes.substr(offset, kRow) : ByteView();
  std::string hex(hex_column(kRow), ' ');
  std::string ascii;
  for (size_t i = 0; i < row.size(); ++i) {
    fmt::format_to(hex.begin() + static_cast<std::ptrdiff_t>(hex_column(i)), "{:02x}",
                   octet_at(row, i));
    ascii += is_printable(row[i]) ? row[i] : '.';
  }
  return fmt::format("{:08x}  {} |{}|", offset, hex, ascii);
}

bool same_row(ByteView a, ByteView b, size_t offset) {
  auto row = [&](ByteView bytes) {
    return offset < bytes.size() ? bytes.substr(offset, kRow) : ByteView();
  };
  return row(a) == row(b);
}

std::string left_out(size_t rows, std::string_view kind) {
  return rows == 0 ? "" : fmt::format("... {} left out\n", plural(rows, kind));
}

}  // namespace

std::expected<Bytes, std::string> parse_hex(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    int high = hex_value(text[at]);
    if (high < 0) return std::unexpected(name_character(text, at) + " is not a hex digit");
    int low = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
    if (low < 0 && at + 1 < text.size() && !is_space(text[at + 1])) {
      return std::unexpected(name_character(text, at + 1) + " is not a hex digit");
    }
    if (low < 0) {
      return std::unexpected(fmt::format("hex digits come in pairs, '{}' stands alone", text[at]));
    }
    bytes += static_cast<char>(high << 4 | low);
    at += 2;
  }
  return bytes;
}

std::expected<Bytes, std::string> parse_base64(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t group = 0;
  int digits = 0;
  int padding = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (is_space(text[at])) continue;
    if (text[at] == '=') {
      ++padding;
      if (digits + padding > 4 || digits < 2) {
        return std::unexpected("base64 padding '=' stands where none belongs");
      }
      continue;
    }
    int value = base64_value(text[at]);
    if (value < 0) return std::unexpected(name_character(text, at) + " is not a base64 digit");
    if (padding > 0) return std::unexpected("base64 digits follow the padding '='");
    group = group << 6 | static_cast<uint32_t>(value);
    if (++digits < 4) continue;
    for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(group >> shift & 0xFF);
    group = 0;
    digits = 0;
  }
  if (digits == 0) return bytes;
  if (digits + padding != 4) {
    return std::unexpected("base64 comes in groups of four digits, padded with '='");
  }
  // RFC 4648 section 3.5: the bits that no octet uses must be zero.
  const int unused_bits = digits == 2 ? 4 : 2;
  if ((group & ((1U << unused_bits) - 1)) != 0) {
    return std::unexpected("the last base64 digit carries bits that belong to no octet");
  }
  group >>= unused_bits;
  if (digits == 3) bytes += static_cast<char>(group >> 8 & 0xFF);
  bytes += static_cast<char>(group & 0xFF);
  return bytes;
}

std::string format_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 3);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) text += ' ';
    fmt::format_to(std::back_inserter(text), "{:02x}", octet_at(bytes, i));
  }
  return text;
}

std::string format_quoted(ByteView bytes, size_t limit) {
  std::string text = "\"";
  size_t at = 0;
  while (at < bytes.size() && at < limit) {
    size_t length = multibyte_length(bytes, at);
    if (length == 0) {
      append_escaped(text, bytes, at++);
    } else if (at + length > limit) {
      break;  // half a character would show as rubbish
    } else if (is_invisible(bytes.substr(at, length))) {
      for (size_t end = at + length; at < end; ++at) {
        fmt::format_to(std::back_inserter(text), "\\x{:02x}", octet_at(bytes, at));
      }
    } else {
      text += bytes.substr(at, length);
      at += length;
    }
  }
  text += '"';
  if (at < bytes.size()) text += fmt::format("... ({})", plural(bytes.size(), "byte"));
  return text;
}

std::string format_hex_dump(ByteView bytes, size_t limit) {
  ByteView shown = bytes.substr(0, limit);
  std::string text;
  for (size_t offset = 0; offset < shown.size(); offset += kRow)
    text += hex_row(shown, offset) + '\n';
  if (shown.size() < bytes.size()) {
    text += fmt::format("... ({} more)\n", plural(bytes.size() - shown.size(), "byte"));
  }
  return text;
}

std::string format_hex_diff(ByteView expected, ByteView actual) {
  if (expected == actual) return "";
  const size_t first = static_cast<size_t>(
      std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end()).first -
      expected.begin());
  const size_t rows = (std::max(expected.size(), actual.size()) + kRow - 1) / kRow;
  const size_t marked = first / kRow;
  const size_t begin = marked == 0 ? 0 : marked - 1;
  const size_t end = std::min(rows, marked + 3);

  constexpr std::string_view kExpected = "expected  ", kActual = "actual    ", kBoth = "both      ";
  std::string text = left_out(begin, "equal row");
  for (size_t row = begin; row < end; ++row) {
    const size_t offset = row * kRow;
    if (same_row(expected, actual, offset)) {
      text += fmt::format("{}{}\n", kBoth, hex_row(expected, offset));
      continue;
    }
    text += fmt::format("{}{}\n", kExpected, hex_row(expected, offset));
    text += fmt::format("{}{}\n", kActual, hex_row(actual, offset));
    if (row == marked) {
      text += std::string(kExpected.size() + kOffsetWidth + hex_column(first % kRow), ' ') + "^^\n";
    }
  }
  size_t equal = 0;
  for (size_t row = end; row < rows; ++row) equal += same_row(expected, actual, row * kRow) ? 1 : 0;
  text += left_out(equal, "equal row");
  text += left_out(rows - end - equal, "different row");
  return text;
}

}  // namespace netrig
