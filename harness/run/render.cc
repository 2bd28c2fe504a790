#include "harness/run/render.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <fmt/format.h>

#include "harness/base/chance.h"
#include "harness/base/integer_octets.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/scenario/reader.h"

namespace netrig {

namespace {

using Rendered = std::expected<Bytes, std::string>;

std::unexpected<std::string> too_large() {
  return std::unexpected(
      fmt::format("the payload is larger than {}", format_size(kScenarioPayloadMax)));
}

// A length that may be rendered: not negative, not beyond the limit.
std::expected<size_t, std::string> checked_length(const Number& length, Variables& variables) {
  std::expected<int64_t, std::string> value = evaluate(length, variables);
  if (!value) return std::unexpected(value.error());
  if (*value < 0) return std::unexpected(fmt::format("a length of {} is negative", *value));
  if (static_cast<uint64_t>(*value) > kScenarioPayloadMax) return too_large();
  return static_cast<size_t>(*value);
}

Rendered render_pattern(const PatternPayload& pattern, Variables& variables) {
  Rendered unit = render(pattern.pattern, variables);
  if (!unit) return unit;
  std::expected<size_t, std::string> length = checked_length(pattern.length, variables);
  if (!length) return std::unexpected(length.error());
  if (unit->empty() && *length > 0) {
    return std::unexpected(
        fmt::format("an empty pattern cannot be repeated to {}", plural(*length, "octet")));
  }
  Bytes bytes;
  bytes.reserve(*length);
  bytes.append(*unit, 0, *length);
  while (bytes.size() < *length) bytes.append(bytes, 0, *length - bytes.size());  // doubling
  return bytes;
}

Rendered render_random(const RandomPayload& random, Variables& variables, uint64_t seed) {
  std::expected<size_t, std::string> length = checked_length(random.length, variables);
  if (!length) return std::unexpected(length.error());
  return Chance(seed, stable_hash(random.path)).bytes(*length, 0, Purpose::kPayload);
}

// Signed and unsigned values are both taken: -1 and 255 are the same octet.
bool fits(int64_t value, unsigned octets) {
  if (octets >= 8) return true;
  const int64_t whole = int64_t{1} << (8 * octets);
  return value >= -(whole / 2) && value < whole;
}

Rendered render_integer(const IntegerPayload& integer, Variables& variables) {
  std::expected<int64_t, std::string> value = evaluate(integer.value, variables);
  if (!value) return std::unexpected(value.error());
  if (!fits(*value, integer.octets)) {
    return std::unexpected(
        fmt::format("{} does not fit into {}", *value, plural(integer.octets, "octet")));
  }
  return integer_octets(static_cast<uint64_t>(*value), integer.octets, integer.little_endian);
}

Rendered render_list(const std::vector<Payload>& parts, Variables& variables, uint64_t seed) {
  auto rendered = render_parts(parts, variables, seed);
  if (!rendered) return std::unexpected(rendered.error());
  Bytes bytes;
  for (const Bytes& part : *rendered) bytes += part;
  return bytes;
}

// A decimal number as JSON writes it.
std::expected<double, std::string> parse_real(const Bytes& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return std::unexpected(fmt::format("{} is not a number", format_quoted(text)));
}

Rendered render_real(const RealPayload& real, Variables& variables) {
  double value = 0;
  if (const auto* text = std::get_if<Template>(&real.value)) {
    const Rendered rendered = render(*text, variables);
    if (!rendered) return rendered;
    const auto parsed = parse_real(*rendered);
    if (!parsed) return std::unexpected(parsed.error());
    value = *parsed;
  } else {
    value = std::get<double>(real.value);
  }
  const uint64_t bits = real.octets == 4 ? std::bit_cast<uint32_t>(static_cast<float>(value))
                                         : std::bit_cast<uint64_t>(value);
  return integer_octets(bits, real.octets, real.little_endian);
}

// Of octets that it names; a checksum of its neighbours is render_parts' business.
Rendered render_checksum(const ChecksumPayload& checksum, Variables& variables, uint64_t seed) {
  if (checksum.of.empty()) return std::unexpected(std::string("nothing stands before a checksum"));
  const Rendered octets = render(checksum.of.front(), variables, seed);
  if (!octets) return octets;
  return checksum_of(checksum.checksum, *octets, checksum.little_endian);
}

Bytes checksum_of_parts(const ChecksumPayload& checksum, const std::vector<Bytes>& before) {
  const size_t parts = std::min(checksum.parts.value_or(before.size()), before.size());
  Bytes octets;
  for (size_t i = before.size() - parts; i < before.size(); ++i) octets += before[i];
  return checksum_of(checksum.checksum, octets, checksum.little_endian);
}

// The variable's name if the template is one variable and nothing else.
const std::string* lone_variable(const Template& text) {
  const bool lone = text.segments.size() == 1 && !text.segments[0].variable.empty();
  return lone ? &text.segments[0].variable : nullptr;
}

}  // namespace

std::expected<Value, std::string> FixedVariables::lookup(const std::string& name) {
  const auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  return std::unexpected(fmt::format("'${{{}}}' has no value", name));
}

Rendered render(const Template& text, Variables& variables) {
  Bytes bytes;
  for (const Template::Segment& segment : text.segments) {
    Bytes piece = segment.literal;
    if (!segment.variable.empty()) {
      std::expected<Value, std::string> value = variables.lookup(segment.variable);
      if (!value) return std::unexpected(value.error());
      const int64_t* integer = std::get_if<int64_t>(&*value);
      piece = integer != nullptr ? fmt::to_string(*integer) : std::get<Bytes>(*std::move(value));
    }
    if (piece.size() > kScenarioPayloadMax - bytes.size()) return too_large();
    bytes += piece;
  }
  return bytes;
}

Rendered render(const Payload& payload, Variables& variables, uint64_t seed) {
  struct Visitor {
    Variables& variables;
    uint64_t seed;
    Rendered operator()(const Template& text) const { return render(text, variables); }
    Rendered operator()(const Bytes& bytes) const { return bytes; }
    Rendered operator()(const PatternPayload& it) const { return render_pattern(it, variables); }
    Rendered operator()(const RandomPayload& it) const {
      return render_random(it, variables, seed);
    }
    Rendered operator()(const IntegerPayload& it) const { return render_integer(it, variables); }
    Rendered operator()(const RealPayload& it) const { return render_real(it, variables); }
    Rendered operator()(const ChecksumPayload& it) const {
      return render_checksum(it, variables, seed);
    }
    Rendered operator()(const std::vector<Payload>& parts) const {
      return render_list(parts, variables, seed);
    }
  };
  return std::visit(Visitor{variables, seed}, payload.form);
}

std::expected<std::vector<Bytes>, std::string> render_parts(const std::vector<Payload>& parts,
                                                            Variables& variables, uint64_t seed) {
  std::vector<Bytes> rendered;
  size_t octets = 0;
  for (const Payload& part : parts) {
    const auto* checksum = std::get_if<ChecksumPayload>(&part.form);
    const bool of_neighbours = checksum != nullptr && checksum->of.empty() && !rendered.empty();
    Rendered one = of_neighbours ? Rendered(checksum_of_parts(*checksum, rendered))
                                 : render(part, variables, seed);
    if (!one) return std::unexpected(one.error());
    if (one->size() > kScenarioPayloadMax - octets) return too_large();
    octets += one->size();
    rendered.push_back(std::move(*one));
  }
  return rendered;
}

std::expected<int64_t, std::string> evaluate(const Number& number, Variables& variables) {
  if (const int64_t* integer = std::get_if<int64_t>(&number)) return *integer;
  const Template& text = std::get<Template>(number);
  std::string shown = "the number";
  Rendered rendered;
  if (const std::string* name = lone_variable(text)) {
    std::expected<Value, std::string> value = variables.lookup(*name);
    if (!value) return std::unexpected(value.error());
    if (const int64_t* integer = std::get_if<int64_t>(&*value)) return *integer;
    shown = fmt::format("'${{{}}}'", *name);
    rendered = std::get<Bytes>(*std::move(value));
  } else {
    rendered = render(text, variables);
    if (!rendered) return std::unexpected(rendered.error());
  }
  Parsed<int64_t> parsed = parse_integer(*rendered);
  if (parsed) return *parsed;
  return std::unexpected(fmt::format("{} is {}, not an integer", shown, format_quoted(*rendered)));
}

}  // namespace netrig
