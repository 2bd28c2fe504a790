#pragma once
// Small text tools that messages need: UTF-8 checks, quoting, the nearest known name. No locale.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

// Offset of the first octet that is not well-formed UTF-8 (RFC 3629: no surrogates, no overlongs).
std::optional<size_t> first_invalid_utf8(std::string_view text);

// Columns that `text` takes on a terminal, counting code points; `text` is valid UTF-8.
size_t display_width(std::string_view text);

// The known name nearest to `name` (Damerau-Levenshtein, case-insensitive), if it is near enough to
// be a likely typing mistake (distance <= 1 + length / 4); the first of equals.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> known);

// "a, b or c".
std::string join_or(std::span<const std::string> names);

std::vector<std::string> split_lines(
    std::string_view text);  // without '\n'; a final '\n' opens no line

// A name made fit for a folder: lower case, runs of anything but [a-z0-9._] become one '-', none at
// either end, no leading dot, at most 80 octets; "unnamed" if nothing is left.
std::string slug(std::string_view text);

// "1 datagram", "5 datagrams", "2 retries", "0 matches".
std::string plural(uint64_t count, std::string_view noun);

}  // namespace netrig
