#pragma once
// Hex digits of which some are open: "45 00 ?? 4?". Text only; what it is compared with is not
// known here.

#include <expected>
#include <string>
#include <string_view>

#include "harness/base/bytes.h"

namespace netrig {

struct MaskedHex {
  Bytes octets;  // 0 where a digit is open
  Bytes mask;    // 1 bits where it is not; as long as `octets`
};

// As parse_hex, with `?` for any digit. The error is a sentence without a full stop.
std::expected<MaskedHex, std::string> parse_masked_hex(std::string_view text);

// Lower-case hex with `?` for digits of which no bit counts; a digit of which only some count is
// shown with the others as 0.
std::string format_masked_hex(ByteView octets, ByteView mask);

}  // namespace netrig
