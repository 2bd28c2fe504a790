#include <fmt/format.h>
#include <re2/re2.h>

#include "harness/scenario/build.h"

namespace netrig {

namespace {

constexpr int64_t kRegexMemoryMax = int64_t{8}
                                    << 20;  // of one compiled expression, its caches included

Regex build_regex(Reading& reading, const Node& node) {
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
  for (const auto& [name, number] : compiled->NamedCapturingGroups()) {
    reading.define_variable(node.at, name);
  }
  regex.compiled = std::move(compiled);
  return regex;
}

void build_condition(Reading& reading, const Member& member, Matcher& matcher) {
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
  } else if (key == "any") {
    matcher.any = build_boolean(reading, value);
  } else if (key == "any_of" && value.kind == Node::Kind::kArray) {
    for (const Node& element : value.elements) {
      matcher.any_of.push_back(build_matcher(reading, element));
    }
  } else {
    reading.malformed(key_at, fmt::format("'{}' is no condition", key));
  }
}

}  // namespace

Matcher build_matcher(Reading& reading, const Node& node) {
  Matcher matcher;
  matcher.at = node.at;
  const bool was_receiving = reading.receiving;
  reading.receiving = true;
  if (node.kind == Node::Kind::kBoolean) {  // "collect": true
    matcher.any = true;
  } else if (node.kind != Node::Kind::kObject || is_payload_object(node)) {
    matcher.exact = build_payload(reading, node);
  } else {
    for (const Member& member : node.members) build_condition(reading, member, matcher);
  }
  reading.receiving = was_receiving;
  return matcher;
}

}  // namespace netrig
