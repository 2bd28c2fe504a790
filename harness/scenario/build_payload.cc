#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/payload_file.h"
#include "harness/scenario/reader.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

Bytes build_decoded(Reading& reading, const Node& node,
                    std::expected<Bytes, std::string> (*decode)(std::string_view)) {
  auto bytes = decode(build_text(reading, node));
  if (bytes) return *bytes;
  reading.malformed(node.at, bytes.error());
  return {};
}

Bytes build_file(Reading& reading, const Node& node, const Node* range_node) {
  Range<int64_t> range{0, std::numeric_limits<int64_t>::max()};
  if (range_node != nullptr) range = build_integer_range(reading, *range_node);
  range.low = std::max<int64_t>(range.low, 0);
  const std::string path = build_text(reading, node);
  if (path.empty()) return {};  // told by the table's check
  auto bytes = read_payload_file(reading.folder(), path, range, reading.file_octets_left);
  if (bytes) {
    reading.file_octets_left -= bytes->size();
    return *bytes;
  }
  reading.mistake(node.at, fmt::format("the file '{}': {}", path, bytes.error()),
                  {"payload files are relative to the scenario's folder"});
  return {};
}

Template build_lines(Reading& reading, const Node& node) {
  Template text{node.at, {}};
  if (node.kind != Node::Kind::kArray)
    reading.malformed(node.at, "a list of lines is expected here");
  for (const Node& line : node.elements) {
    for (Template::Segment& segment : build_template(reading, line).segments) {
      if (segment.variable.empty()) {
        append_literal(text.segments, segment.literal);
      } else {
        text.segments.push_back(std::move(segment));
      }
    }
    append_literal(text.segments, "\r\n");
  }
  return text;
}

RandomPayload build_random(Reading& reading, const Node& node, const Node* like) {
  RandomPayload random{build_size(reading, node), reading.step_path};
  if (like != nullptr) {
    random.path = build_text(reading, *like);
    reading.use_step(like->at, random.path);
  } else if (reading.receiving) {
    reading.mistake(node.at, "random octets that are expected need 'like'",
                    {"\"like\": \"client.2\" names the step that made them"});
  }
  return random;
}

void build_form(Reading& reading, const Node& node, Payload& payload) {
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "hex") {
      payload.form = build_decoded(reading, value, parse_hex);
    } else if (key == "base64") {
      payload.form = build_decoded(reading, value, parse_base64);
    } else if (key == "file") {
      payload.form = build_file(reading, value, value_of(node, "range"));
    } else if (key == "lines") {
      payload.form = build_lines(reading, value);
    } else if (key == "random") {
      payload.form = build_random(reading, value, value_of(node, "like"));
    } else if (key == "pattern") {
      PatternPayload pattern{build_template(reading, value), int64_t{0}};
      if (const Node* length = value_of(node, "length"))
        pattern.length = build_size(reading, *length);
      if (pattern.pattern.segments.empty()) reading.mistake(value.at, "the pattern is empty");
      payload.form = std::move(pattern);
    } else if (const IntegerForm* form = find_integer_form(key)) {
      payload.form =
          IntegerPayload{form->octets, form->little_endian, build_number(reading, value)};
    } else {
      continue;
    }
    return;
  }
  reading.malformed(node.at, "a payload is expected here");
}

// As far as it is known before the run.
uint64_t known_size(const Payload& payload) {
  auto literal = [](const Number& number) {
    const int64_t* value = std::get_if<int64_t>(&number);
    return value == nullptr ? uint64_t{0} : static_cast<uint64_t>(std::max<int64_t>(*value, 0));
  };
  if (const auto* bytes = std::get_if<Bytes>(&payload.form)) return bytes->size();
  if (const auto* pattern = std::get_if<PatternPayload>(&payload.form))
    return literal(pattern->length);
  if (const auto* random = std::get_if<RandomPayload>(&payload.form))
    return literal(random->length);
  uint64_t size = 0;
  if (const auto* list = std::get_if<std::vector<Payload>>(&payload.form)) {
    for (const Payload& part : *list) {
      size = std::min<uint64_t>(size + known_size(part), kScenarioPayloadMax + 1);
    }
  }
  return size;
}

Payload build_any_payload(Reading& reading, const Node& node) {
  Payload payload;
  payload.at = node.at;
  if (node.kind == Node::Kind::kString) {
    payload.form = build_template(reading, node);
  } else if (node.kind == Node::Kind::kArray) {
    std::vector<Payload> parts;
    for (const Node& element : node.elements) parts.push_back(build_any_payload(reading, element));
    payload.form = std::move(parts);
  } else {
    build_form(reading, node, payload);
  }
  return payload;
}

}  // namespace

Payload build_payload(Reading& reading, const Node& node) {
  Payload payload = build_any_payload(reading, node);
  if (known_size(payload) > kScenarioPayloadMax) {
    reading.mistake(node.at, fmt::format("a payload of more than {} octets", kScenarioPayloadMax));
  }
  return payload;
}

bool is_payload_object(const Node& node) {
  return std::any_of(node.members.begin(), node.members.end(), [](const Member& member) {
    const std::string& key = member.key;
    return key == "hex" || key == "base64" || key == "file" || key == "pattern" ||
           key == "random" || key == "lines" || find_integer_form(key) != nullptr;
  });
}

}  // namespace netrig
