#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/scenario/build.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

bool is_kind(Reading& reading, const Node& node, Node::Kind kind) {
  if (node.kind == kind) return true;
  reading.malformed(node.at, fmt::format("{} is expected here", kind_name(kind)));
  return false;
}

// A quantity by one of base's parsers, which all take text and answer a value or a sentence.
template <typename T>
T parsed_or_default(Reading& reading, const Node& node, Parsed<T> (*parse)(std::string_view)) {
  if (node.kind == Node::Kind::kInteger) {
    if (auto value = parse(std::to_string(node.integer))) return *value;
  }
  if (!is_kind(reading, node, Node::Kind::kString)) return {};
  Parsed<T> value = parse(node.string);
  if (value) return *value;
  reading.malformed(node.at, value.error());
  return {};
}

}  // namespace

std::string build_text(Reading& reading, const Node& node) {
  if (!is_kind(reading, node, Node::Kind::kString)) return {};
  auto segments = parse_template(node.string);
  if (!segments) {
    reading.malformed(node.at, segments.error());
    return {};
  }
  Template text{node.at, std::move(*segments)};
  if (text.is_literal()) return text.literal();
  reading.malformed(node.at, "a variable that only the run knows cannot stand here");
  return {};
}

std::vector<std::string> build_texts(Reading& reading, const Node& node) {
  std::vector<std::string> texts;
  if (node.kind != Node::Kind::kArray) return {build_text(reading, node)};
  for (const Node& element : node.elements) texts.push_back(build_text(reading, element));
  return texts;
}

Template build_template(Reading& reading, const Node& node) {
  Template text{node.at, {}};
  if (!is_kind(reading, node, Node::Kind::kString)) return text;
  auto segments = parse_template(node.string);
  if (!segments) {
    reading.malformed(node.at, segments.error());
    return text;
  }
  text.segments = std::move(*segments);
  for (const Template::Segment& segment : text.segments) {
    if (!segment.variable.empty()) reading.use_variable(node.at, segment.variable);
  }
  return text;
}

bool build_boolean(Reading& reading, const Node& node) {
  return is_kind(reading, node, Node::Kind::kBoolean) && node.boolean;
}

int64_t build_integer(Reading& reading, const Node& node, int64_t low, int64_t high) {
  if (!is_kind(reading, node, Node::Kind::kInteger)) return low;
  if (node.integer >= low && node.integer <= high) return node.integer;
  reading.malformed(node.at, fmt::format("{} is not in {}..{}", node.integer, low, high));
  return low;
}

Number build_number(Reading& reading, const Node& node) {
  if (node.kind != Node::Kind::kString) {
    return is_kind(reading, node, Node::Kind::kInteger) ? node.integer : int64_t{0};
  }
  Template text = build_template(reading, node);
  if (text.segments.size() == 1 && !text.is_literal()) return text;
  reading.malformed(node.at, "an integer or a lone \"${x}\" is expected here");
  return int64_t{0};
}

Number build_size(Reading& reading, const Node& node) {
  bool variable = node.kind == Node::Kind::kString && node.string.find("${") != std::string::npos;
  if (variable) return build_number(reading, node);
  return static_cast<int64_t>(parsed_or_default(reading, node, parse_size));
}

Duration build_duration(Reading& reading, const Node& node) {
  return parsed_or_default(reading, node, parse_duration);
}

Range<Duration> build_duration_range(Reading& reading, const Node& node) {
  return parsed_or_default(reading, node, parse_duration_range);
}

Range<int64_t> build_integer_range(Reading& reading, const Node& node) {
  return parsed_or_default(reading, node, parse_integer_range);
}

std::optional<Errno> build_errno(Reading& reading, const Node& node) {
  if (!is_kind(reading, node, Node::Kind::kString)) return std::nullopt;
  if (std::optional<Errno> error = Errno::from_name(node.string)) return error;
  reading.unknown(node.at, "error", node.string, Errno::names());
  return std::nullopt;
}

const Node* value_of(const Node& object, std::string_view key) {
  const Member* member = object.find(key);
  return member == nullptr ? nullptr : &member->value;
}

}  // namespace netrig
