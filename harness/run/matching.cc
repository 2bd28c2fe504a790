#include "harness/run/matching.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/run/sequence_match.h"
#include "harness/scenario/masked_hex.h"

namespace netrig {

namespace {

constexpr size_t kQuotedMax = 64;       // longer values are shown as hex
constexpr size_t kDumpMax = 128;        // octets of a value that stands alone
constexpr size_t kAlternativesMax = 5;  // of any_of, in details
constexpr std::string_view kExpected = "expected  ";
constexpr std::string_view kActual = "actual    ";

// Short and readable enough to stand in quotes: UTF-8 without control characters but line ends and
// tabs.
bool is_short_text(ByteView bytes) {
  if (bytes.size() > kQuotedMax || first_invalid_utf8(bytes)) return false;
  return std::ranges::none_of(bytes, [](char c) {
    const auto octet = static_cast<uint8_t>(c);
    return (octet < 0x20 && c != '\r' && c != '\n' && c != '\t') || octet == 0x7F;
  });
}

// One value after its label, quoted or as a hex dump whose rows stand below each other.
void add_value(std::vector<std::string>& details, std::string_view label, ByteView value) {
  if (is_short_text(value)) {
    details.push_back(fmt::format("{}{}", label, format_quoted(value, kQuotedMax)));
    return;
  }
  std::string margin(label);
  for (const std::string& row : split_lines(format_hex_dump(value, kDumpMax))) {
    details.push_back(margin + row);
    margin.assign(label.size(), ' ');
  }
}

size_t equal_octets(ByteView a, ByteView b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// A caret line below two quoted values that are alike up to octet `equal`.
std::string caret_line(ByteView value, size_t equal) {
  // Not into the middle of a UTF-8 sequence: there the first half would be quoted as \x.
  while (equal > 0 && equal < value.size() && (octet_at(value, equal) & 0xC0) == 0x80) --equal;
  const std::string before = format_quoted(value.substr(0, equal), kQuotedMax);
  return std::string(kExpected.size() + display_width(before) - 1, ' ') + '^';
}

std::vector<std::string> difference_details(ByteView expected, ByteView actual) {
  if (!is_short_text(expected) || !is_short_text(actual)) {
    return split_lines(format_hex_diff(expected, actual));
  }
  std::vector<std::string> details;
  add_value(details, kExpected, expected);
  add_value(details, kActual, actual);
  details.push_back(caret_line(expected, equal_octets(expected, actual)));
  return details;
}

// "the first 12 octets are equal", where that is worth saying.
std::string equal_words(size_t equal) {
  if (equal == 0) return "they differ from the first octet on";
  if (equal == 1) return "the first octet is equal";
  return fmt::format("the first {} octets are equal", equal);
}

// Digests are compared with those of other tools: digits without spaces.
std::string plain_hex(ByteView bytes) {
  std::string text = format_hex(bytes);
  std::erase(text, ' ');
  return text;
}

Mismatch failed_rendering(const std::string& error) {
  return {error, {}};
}

struct Check {
  ByteView message;
  Variables& variables;
  uint64_t seed;
  Captures& captures;
};
using Answer = std::optional<Mismatch>;

Answer check_exact(const Payload& exact, Check& check) {
  std::expected<Bytes, std::string> expected = render(exact, check.variables, check.seed);
  if (!expected) return failed_rendering(expected.error());
  if (*expected == check.message) return std::nullopt;
  return describe_difference(*expected, check.message);
}

Answer check_length(const Number& length, Check& check) {
  std::expected<int64_t, std::string> expected = evaluate(length, check.variables);
  if (!expected) return failed_rendering(expected.error());
  if (*expected >= 0 && check.message.size() == static_cast<uint64_t>(*expected)) {
    return std::nullopt;
  }
  Mismatch mismatch{fmt::format("expected {} {}, got {}", *expected,
                                *expected == 1 ? "octet" : "octets", check.message.size()),
                    {}};
  add_value(mismatch.details, kActual, check.message);
  return mismatch;
}

Answer check_until(const Payload& until, Check& check) {
  std::expected<Bytes, std::string> end = render(until, check.variables, check.seed);
  if (!end) return failed_rendering(end.error());
  const size_t at = check.message.find(*end);
  if (at != ByteView::npos && at + end->size() == check.message.size()) return std::nullopt;
  Mismatch mismatch;
  if (at == ByteView::npos) {
    mismatch.message = fmt::format("the message does not end with {}", format_quoted(*end));
  } else {
    mismatch.message =
        fmt::format("expected the message to end with the first {}, got {} more",
                    format_quoted(*end), plural(check.message.size() - at - end->size(), "octet"));
  }
  add_value(mismatch.details, kActual, check.message);
  return mismatch;
}

Answer check_prefix(const Payload& prefix, Check& check) {
  std::expected<Bytes, std::string> expected = render(prefix, check.variables, check.seed);
  if (!expected) return failed_rendering(expected.error());
  if (check.message.starts_with(*expected)) return std::nullopt;
  const ByteView begin = check.message.substr(0, expected->size());
  return Mismatch{fmt::format("the message does not begin as expected: {}",
                              equal_words(equal_octets(*expected, begin))),
                  difference_details(*expected, begin)};
}

Answer check_contains(const Payload& contains, Check& check) {
  std::expected<Bytes, std::string> expected = render(contains, check.variables, check.seed);
  if (!expected) return failed_rendering(expected.error());
  if (check.message.find(*expected) != ByteView::npos) return std::nullopt;
  Mismatch mismatch{"the message does not contain what is expected", {}};
  add_value(mismatch.details, kExpected, *expected);
  add_value(mismatch.details, kActual, check.message);
  return mismatch;
}

// The whole of `text` must match; named groups are kept, those that took no part as empty.
bool full_match(const re2::RE2& regex, ByteView text, Captures& captures) {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece input(text.data(), text.size());
  if (!regex.Match(input, 0, input.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                   static_cast<int>(groups.size()))) {
    return false;
  }
  for (const auto& [name, number] : regex.NamedCapturingGroups()) {
    const re2::StringPiece& group = groups[static_cast<size_t>(number)];
    captures[name] = group.data() == nullptr ? Bytes() : Bytes(group.data(), group.size());
  }
  return true;
}

Mismatch no_match(std::string_view what, const Regex& regex, ByteView actual) {
  Mismatch mismatch{fmt::format("the {} does not match the regular expression", what), {}};
  mismatch.details.push_back(fmt::format("{}{}", kExpected, regex.text));
  add_value(mismatch.details, kActual, actual);
  return mismatch;
}

Answer check_line(const Regex& regex, Check& check) {
  ByteView line = check.message;
  if (line.ends_with('\n')) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
  if (line.find('\n') != ByteView::npos) {
    Mismatch mismatch{"expected one line, got more than one", {}};
    add_value(mismatch.details, kActual, check.message);
    return mismatch;
  }
  if (full_match(*regex.compiled, line, check.captures)) return std::nullopt;
  return no_match("line", regex, line);
}

Answer check_matches(const Regex& regex, Check& check) {
  if (full_match(*regex.compiled, check.message, check.captures)) return std::nullopt;
  return no_match("message", regex, check.message);
}

Answer check_any_of(const std::vector<Matcher>& alternatives, Check& check) {
  Mismatch mismatch{fmt::format("the message is none of {} alternatives", alternatives.size()), {}};
  size_t number = 0;
  for (const Matcher& alternative : alternatives) {
    Answer answer =
        match_message(alternative, check.message, check.variables, check.seed, &check.captures);
    if (!answer) return std::nullopt;
    if (++number > kAlternativesMax) continue;
    mismatch.details.push_back(fmt::format("{}. {}", number, answer->message));
    for (const std::string& line : answer->details) mismatch.details.push_back("   " + line);
  }
  if (number > kAlternativesMax) {
    mismatch.details.push_back(fmt::format("... {} more", number - kAlternativesMax));
  }
  return mismatch;
}

Answer check_none_of(const std::vector<Matcher>& matchers, Check& check) {
  for (const Matcher& matcher : matchers) {
    if (match_message(matcher, check.message, check.variables, check.seed, nullptr)) continue;
    Mismatch mismatch{"the message is what it must not be", {}};
    add_value(mismatch.details, kActual, check.message);
    return mismatch;
  }
  return std::nullopt;
}

Answer check_size(const Range<int64_t>& size, Check& check) {
  if (size.contains(static_cast<int64_t>(check.message.size()))) return std::nullopt;
  Mismatch mismatch{
      fmt::format("expected {} octets, got {}", format_range(size), check.message.size()), {}};
  add_value(mismatch.details, kActual, check.message);
  return mismatch;
}

Answer check_sha256(const Bytes& expected, Check& check) {
  const Bytes actual = checksum_of(Checksum::kSha256, check.message);
  if (actual == expected) return std::nullopt;
  Mismatch mismatch{fmt::format("the SHA-256 of {} is not the expected one",
                                plural(check.message.size(), "octet")),
                    {fmt::format("{}{}", kExpected, plain_hex(expected)),
                     fmt::format("{}{}", kActual, plain_hex(actual))}};
  add_value(mismatch.details, "octets    ", check.message);
  return mismatch;
}

// Rows of 16 octets around the first that differs in a bit that counts.
std::vector<std::string> masked_details(const MaskedOctets& masked, ByteView actual, size_t place) {
  constexpr size_t kRow = 16;
  const size_t begin = place / kRow * kRow;
  std::vector<std::string> details;
  details.push_back(fmt::format("{}{:08x}  {}", kExpected, begin,
                                format_masked_hex(ByteView(masked.octets).substr(begin, kRow),
                                                  ByteView(masked.mask).substr(begin, kRow))));
  details.push_back(
      fmt::format("{}{:08x}  {}", kActual, begin, format_hex(actual.substr(begin, kRow))));
  details.push_back(std::string(kExpected.size() + 10 + 3 * (place - begin), ' ') + "^^");
  const unsigned mask = octet_at(masked.mask, place);
  if ((mask & 0x0FU) % 0x0F != 0 || (mask >> 4) % 0x0F != 0) {  // no whole digits
    details.push_back(fmt::format("of octet {} these bits count: {:02x}", place, mask));
  }
  return details;
}

Answer check_masked(const MaskedOctets& masked, Check& check) {
  const size_t common = std::min(masked.octets.size(), check.message.size());
  size_t place = 0;
  while (place < common && ((octet_at(masked.octets, place) ^ octet_at(check.message, place)) &
                            octet_at(masked.mask, place)) == 0) {
    ++place;
  }
  if (place == masked.octets.size() && place == check.message.size()) return std::nullopt;
  Mismatch mismatch;
  if (place < common) {
    mismatch.message = fmt::format("the octets are not the expected ones: octet {} differs", place);
    mismatch.details = masked_details(masked, check.message, place);
    return mismatch;
  }
  mismatch.message = fmt::format("expected {}, got {}", plural(masked.octets.size(), "octet"),
                                 check.message.size());
  add_value(mismatch.details, kActual, check.message);
  return mismatch;
}

Answer check_sequence(const std::vector<SequencePart>& parts, Check& check) {
  SequenceMatch sequence(parts, check.variables, check.seed);
  ByteView rest = check.message;
  while (!sequence.done()) {
    const ByteView octets = rest.substr(0, sequence.part_size(rest));
    if (Answer answer = sequence.take(octets)) {
      if (octets.size() < check.message.size()) {
        add_value(answer->details, "message   ", check.message);
      }
      return answer;
    }
    rest.remove_prefix(octets.size());
  }
  if (!rest.empty()) {
    Mismatch mismatch{fmt::format("expected {} in {}, got {}: {} too many",
                                  plural(check.message.size() - rest.size(), "octet"),
                                  plural(parts.size(), "part"), check.message.size(), rest.size()),
                      {}};
    add_value(mismatch.details, "the rest  ", rest);
    return mismatch;
  }
  for (const auto& [name, value] : sequence.captures()) check.captures[name] = value;
  return std::nullopt;
}

Answer check_all(const Matcher& matcher, Check& check) {
  Answer answer;
  if (matcher.exact) answer = check_exact(*matcher.exact, check);
  if (!answer && matcher.length) answer = check_length(*matcher.length, check);
  if (!answer && matcher.until) answer = check_until(*matcher.until, check);
  if (!answer && matcher.line) answer = check_line(*matcher.line, check);
  if (!answer && matcher.masked) answer = check_masked(*matcher.masked, check);
  if (!answer && !matcher.sequence.empty()) answer = check_sequence(matcher.sequence, check);
  if (!answer && matcher.prefix) answer = check_prefix(*matcher.prefix, check);
  if (!answer && matcher.contains) answer = check_contains(*matcher.contains, check);
  if (!answer && matcher.matches) answer = check_matches(*matcher.matches, check);
  if (!answer && matcher.size) answer = check_size(*matcher.size, check);
  if (!answer && matcher.sha256) answer = check_sha256(*matcher.sha256, check);
  if (!answer && !matcher.any_of.empty()) answer = check_any_of(matcher.any_of, check);
  if (!answer && !matcher.none_of.empty()) answer = check_none_of(matcher.none_of, check);
  return answer;
}

}  // namespace

std::optional<Mismatch> match_message(const Matcher& matcher, ByteView message,
                                      Variables& variables, uint64_t seed, Captures* captures) {
  Captures found;
  Check check{message, variables, seed, found};
  Answer answer = check_all(matcher, check);
  if (!answer && captures != nullptr) {
    for (auto& [name, value] : found) (*captures)[name] = std::move(value);
  }
  return answer;
}

Mismatch describe_difference(ByteView expected, ByteView actual) {
  const size_t equal = equal_octets(expected, actual);
  Mismatch mismatch{"", difference_details(expected, actual)};
  if (is_short_text(expected) && is_short_text(actual)) {
    // The quotes are for reading; the octets below hide nothing.
    std::ranges::copy(split_lines(format_hex_diff(expected, actual)),
                      std::back_inserter(mismatch.details));
  }
  const std::string expectation = fmt::format("expected {}", plural(expected.size(), "octet"));
  if (actual.empty()) {
    mismatch.message = expectation + ", got none";
  } else if (equal == actual.size()) {
    mismatch.message = fmt::format("{}, got only the first {}", expectation, equal);
  } else if (equal == expected.size()) {
    mismatch.message =
        fmt::format("{}, got {}: {} too many", expectation, actual.size(), actual.size() - equal);
  } else {
    mismatch.message = fmt::format("the octets are not the expected ones: {}", equal_words(equal));
  }
  return mismatch;
}

}  // namespace netrig
