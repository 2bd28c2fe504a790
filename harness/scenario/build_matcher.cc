#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>
#include <utility>

#include "harness/base/text.h"
#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/masked_hex.h"

namespace netrig {

constexpr int64_t kRegexMemoryMax = int64_t{8}
                                    << 20;  // of one compiled expression, its caches included

Regex build_pattern(Reading& reading, const Node& node) {
  Regex regex{node.at, build_text(reading, node), nullptr};
  // What crosses the network are octets, not characters: '.' is one octet, whatever its value.
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  auto compiled = std::make_shared<const re2::RE2>(regex.text, options);
  if (!compiled->ok()) {
    reading.mistake(node.at, fmt::format("this pattern does not compile: {}", compiled->error()),
                    {"patterns are RE2's: github.com/google/re2/wiki/Syntax"});
    return regex;
  }
  regex.compiled = std::move(compiled);
  return regex;
}

namespace {

Regex build_regex(Reading& reading, const Node& node) {
  Regex regex = build_pattern(reading, node);
  if (regex.compiled == nullptr) return regex;
  for (const auto& [name, number] : regex.compiled->NamedCapturingGroups()) {
    reading.define_variable(node.at, name);
  }
  return regex;
}

Bytes build_digest(Reading& reading, const Node& node) {
  auto bytes = parse_hex(build_text(reading, node));
  if (!bytes) {
    reading.malformed(node.at, bytes.error());
    return {};
  }
  if (bytes->size() != checksum_octets(Checksum::kSha256)) {
    reading.mistake(node.at, fmt::format("a SHA-256 has 32 octets, this has {}", bytes->size()));
  }
  return *bytes;
}

// What must not come keeps nothing.
Matcher build_negated(Reading& reading, const Node& node) {
  const size_t kept = reading.kept.size();
  Matcher matcher = build_matcher(reading, node);
  if (reading.kept.size() > kept) {
    reading.mistake(node.at, "nothing can be kept of what must not come",
                    {fmt::format("'{}' would never have a value", reading.kept.back())});
  }
  return matcher;
}

bool build_condition(Reading& reading, const Member& member, Matcher& matcher) {
  const auto& [key, key_at, value] = member;
  if (key == "length") {
    matcher.length = build_size(reading, value);
  } else if (key == "until") {
    matcher.until = build_payload(reading, value);
  } else if (key == "line") {
    matcher.line = build_regex(reading, value);
  } else if (key == "prefix") {
    matcher.prefix = build_payload(reading, value);
  } else if (key == "contains") {
    matcher.contains = build_payload(reading, value);
  } else if (key == "matches") {
    matcher.matches = build_regex(reading, value);
  } else if (key == "size") {
    matcher.size = build_integer_range(reading, value);
  } else if (key == "sha256") {
    matcher.sha256 = build_digest(reading, value);
  } else if (key == "not") {
    matcher.none_of.push_back(build_negated(reading, value));
  } else if (key == "any") {
    matcher.any = build_boolean(reading, value);
  } else {
    return false;
  }
  return true;
}

bool has_open_digits(const Node& node) {
  const Node* hex = value_of(node, "hex");
  if (hex == nullptr) return false;
  return node.find("mask") != nullptr || hex->string.find('?') != std::string::npos;
}

MaskedOctets build_masked(Reading& reading, const Node& node) {
  const Node& hex = *value_of(node, "hex");
  MaskedOctets masked{hex.at, {}, {}};
  if (auto parsed = parse_masked_hex(build_text(reading, hex))) {
    masked.octets = std::move(parsed->octets);
    masked.mask = std::move(parsed->mask);
  } else {
    reading.malformed(hex.at, parsed.error());
  }
  const Node* mask = value_of(node, "mask");
  if (mask == nullptr) return masked;
  const auto bits = parse_hex(build_text(reading, *mask));
  if (!bits) {
    reading.malformed(mask->at, bits.error());
  } else if (bits->size() != masked.octets.size()) {
    reading.mistake(mask->at, fmt::format("the mask has {}, the value {}",
                                          plural(bits->size(), "octet"), masked.octets.size()));
  } else {
    for (size_t i = 0; i < bits->size(); ++i) masked.mask[i] &= (*bits)[i];
  }
  return masked;
}

bool is_exact(const Node& node) {
  if (node.kind != Node::Kind::kObject) return true;
  return is_payload_object(node) && !has_open_digits(node) && node.find("save") == nullptr;
}

// Without it nobody knows where the part ends and the next begins.
bool tells_its_end(const Matcher& matcher) {
  return matcher.exact || matcher.length || matcher.until || matcher.line || matcher.masked ||
         !matcher.any_of.empty();
}

std::vector<SequencePart> build_sequence(Reading& reading, const Node& node) {
  std::vector<SequencePart> parts;
  for (const Node& element : node.elements) {
    reading.parts_before = parts.size();
    SequencePart part{build_matcher(reading, element), {}};
    const Node* save = value_of(element, "save");
    if (save != nullptr) part.save = build_save(reading, *save);
    parts.push_back(std::move(part));
    if (parts.size() < node.elements.size() && !tells_its_end(parts.back().matcher)) {
      reading.mistake(element.at, "only the last part may leave open where it ends",
                      {"'length', 'until', 'line' and exact octets tell it"});
    }
  }
  reading.parts_before = 0;
  return parts;
}

// Conditions in one object. What is nested in them is no element of the list around it.
void build_conditions(Reading& reading, const Node& node, Matcher& matcher) {
  const size_t parts_before = std::exchange(reading.parts_before, 0);
  for (const Member& member : node.members) {
    if (build_condition(reading, member, matcher) || member.key == "save") continue;
    if (member.key != "any_of" || member.value.kind != Node::Kind::kArray) {
      reading.malformed(member.key_at, fmt::format("'{}' is no condition", member.key));
      continue;
    }
    for (const Node& element : member.value.elements) {
      matcher.any_of.push_back(build_matcher(reading, element));
    }
  }
  reading.parts_before = parts_before;
}

}  // namespace

Matcher build_matcher(Reading& reading, const Node& node) {
  Matcher matcher;
  matcher.at = node.at;
  const bool was_receiving = reading.receiving;
  reading.receiving = true;
  const bool list = node.kind == Node::Kind::kArray;
  if (node.kind == Node::Kind::kBoolean) {  // "collect": true
    matcher.any = true;
  } else if (list && !std::ranges::all_of(node.elements, is_exact)) {
    matcher.sequence = build_sequence(reading, node);
  } else if (has_open_digits(node)) {
    matcher.masked = build_masked(reading, node);
  } else if (node.kind != Node::Kind::kObject || is_payload_object(node)) {
    matcher.exact = build_payload_part(reading, node);
  } else {
    build_conditions(reading, node, matcher);
  }
  reading.receiving = was_receiving;
  return matcher;
}

Save build_save(Reading& reading, const Node& node) {
  Save save;
  if (node.kind != Node::Kind::kObject) {
    save.name = build_text(reading, node);
    reading.define_variable(node.at, save.name);
    return save;
  }
  for (const auto& [key, key_at, value] : node.members) {
    reading.define_variable(key_at, key);
    const NumberForm* form = find_number_form(build_text(reading, value));
    if (form == nullptr) {
      reading.malformed(value.at, "an integer's form is expected here");
      continue;
    }
    save.integers.push_back(
        {key, form->octets, form->little_endian, form->is_signed, form->is_real});
  }
  return save;
}

}  // namespace netrig
