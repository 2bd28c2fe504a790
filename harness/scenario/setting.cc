#include "harness/scenario/setting.h"

#include "harness/base/quantity.h"

namespace netrig {

std::optional<Node> set_value(const Node& declared, const std::string& text) {
  Node value = declared;
  if (declared.kind == Node::Kind::kInteger) {
    Parsed<int64_t> number = parse_integer(text);
    if (!number) return std::nullopt;
    value.integer = *number;
  } else if (declared.kind == Node::Kind::kBoolean) {
    if (text != "true" && text != "false") return std::nullopt;
    value.boolean = text == "true";
  } else {
    value.string = text;
    if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return value;
    Node quoted;  // a JSON string, for who wants to write escapes
    std::vector<Diagnostic> ignored;
    if (parse_json(SourceFile("--set", text), quoted, ignored) && ignored.empty() &&
        quoted.kind == Node::Kind::kString) {
      value.string = quoted.string;
    }
  }
  return value;
}

std::string setting_of(const Node& value) {
  if (value.kind == Node::Kind::kInteger) return std::to_string(value.integer);
  if (value.kind == Node::Kind::kBoolean) return value.boolean ? "true" : "false";
  if (!value.string.starts_with('"')) return value.string;
  std::string json = print_json(value);
  while (json.ends_with('\n')) json.pop_back();
  return json;
}

}  // namespace netrig
