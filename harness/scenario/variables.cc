#include "harness/scenario/variables.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

using Segments = std::vector<Template::Segment>;

class Interpolation {
 public:
  Interpolation(const std::string& folder, std::vector<Diagnostic>& mistakes)
      : mistakes_(mistakes) {
    Node here;
    here.kind = Node::Kind::kString;
    // A folder's name is plain text, whatever characters it has.
    Segments plain;
    append_literal(plain, folder);
    here.string = print_template(plain).value();
    values_["here"] = here;
  }

  void define(const Node& vars, const std::map<std::string, std::string>& set);
  void apply(Node& node);
  bool overflowed() const { return octets_ > kInterpolatedBytesMax; }

 private:
  Node chosen_value(const Member& member, const std::map<std::string, std::string>& set);
  void apply_to_string(Node& node);
  void append_value(Segments& segments, const Node& value);
  bool spend(size_t octets, Location at);

  std::vector<Diagnostic>& mistakes_;
  std::map<std::string, Node> values_;
  size_t octets_ = 0;
};

// The value of `--set name=text` for a variable whose value in the file is `declared`.
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

bool is_scalar(const Node& node) {
  return node.kind == Node::Kind::kString || node.kind == Node::Kind::kInteger ||
         node.kind == Node::Kind::kBoolean;
}

void Interpolation::define(const Node& vars, const std::map<std::string, std::string>& set) {
  std::set<std::string> names;
  for (const Member& member : vars.members) names.insert(member.key);
  for (const Member& member : vars.members) {
    if (is_given_name(member.key)) {
      mistakes_.push_back({member.key_at,
                           fmt::format("'{}' is a variable that netrig gives", member.key),
                           {"take another name"}});
      continue;
    }
    if (!is_scalar(member.value)) continue;  // judged with the tree's shape
    Node value = chosen_value(member, set);
    if (value.kind == Node::Kind::kString) {
      // Read from top to bottom: so no value can hold itself.
      auto segments = parse_template(value.string);
      auto later = [&](const Template::Segment& segment) {
        return names.contains(segment.variable) && !values_.contains(segment.variable);
      };
      if (segments && std::any_of(segments->begin(), segments->end(), later)) {
        mistakes_.push_back(
            {member.value.at,
             fmt::format("'{}' uses a variable that is not set above it", member.key),
             {"\"vars\" is read from top to bottom"}});
        continue;
      }
      apply_to_string(value);
    }
    values_[member.key] = std::move(value);
  }
}

Node Interpolation::chosen_value(const Member& member,
                                 const std::map<std::string, std::string>& set) {
  auto found = set.find(member.key);
  if (found == set.end()) return member.value;
  if (std::optional<Node> value = set_value(member.value, found->second)) return *value;
  mistakes_.push_back({Location{},
                       fmt::format("--set {}={}: the file's value is {}", member.key, found->second,
                                   kind_name(member.value.kind)),
                       {}});
  return member.value;
}

void Interpolation::apply(Node& node) {
  if (node.kind == Node::Kind::kString) apply_to_string(node);
  for (Node& element : node.elements) apply(element);
  for (Member& member : node.members) apply(member.value);
}

void Interpolation::apply_to_string(Node& node) {
  if (node.string.find("${") == std::string::npos) return;
  auto parsed = parse_template(node.string);
  if (!parsed) {
    mistakes_.push_back({node.at, parsed.error(), {}});
    return;
  }
  if (parsed->size() == 1 && values_.contains((*parsed)[0].variable)) {
    const Node& value = values_[(*parsed)[0].variable];
    if (!spend(value.string.size(), node.at)) return;
    Location at = node.at;
    node = value;
    node.at = at;
    return;
  }
  Segments segments;
  for (const Template::Segment& segment : *parsed) {
    auto value = values_.find(segment.variable);
    if (segment.variable.empty()) {
      append_literal(segments, segment.literal);
    } else if (value == values_.end()) {
      segments.push_back(segment);
    } else {
      if (!spend(value->second.string.size() + 20, node.at)) return;
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

void Interpolation::append_value(Segments& segments, const Node& value) {
  if (value.kind == Node::Kind::kInteger)
    return append_literal(segments, std::to_string(value.integer));
  if (value.kind == Node::Kind::kBoolean) {
    return append_literal(segments, value.boolean ? "true" : "false");
  }
  auto inner = parse_template(value.string);
  if (!inner) return append_literal(segments, value.string);  // told where `vars` has it
  for (Template::Segment& segment : *inner) {
    if (segment.variable.empty()) {
      append_literal(segments, segment.literal);
    } else {
      segments.push_back(std::move(segment));
    }
  }
}

// A small file can ask for much text: a long value, named often.
bool Interpolation::spend(size_t octets, Location at) {
  if (overflowed()) return false;
  octets_ += octets;
  if (!overflowed()) return true;
  mistakes_.push_back({at,
                       fmt::format("variables would put more than {} of text into this file",
                                   format_size(kInterpolatedBytesMax)),
                       {}});
  return false;
}

}  // namespace

bool interpolate(Node& root, const std::map<std::string, std::string>& set,
                 const std::string& folder, std::vector<Diagnostic>& mistakes) {
  Interpolation interpolation(folder, mistakes);
  std::vector<std::string> names;
  if (const Member* vars = root.find("vars")) {
    interpolation.define(vars->value, set);
    for (const Member& member : vars->value.members) names.push_back(member.key);
  }
  for (const auto& [name, text] : set) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string known = names.empty() ? "this file has no \"vars\"" : "known: " + join_or(names);
    if (auto nearest = nearest_name(name, names))
      known = fmt::format("did you mean '{}'?", *nearest);
    mistakes.push_back(
        {Location{}, fmt::format("--set {}: there is no such variable", name), {known}});
  }
  for (Member& member : root.members) {
    if (member.key != "vars" && member.key != "$schema") interpolation.apply(member.value);
  }
  return !interpolation.overflowed();
}

bool is_given_name(std::string_view name) {
  return name == "i" || name == "tmp" || name == "seed" || name == "here";
}

}  // namespace netrig
