#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "harness/base/text.h"
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

std::variant<double, Template> build_real(Reading& reading, const Node& node) {
  if (node.kind == Node::Kind::kReal) return node.real;
  const Number number = build_number(reading, node);
  if (const auto* text = std::get_if<Template>(&number)) return *text;
  return static_cast<double>(std::get<int64_t>(number));
}

ChecksumPayload build_checksum(Reading& reading, const Node& node, const Node& value) {
  ChecksumPayload checksum;
  checksum.checksum = checksum_from_name(build_text(reading, value)).value_or(Checksum::kCrc32);
  const Node* order = value_of(node, "order");
  checksum.little_endian = order != nullptr && order->string == "le";
  const Node* of = value_of(node, "of");
  const Node* parts = value_of(node, "parts");
  if (order != nullptr && is_digest(checksum.checksum)) {
    reading.mistake(
        order->at, fmt::format("'{}' is a digest, whose octets have one order only", value.string));
  }
  if (of != nullptr && parts != nullptr) {
    reading.mistake(parts->at, "'of' and 'parts' exclude each other");
  }
  if (of != nullptr) {
    checksum.of.push_back(build_payload(reading, *of));
  } else if (reading.parts_before == 0) {
    reading.mistake(value.at, "nothing stands before this checksum",
                    {"in a list it is that of all elements before it; \"of\" names other octets"});
  } else if (parts != nullptr) {
    checksum.parts = static_cast<size_t>(build_integer(reading, *parts, 1, 1000));
    if (*checksum.parts > reading.parts_before) {
      reading.mistake(parts->at,
                      fmt::format("only {} before it", plural(reading.parts_before, "element")));
    }
  }
  return checksum;
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
    } else if (key == "checksum") {
      payload.form = build_checksum(reading, node, value);
    } else if (const NumberForm* form = find_number_form(key)) {
      if (form->is_real) {
        payload.form = RealPayload{form->octets, form->little_endian, build_real(reading, value)};
      } else {
        payload.form =
            IntegerPayload{form->octets, form->little_endian, build_number(reading, value)};
      }
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
  const size_t parts_before = reading.parts_before;
  if (node.kind == Node::Kind::kString) {
    payload.form = build_template(reading, node);
  } else if (node.kind == Node::Kind::kArray) {
    std::vector<Payload> parts;
    for (const Node& element : node.elements) {
      reading.parts_before = parts.size();
      parts.push_back(build_any_payload(reading, element));
    }
    payload.form = std::move(parts);
  } else {
    build_form(reading, node, payload);
  }
  reading.parts_before = parts_before;
  return payload;
}

}  // namespace

Payload build_payload(Reading& reading, const Node& node) {
  const size_t parts_before = std::exchange(reading.parts_before, 0);
  Payload payload = build_payload_part(reading, node);
  reading.parts_before = parts_before;
  return payload;
}

Payload build_payload_part(Reading& reading, const Node& node) {
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
           key == "random" || key == "lines" || key == "checksum" ||
           find_number_form(key) != nullptr;
  });
}

}  // namespace netrig
