#include "harness/scenario/masked_hex.h"

#include <algorithm>

namespace netrig {

std::expected<MaskedHex, std::string> parse_masked_hex(std::string_view text) {
  std::string digits(text);
  std::ranges::replace(digits, '?', '0');
  const auto octets = parse_hex(digits);
  if (!octets) return std::unexpected(octets.error());
  std::string places(text);
  constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
  for (char& c : places) {
    if (kHexDigits.find(c) != std::string_view::npos) c = 'f';
    if (c == '?') c = '0';
  }
  return MaskedHex{*octets, parse_hex(places).value()};
}

std::string format_masked_hex(ByteView octets, ByteView mask) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < octets.size(); ++i) {
    if (i > 0) text += ' ';
    for (const unsigned shift : {4U, 0U}) {
      const unsigned counts = octet_at(mask, i) >> shift & 0xFU;
      text += counts == 0 ? '?' : kDigits[octet_at(octets, i) >> shift & counts];
    }
  }
  return text;
}

}  // namespace netrig
