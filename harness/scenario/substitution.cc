#include "harness/scenario/substitution.h"

#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

using Segments = std::vector<Template::Segment>;

void append_value(Segments& segments, const Node& value) {
  switch (value.kind) {
    case Node::Kind::kInteger:
      return append_literal(segments, std::to_string(value.integer));
    case Node::Kind::kReal:
      return append_literal(segments, fmt::format("{}", value.real));
    case Node::Kind::kBoolean:
      return append_literal(segments, value.boolean ? "true" : "false");
    default:
      break;
  }
  auto inner = parse_template(value.string);
  if (!inner) return append_literal(segments, value.string);  // told where the value stands
  for (Template::Segment& segment : *inner) {
    if (segment.variable.empty()) {
      append_literal(segments, segment.literal);
    } else {
      segments.push_back(std::move(segment));
    }
  }
}

// As memory counts it, roughly.
size_t octets_of(const Node& node) {
  size_t octets = node.string.size() + 64;
  for (const Node& element : node.elements) octets += octets_of(element);
  for (const Member& member : node.members) octets += member.key.size() + octets_of(member.value);
  return octets;
}

}  // namespace

bool is_scalar(const Node& node) {
  return node.kind == Node::Kind::kString || node.kind == Node::Kind::kInteger ||
         node.kind == Node::Kind::kReal || node.kind == Node::Kind::kBoolean;
}

bool TextBudget::spend(size_t octets, Location at, std::vector<Diagnostic>& mistakes) {
  if (overflowed()) return false;
  octets_ += octets;
  if (!overflowed()) return true;
  mistakes.push_back({at,
                      fmt::format("variables would put more than {} of text into this file",
                                  format_size(kInterpolatedBytesMax)),
                      {}});
  return false;
}

void Substitution::set_plain(const std::string& name, std::string_view text, Location at) {
  Segments plain;
  append_literal(plain, text);
  Node node;
  node.at = at;
  node.kind = Node::Kind::kString;
  node.string = print_template(plain).value();
  set(name, std::move(node));
}

void Substitution::apply(Node& node) {
  if (node.kind == Node::Kind::kString) return apply_to_string(node);
  for (Node& element : node.elements) apply(element);
  for (Member& member : node.members) apply(member.value);
}

void Substitution::replace(Node& node, const Node& value) {
  if (!budget_.spend(octets_of(value), node.at, mistakes_)) return;
  const Location at = node.at;
  node = value;
  if (is_scalar(value)) node.at = at;
}

void Substitution::apply_to_string(Node& node) {
  if (node.string.find("${") == std::string::npos) return;
  auto parsed = parse_template(node.string);
  if (!parsed) {
    mistakes_.push_back({node.at, parsed.error(), {}});
    return;
  }
  if (parsed->size() == 1) {
    const auto lone = values_.find((*parsed)[0].variable);
    if (lone != values_.end()) return replace(node, lone->second);
  }
  Segments segments;
  for (const Template::Segment& segment : *parsed) {
    const auto value = values_.find(segment.variable);
    if (segment.variable.empty()) {
      append_literal(segments, segment.literal);
    } else if (value == values_.end()) {
      segments.push_back(segment);
    } else if (!is_scalar(value->second)) {
      mistakes_.push_back({node.at,
                           fmt::format("'{}' is {}, which cannot stand inside of text",
                                       segment.variable, kind_name(value->second.kind)),
                           {fmt::format("alone, as \"${{{}}}\", it can", segment.variable)}});
    } else {
      if (!budget_.spend(octets_of(value->second), node.at, mistakes_)) return;
      append_value(segments, value->second);
    }
  }
  auto text = print_template(segments);
  if (text) {
    node.string = *text;
  } else {
    mistakes_.push_back({node.at, text.error(), {}});
  }
}

}  // namespace netrig
