#include "harness/scenario/validate.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <span>
#include <tuple>

#include "harness/base/text.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/scalar_check.h"

namespace netrig {

namespace {

class Validator {
 public:
  Validator(std::vector<Diagnostic>& mistakes, FileKind file_kind)
      : mistakes_(mistakes), told_before_(mistakes.size()), file_kind_(file_kind) {}

  void root(const Node& root);
  void parts(const Node& parts);

 private:
  void object(const Node& node, const ObjectFormat& format);
  void plain_object(const Node& node, const ObjectFormat& format);
  void headed_object(const Node& node, const ObjectFormat& format);
  void variant_object(const Node& node, const ObjectFormat& format, const Variant& variant,
                      const Member& head);
  void no_head(const Node& node, const ObjectFormat& format);

  void value(const Node& node, const Forms& forms, const std::string& subject);
  void list(const Node& node, const Form& form, const std::string& subject);
  void wrong_kind(const Node& node, const Forms& forms, const std::string& subject);

  void unknown_key(const Member& member, const ObjectFormat& format);
  bool required(const ObjectFormat& format, const KeyFormat& key) const;

  // Inside of a part: names of its parameters may stand anywhere.
  bool is_open(const Node& node) const {
    return in_parts_ && node.kind == Node::Kind::kString && first_variable(node.string);
  }

  bool full() const { return mistakes_.size() >= kDiagnosticsMax; }
  void complain(Location at, std::string message, std::vector<std::string> details = {}) {
    complain({at, std::move(message), std::move(details)});
  }
  // What parsing told of a place is not told again in other words.
  void complain(Diagnostic mistake) {
    const auto told = std::span(mistakes_).first(told_before_);
    if (!full() && std::ranges::find(told, mistake.at, &Diagnostic::at) == told.end()) {
      mistakes_.push_back(std::move(mistake));
    }
  }

  std::vector<Diagnostic>& mistakes_;
  size_t told_before_;
  FileKind file_kind_;
  bool in_parts_ = false;
  std::vector<std::string> load_time_names_ = {"here"};
};

std::string quoted(std::string_view key) {
  return fmt::format("'{}'", key);
}

std::vector<std::string> heads_of(const ObjectFormat& format) {
  std::vector<std::string> names;
  for (const Variant& variant : format.variants) names.push_back(variant.head.name);
  return names;
}

std::vector<std::string> names_of_keys(const std::vector<KeyFormat>& keys) {
  std::vector<std::string> names;
  for (const KeyFormat& key : keys) names.push_back(key.name);
  return names;
}

// The key as this variant takes it: its own, or one that all share.
const KeyFormat* key_of_variant(const ObjectFormat& format, const Variant& variant,
                                std::string_view name) {
  if (const KeyFormat* own = find_key(variant.keys, name)) return own;
  if (std::ranges::find(variant.shared, name) == variant.shared.end()) return nullptr;
  return find_key(format.keys, name);
}

std::vector<std::string> heads_that_take(const ObjectFormat& format, std::string_view name) {
  std::vector<std::string> heads;
  for (const Variant& variant : format.variants) {
    if (key_of_variant(format, variant, name) != nullptr) heads.push_back(variant.head.name);
  }
  return heads;
}

void Validator::root(const Node& root) {
  if (root.kind != Node::Kind::kObject) {
    complain(root.at, fmt::format("a scenario is an object, not {}", kind_name(root.kind)));
    return;
  }
  for (const char* key : {"vars", "matrix"}) {
    const Member* variables = root.find(key);
    if (variables == nullptr) continue;
    for (const Member& variable : variables->value.members) {
      load_time_names_.push_back(variable.key);
    }
  }
  if (const Member* env = root.find("env")) {
    for (const Member& variable : env->value.members) {
      load_time_names_.push_back("env." + variable.key);
    }
  }
  object(root, format_of(Part::kFile));
}

void Validator::parts(const Node& parts) {
  value(parts, {Form{.kind = Form::Kind::kPart, .part = Part::kParts}}, quoted("parts"));
}

void Validator::object(const Node& node, const ObjectFormat& format) {
  if (format.part == Part::kParts && !in_parts_) {
    in_parts_ = true;
    object(node, format);
    in_parts_ = false;
    return;
  }
  if (format.variants.empty()) {
    plain_object(node, format);
  } else {
    headed_object(node, format);
  }
}

bool Validator::required(const ObjectFormat& format, const KeyFormat& key) const {
  if (format.part == Part::kFile && file_kind_ == FileKind::kExpectations) {
    return key.name == "expect";
  }
  if (format.part == Part::kFile && file_kind_ == FileKind::kParts) return key.name == "parts";
  return key.required;
}

void Validator::plain_object(const Node& node, const ObjectFormat& format) {
  for (const Member& member : node.members) {
    if (full()) return;
    const KeyFormat* key = find_key(format.keys, member.key);
    if (key == nullptr) {
      unknown_key(member, format);
      continue;
    }
    if (!key->needs.empty() && node.find(key->needs) == nullptr) {
      complain(member.key_at, fmt::format("'{}' goes only with '{}'", key->name, key->needs));
    }
    value(member.value, key->forms, quoted(member.key));
  }
  for (const KeyFormat& key : format.keys) {
    if (required(format, key) && node.find(key.name) == nullptr) {
      complain(node.at, fmt::format("'{}' is missing in {}", key.name, format.title));
    }
  }
  for (const std::vector<std::string>& group : format.at_most_one) {
    const Member* first = nullptr;
    for (const Member& member : node.members) {
      if (std::ranges::find(group, member.key) == group.end()) continue;
      if (first != nullptr) {
        complain(member.key_at,
                 fmt::format("'{}' and '{}' exclude each other", first->key, member.key));
      }
      first = first == nullptr ? &member : first;
    }
  }
  if (format.at_least_one && node.members.empty()) {
    complain(node.at, fmt::format("{} cannot be empty", format.title));
  }
}

void Validator::headed_object(const Node& node, const ObjectFormat& format) {
  const Member* head = nullptr;
  const Variant* variant = nullptr;
  for (const Member& member : node.members) {
    const Variant* candidate = find_variant(format, member.key);
    if (candidate == nullptr) continue;
    if (head != nullptr) {
      complain(member.key_at, fmt::format("{} has one {}: '{}' and '{}' are two", format.title,
                                          format.head_word, head->key, member.key));
      continue;
    }
    head = &member;
    variant = candidate;
  }
  if (head != nullptr) {
    variant_object(node, format, *variant, *head);
  } else if (format.headless) {
    plain_object(node, format);
  } else {
    no_head(node, format);
  }
}

void Validator::variant_object(const Node& node, const ObjectFormat& format, const Variant& variant,
                               const Member& head) {
  for (const Member& member : node.members) {
    if (full()) return;
    if (&member == &head) {
      value(member.value, variant.head.forms, quoted(member.key));
    } else if (const KeyFormat* key = key_of_variant(format, variant, member.key)) {
      value(member.value, key->forms, quoted(member.key));
    } else if (find_variant(format, member.key) == nullptr) {  // a second head was told before
      const std::vector<std::string> heads = heads_that_take(format, member.key);
      if (!heads.empty() || find_key(format.keys, member.key) != nullptr) {
        std::vector<std::string> details;
        if (!heads.empty()) details.push_back("it goes with " + join_or(heads));
        complain(member.key_at, fmt::format("'{}' does not go with '{}'", member.key, head.key),
                 details);
        continue;
      }
      std::vector<std::string> known = names_of_keys(variant.keys);
      known.insert(known.end(), variant.shared.begin(), variant.shared.end());
      if (known.empty()) {
        complain(member.key_at,
                 fmt::format("unknown key '{}': '{}' stands alone", member.key, head.key));
      } else {
        complain(unknown_name(member.key_at, "key", member.key, known));
      }
    }
  }
  for (const KeyFormat& key : variant.keys) {
    if (key.required && node.find(key.name) == nullptr) {
      complain(head.key_at, fmt::format("'{}' is missing beside '{}'", key.name, head.key));
    }
  }
  if (variant.needs_own && node.members.size() == 1) {
    complain(head.key_at, fmt::format("'{}' says nothing without {}", head.key,
                                      join_or(names_of_keys(variant.keys))));
  }
}

void Validator::no_head(const Node& node, const ObjectFormat& format) {
  for (const Member& member : node.members) {
    if (find_key(format.keys, member.key) != nullptr ||
        !heads_that_take(format, member.key).empty()) {
      continue;
    }
    if (full()) return;
    if (format.part == Part::kRung) {
      complain(member.key_at, fmt::format("'{}' is no rung such as \"client -> server\" or "
                                          "\"client -x server\"",
                                          member.key));
    } else {
      complain(unknown_name(member.key_at, format.head_word, member.key, heads_of(format)));
    }
    return;
  }
  complain(node.at, fmt::format("{} without a {}", format.title, format.head_word),
           {"known: " + fmt::format("{}", fmt::join(heads_of(format), ", "))});
}

void Validator::unknown_key(const Member& member, const ObjectFormat& format) {
  if (full()) return;
  std::vector<std::string> exact = heads_of(format);
  for (const KeyFormat& key : format.keys) {
    if (key.pattern == KeyPattern::kExact) exact.push_back(key.name);
  }
  const auto pattern = std::ranges::find_if(
      format.keys, [](const KeyFormat& key) { return key.pattern != KeyPattern::kExact; });
  if (pattern == format.keys.end() || nearest_name(member.key, exact)) {
    complain(unknown_name(member.key_at, "key", member.key, exact));
    return;
  }
  switch (pattern->pattern) {
    case KeyPattern::kLink:
      complain(member.key_at,
               fmt::format("'{}' is no direction such as \"client -> server\" or "
                           "\"client <-> server\"",
                           member.key),
               {"known beside directions: " + join_or(exact)});
      break;
    case KeyPattern::kVariable:
      complain(member.key_at,
               fmt::format("'{}' is not a variable's name: letters, digits and '_', no digit first",
                           member.key));
      break;
    case KeyPattern::kText:
      complain(member.key_at, "a name is empty");
      break;
    default:
      complain(member.key_at,
               fmt::format("'{}' is not a name: letters, digits, '_' and '-', a letter first",
                           member.key));
  }
}

// ---------------------------------------------------------------- values

void Validator::value(const Node& node, const Forms& forms, const std::string& subject) {
  if (is_open(node)) return;
  std::vector<Diagnostic> answers;
  for (const Form& form : forms) {
    if (!takes_kind(form, node)) continue;
    if (form.kind == Form::Kind::kPart) return object(node, format_of(form.part));
    if (form.kind == Form::Kind::kList) return list(node, form, subject);
    std::optional<Diagnostic> answer = check_scalar(form, node, subject, load_time_names_);
    if (!answer) return;
    answers.push_back(std::move(*answer));
  }
  if (answers.empty()) return wrong_kind(node, forms, subject);
  // Where text may be a quantity or a word, a word is meant if a letter stands first.
  const bool word =
      !node.string.empty() && std::isalpha(static_cast<unsigned char>(node.string[0]));
  complain(word ? std::move(answers.back()) : std::move(answers.front()));
}

void Validator::list(const Node& node, const Form& form, const std::string& subject) {
  const auto size = static_cast<int64_t>(node.elements.size());
  if (size < form.low || size > form.high) {
    if (form.low == form.high) {
      complain(node.at, fmt::format("{} must have {}, not {}", subject,
                                    plural(static_cast<uint64_t>(form.low), "element"), size));
    } else {
      complain(node.at, fmt::format("{} is an empty list", subject));
    }
  }
  const std::string element =
      subject.starts_with("an element") ? subject : "an element of " + subject;
  for (const Node& child : node.elements) {
    if (full()) return;
    value(child, form.element, element);
  }
}

void Validator::wrong_kind(const Node& node, const Forms& forms, const std::string& subject) {
  std::vector<std::string> details;
  const Form::Kind first = forms.front().kind;
  const bool duration = first == Form::Kind::kDuration || first == Form::Kind::kDurationRange;
  if (duration && node.kind == Node::Kind::kInteger && node.integer >= 0) {
    details.push_back(fmt::format("with a unit: \"{}ms\" or \"{}s\"", node.integer, node.integer));
  }
  if (first == Form::Kind::kProbability && node.kind == Node::Kind::kReal && node.real >= 0 &&
      node.real <= 1) {
    details.push_back(fmt::format("in percent: \"{:.6g}%\"", node.real * 100));
  }
  complain(node.at,
           fmt::format("{} must be {}, not {}", subject, describe(forms), kind_name(node.kind)),
           std::move(details));
}

}  // namespace

void validate_parts(const Node& parts, std::vector<Diagnostic>& mistakes) {
  Validator(mistakes, FileKind::kParts).parts(parts);
}

void validate(const Node& root, std::vector<Diagnostic>& mistakes, FileKind kind) {
  const size_t before = mistakes.size();
  Validator(mistakes, kind).root(root);
  std::ranges::stable_sort(
      mistakes.begin() + static_cast<std::ptrdiff_t>(before), mistakes.end(), {},
      [](const Diagnostic& mistake) { return std::tuple(mistake.at.line, mistake.at.column); });
}

}  // namespace netrig
