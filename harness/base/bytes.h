#pragma once
// Octet strings. A byte that is sent is an octet, not a character: the type is std::string because
// RE2, fmt and nlohmann_json all speak it, and no encoding is implied. No ownership tricks and no
// I/O here.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace netrig {

using Bytes = std::string;
using ByteView = std::string_view;

// Value 0..255 of the octet at `index`; `index` must be inside.
inline uint8_t octet_at(ByteView bytes, size_t index) {
  return static_cast<uint8_t>(bytes[index]);
}

// "00 05 68 65": pairs of hex digits, white space between pairs ignored.
// The error is a sentence without a full stop that names the offending character or the odd digit.
std::expected<Bytes, std::string> parse_hex(std::string_view text);

// RFC 4648 section 4, padding required, white space ignored. The error is a sentence.
std::expected<Bytes, std::string> parse_base64(std::string_view text);

// Lower-case hex, one space between octets.
std::string format_hex(ByteView bytes);

// The bytes as a C-like quoted string: printable ASCII and valid UTF-8 as they are, `\r \n \t \0
// \\ \"` and `\xNN` for the rest. At most `limit` input octets are shown; what was cut is said:
// `... (65536 bytes)`.
std::string format_quoted(ByteView bytes, size_t limit = 64);

// `hexdump -C` rows of 16: offset, hex, ASCII. Every row ends with '\n'. At most `limit` octets.
std::string format_hex_dump(ByteView bytes, size_t limit = 512);

// Expected above actual, row by row of 16 octets around the first difference, aligned, with the
// first differing octet marked by a caret line. Rows that are equal and far from the difference are
// left out and counted. Empty if equal.
std::string format_hex_diff(ByteView expected, ByteView actual);

}  // namespace netrig
