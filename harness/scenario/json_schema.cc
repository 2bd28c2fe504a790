// The format's table as JSON Schema, draft-07: for editors, which complete and explain by it, and
// for whoever writes scenarios by program. As strict as a schema can be, with one exception: every
// value that is not a list or an object may also be a string with a variable in it.
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/errno.h"
#include "harness/base/require.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/node.h"
#include "harness/scenario/reader.h"
#include "harness/sockets/socket_names.h"

namespace netrig {

namespace {

using Json = nlohmann::ordered_json;
using Kind = Form::Kind;

// ECMA 262 expressions.
constexpr const char* kName = "[A-Za-z][A-Za-z0-9_-]*";
constexpr const char* kVariableName = "[A-Za-z_][A-Za-z0-9_]*";
constexpr const char* kDecimal = "[0-9]+(\\.[0-9]+)?";
constexpr const char* kHasVariable = "\\$\\{";

Json reference(const std::string& definition) {
  return {{"$ref", "#/definitions/" + definition}};
}

Json string_like(const std::string& pattern) {
  return {{"type", "string"}, {"pattern", "^" + pattern + "$|" + kHasVariable}};
}

// "a", "a..b", "..b" or "a.."
std::string range_of(const std::string& end) {
  return fmt::format("({0}(\\.\\.({0})?)?|\\.\\.{0})", end);
}

std::string arrow(const std::string& kinds) {
  return fmt::format(" *{0} +({1}) +{0} *", kName, kinds);
}

std::string one_of(const std::vector<std::string>& words) {
  return fmt::format("({})", fmt::join(words, "|"));
}

std::string address_pattern(const std::vector<std::string>& transports) {
  std::vector<std::string> ways;
  for (const std::string& transport : transports) {
    ways.push_back(transport + (transport.starts_with("unix") ? "(:.+)?" : "(://.+)?"));
  }
  return one_of(ways);
}

Json with_bounds(Json schema, const Form& form) {
  using Limits = std::numeric_limits<int64_t>;
  if (form.low != Limits::min()) schema["minimum"] = form.low;
  if (form.high != Limits::max()) schema["maximum"] = form.high;
  return schema;
}

Json any_of(std::vector<Json> ways) {
  std::vector<Json> flat;
  for (Json& way : ways) {
    const bool nested = way.size() == 1 && way.contains("anyOf");
    for (Json& one : nested ? way["anyOf"].get<std::vector<Json>>() : std::vector<Json>{way}) {
      if (std::ranges::find(flat, one) == flat.end()) flat.push_back(one);
    }
  }
  if (flat.size() == 1) return flat.front();
  return {{"anyOf", flat}};
}

// ---------------------------------------------------------------- values

Json schema_of(const Forms& forms);

Json schema_of(const Form& form) {
  const Json variable = reference("variable");
  switch (form.kind) {
    case Kind::kText: {
      Json schema = {{"type", "string"}};
      if (form.low > 0) schema["minLength"] = form.low;
      return schema;
    }
    case Kind::kChoice:
      return any_of({{{"enum", form.choices}}, variable});
    case Kind::kName:
      return reference("name");
    case Kind::kVariableName:
      return reference("variable_name");
    case Kind::kInteger:
      return any_of({with_bounds({{"type", "integer"}}, form), variable});
    case Kind::kReal:
      return any_of({{{"type", "number"}}, variable});
    case Kind::kAny:
      return Json::object();
    case Kind::kBoolean:
      return any_of({{{"type", "boolean"}}, variable});
    case Kind::kTrue:
      return any_of({{{"const", true}}, variable});
    case Kind::kDuration:
      return reference("duration");
    case Kind::kDurationRange:
      return reference("duration_range");
    case Kind::kIntegerRange: {
      const std::string end = form.low < 0 ? "[+-]?[0-9]+" : "[+]?[0-9]+";
      return any_of({with_bounds({{"type", "integer"}}, form), string_like(range_of(end))});
    }
    case Kind::kSize:
      return reference("size");
    case Kind::kRate:
      return reference("rate");
    case Kind::kProbability:
      return reference("probability");
    case Kind::kHex:
      return reference("hex");
    case Kind::kMaskedHex:
      return reference("masked_hex");
    case Kind::kBase64:
      return reference("base64");
    case Kind::kErrno:
      return reference("errno");
    case Kind::kMessageFlag:
      return reference("message_flag");
    case Kind::kOptionName:
      return reference("socket_option");
    case Kind::kPollEvents:
      return reference("poll_events");
    case Kind::kRegex:
      return {{"type", "string"}};
    case Kind::kAddress:
      return string_like(address_pattern(form.choices));
    case Kind::kTarget:
      return reference("target");
    case Kind::kDirection:
      return reference("direction");
    case Kind::kFlow:
      return string_like(" *[^ ]+ +-> +[^ ]+ *");
    case Kind::kList: {
      Json schema = {{"type", "array"}, {"items", schema_of(form.element)}};
      if (form.low > 0) schema["minItems"] = form.low;
      if (form.high != std::numeric_limits<int64_t>::max()) schema["maxItems"] = form.high;
      return schema;
    }
    case Kind::kPart:
      return reference(format_of(form.part).name);
  }
  return {};
}

Json schema_of(const Forms& forms) {
  std::vector<Json> ways;
  for (const Form& form : forms) ways.push_back(schema_of(form));
  return any_of(std::move(ways));
}

void define_quantities(Json& definitions) {
  const std::string decimal = kDecimal;
  const std::string duration = decimal + "(ns|us|ms|s|min|h)";
  definitions["variable"] = {{"description", "text with a variable, such as \"${name}\""},
                             {"type", "string"},
                             {"pattern", kHasVariable}};
  definitions["name"] = string_like(kName);
  definitions["variable_name"] = string_like(kVariableName);
  definitions["duration"] = string_like(duration);
  definitions["duration_range"] = string_like(range_of(duration));
  definitions["size"] =
      any_of({{{"type", "integer"}, {"minimum", 0}, {"maximum", kScenarioPayloadMax}},
              string_like(decimal + "(B|kB|MB|GB|KiB|MiB|GiB)?")});
  definitions["rate"] = string_like(decimal + "(bit|kbit|mbit|gbit|tbit)");
  definitions["probability"] = string_like(decimal + "%");
  definitions["hex"] = string_like("\\s*([0-9a-fA-F]{2}\\s*)*");
  definitions["masked_hex"] = string_like("\\s*([0-9a-fA-F?]{2}\\s*)*");
  definitions["base64"] = string_like("[A-Za-z0-9+/\\s]*(=\\s*){0,2}");
  definitions["direction"] = string_like(arrow("->"));
}

void define_names(Json& definitions) {
  const Json variable = reference("variable");
  std::vector<std::string> options;
  for (const SocketOption& option : socket_options()) options.emplace_back(option.name);
  definitions["errno"] = any_of({{{"enum", Errno::names()}}, variable});
  definitions["message_flag"] = any_of({{{"enum", names_of(message_flags())}}, variable});
  definitions["socket_option"] = any_of({{{"enum", options}}, variable});
  const std::string event = " *" + one_of(names_of(poll_events())) + " *";
  definitions["poll_events"] = string_like(fmt::format("{0}(\\|{0})*", event));
  const std::string address =
      address_pattern({"tcp", "udp", "tcp6", "udp6", "unix", "unix_dgram", "unix_seqpacket"});
  definitions["target"] = string_like(fmt::format("({}|{})", kName, address));
}

// ---------------------------------------------------------------- objects

Json property(const KeyFormat& key) {
  Json schema = {{"description", key.doc}};
  if (!key.fallback.empty()) {
    schema["description"] = key.doc + fmt::format(" (without it: {})", key.fallback);
  }
  if (!key.example.empty()) schema["examples"] = Json::array({Json::parse(key.example)});
  Json value = schema_of(key.forms);
  // What stands beside a reference is not read in draft-07.
  if (value.contains("$ref")) value = {{"allOf", Json::array({value})}};
  schema.update(value);
  return schema;
}

std::string key_pattern(KeyPattern pattern) {
  switch (pattern) {
    case KeyPattern::kName:
      return fmt::format("^{}$", kName);
    case KeyPattern::kVariable:
      return fmt::format("^{}$", kVariableName);
    case KeyPattern::kLink:
      return "^" + arrow("->|<->") + "$";
    case KeyPattern::kRung:
      return "^" + arrow("->|-x") + "$";
    case KeyPattern::kText:
    case KeyPattern::kExact:
      break;
  }
  return ".";
}

std::string shared_name(const ObjectFormat& format, const std::string& key) {
  return format.name + "_with_" + key;
}

struct ObjectSchema {
  Json properties = Json::object();
  Json patterns = Json::object();
  Json required = Json::array();
  Json dependencies = Json::object();

  void add(const KeyFormat& key) {
    if (key.pattern == KeyPattern::kExact) {
      properties[key.name] = property(key);
    } else {
      patterns[key_pattern(key.pattern)] = property(key);
    }
    if (key.required) required.push_back(key.name);
    if (!key.needs.empty()) dependencies[key.name] = Json::array({key.needs});
  }

  Json schema(const std::string& description) const {
    Json schema = {{"description", description}, {"type", "object"}};
    if (!properties.empty()) schema["properties"] = properties;
    if (!patterns.empty()) schema["patternProperties"] = patterns;
    if (!required.empty()) schema["required"] = required;
    if (!dependencies.empty()) schema["dependencies"] = dependencies;
    schema["additionalProperties"] = false;
    return schema;
  }
};

// A key that the object knows by name is not any name: both rules would hold for it.
void set_names_apart(ObjectSchema& object) {
  std::vector<std::string> known;
  for (const auto& [name, schema] : object.properties.items()) known.push_back(name);
  if (known.empty()) return;
  Json patterns = Json::object();
  for (const auto& [pattern, schema] : object.patterns.items()) {
    const bool any_name = pattern.starts_with("^[");
    patterns[any_name ? fmt::format("^(?!{}$){}", one_of(known), pattern.substr(1)) : pattern] =
        schema;
  }
  object.patterns = patterns;
}

Json plain_object(const ObjectFormat& format) {
  ObjectSchema object;
  for (const KeyFormat& key : format.keys) object.add(key);
  set_names_apart(object);
  Json schema = object.schema(format.doc);
  if (format.at_least_one) schema["minProperties"] = 1;
  Json exclusions = Json::array();
  for (const std::vector<std::string>& group : format.at_most_one) {
    for (size_t i = 0; i < group.size(); ++i) {
      for (size_t j = i + 1; j < group.size(); ++j) {
        exclusions.push_back({{"not", {{"required", {group[i], group[j]}}}}});
      }
    }
  }
  if (!exclusions.empty()) schema["allOf"] = exclusions;
  return schema;
}

Json variant_object(const ObjectFormat& format, const Variant& variant) {
  ObjectSchema object;
  KeyFormat head = variant.head;
  head.required = head.pattern == KeyPattern::kExact;
  object.add(head);
  for (const KeyFormat& key : variant.keys) object.add(key);
  for (const std::string& key : variant.shared) {
    object.properties[key] = reference(shared_name(format, key));
  }
  Json schema = object.schema(variant.head.doc);
  if (variant.needs_own) schema["minProperties"] = 2;
  if (head.pattern != KeyPattern::kExact) {
    // Its name is a pattern, so it cannot be required by name: some key is none of the others.
    schema["minProperties"] = 1;
    schema["maxProperties"] = 1 + variant.keys.size();
    Json other = Json::array();
    for (const KeyFormat& key : variant.keys) other.push_back(key.name);
    schema["not"] = {{"propertyNames", {{"enum", other}}}};
  }
  if (!variant.example.empty()) schema["examples"] = Json::array({Json::parse(variant.example)});
  return schema;
}

void define_object(Json& definitions, const ObjectFormat& format) {
  if (format.variants.empty()) {
    definitions[format.name] = plain_object(format);
    return;
  }
  std::vector<std::string> ways;
  for (const Variant& variant : format.variants) {
    const bool named = variant.head.pattern == KeyPattern::kExact;
    ways.push_back(format.name + "_" + (named ? variant.head.name : "message"));
  }
  if (format.headless) ways.push_back(format.name + "_conditions");
  Json choices = Json::array();
  for (const std::string& way : ways) choices.push_back(reference(way));
  definitions[format.name] = {{"description", format.doc}, {"anyOf", choices}};
  for (size_t i = 0; i < format.variants.size(); ++i) {
    definitions[ways[i]] = variant_object(format, format.variants[i]);
  }
  if (format.headless) definitions[ways.back()] = plain_object(format);
  for (const KeyFormat& key : format.keys) {
    const bool shared = std::ranges::any_of(format.variants, [&](const Variant& variant) {
      return std::ranges::find(variant.shared, key.name) != variant.shared.end();
    });
    if (shared) definitions[shared_name(format, key.name)] = property(key);
  }
}

}  // namespace

std::string scenario_json_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "netrig scenario, format 1"}};
  Json definitions = Json::object();
  define_quantities(definitions);
  define_names(definitions);
  for (const ObjectFormat& format : format_table()) {
    if (format.part == Part::kFile) {
      schema.update(plain_object(format));
    } else {
      define_object(definitions, format);
    }
  }
  schema["definitions"] = definitions;

  Node tree;
  std::vector<Diagnostic> mistakes;
  NETRIG_REQUIRE(parse_json(SourceFile("schema", schema.dump()), tree, mistakes));
  return print_json(tree);
}

}  // namespace netrig
