#include "harness/scenario/variables.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "harness/base/text.h"
#include "harness/scenario/setting.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

constexpr std::string_view kEnvironment = "env.";

class Interpolation {
 public:
  Interpolation(const GivenVariables& given, TextBudget& budget, std::vector<Diagnostic>& mistakes)
      : given_(given), mistakes_(mistakes), substitution_(budget, mistakes) {
    substitution_.set_plain("here", given.folder);
  }

  void define_environment(const Node& env);
  void define_row();
  void define_vars(const Node& vars);
  void apply(Node& node) { substitution_.apply(node); }
  std::vector<std::pair<std::string, std::string>> taken() { return std::move(taken_); }

 private:
  bool may_define(const Member& member);
  void define(const Member& member, Node value, const std::set<std::string>& later);
  Node chosen_value(const Member& member);

  const GivenVariables& given_;
  std::vector<Diagnostic>& mistakes_;
  Substitution substitution_;
  std::vector<std::pair<std::string, std::string>> taken_;
};

// What is put into a scenario stands in its reports: names of secrets are refused.
bool sounds_secret(const std::string& name) {
  static const std::vector<std::string> words = {"SECRET",  "TOKEN", "PASSW", "CREDENTIAL",
                                                 "PRIVATE", "_KEY",  "APIKEY"};
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return std::ranges::any_of(
      words, [&](const std::string& word) { return upper.find(word) != std::string::npos; });
}

bool Interpolation::may_define(const Member& member) {
  const bool given = is_given_name(member.key);
  if (!given && !substitution_.has(member.key)) return true;
  mistakes_.push_back({member.key_at,
                       given ? fmt::format("'{}' is a variable that netrig gives", member.key)
                             : fmt::format("'{}' is a variable of \"matrix\" already", member.key),
                       {"take another name"}});
  return false;
}

// `later`: names that have no value yet.
void Interpolation::define(const Member& member, Node value, const std::set<std::string>& later) {
  if (value.kind == Node::Kind::kString) {
    // Read from top to bottom: so no value can hold itself.
    auto segments = parse_template(value.string);
    auto is_later = [&](const Template::Segment& segment) {
      return later.contains(segment.variable) && !substitution_.has(segment.variable);
    };
    if (segments && std::ranges::any_of(*segments, is_later)) {
      mistakes_.push_back({member.value.at,
                           fmt::format("'{}' uses a variable that is not set above it", member.key),
                           {"\"vars\" is read from top to bottom"}});
      return;
    }
    substitution_.apply(value);
  }
  substitution_.set(member.key, std::move(value));
}

void Interpolation::define_environment(const Node& env) {
  for (const Member& member : env.members) {
    const std::string name = std::string(kEnvironment) + member.key;
    if (sounds_secret(member.key)) {
      mistakes_.push_back({member.key_at,
                           fmt::format("'{}' looks like the name of a secret", member.key),
                           {"what a scenario reads stands in its reports and captures",
                            "a variable of \"vars\" and --set on the command line can hold it"}});
      continue;
    }
    const auto set = given_.set.find(name);
    std::optional<std::string> value;
    if (set != given_.set.end()) value = set->second;
    if (!value && given_.environment) value = given_.environment(member.key);
    if (value && first_invalid_utf8(*value)) {
      mistakes_.push_back(
          {member.key_at, fmt::format("the environment's '{}' is not UTF-8", member.key), {}});
    } else if (value) {
      substitution_.set_plain(name, *value);
      taken_.emplace_back(name, *value);
    } else if (member.value.kind == Node::Kind::kString) {
      substitution_.set(name, member.value);
    } else {
      mistakes_.push_back(
          {member.key_at,
           fmt::format("the environment variable '{}' is not set", member.key),
           {fmt::format("a text in place of true is its value then; --set {}=... gives one",
                        name)}});
      substitution_.set_plain(name, "");
    }
  }
}

void Interpolation::define_row() {
  for (const Member& member : given_.row.values) {
    if (may_define(member)) define(member, member.value, {});
  }
}

void Interpolation::define_vars(const Node& vars) {
  std::set<std::string> names;
  for (const Member& member : vars.members) names.insert(member.key);
  for (const Member& member : vars.members) {
    if (!may_define(member)) continue;
    if (is_scalar(member.value)) define(member, chosen_value(member), names);
  }
}

Node Interpolation::chosen_value(const Member& member) {
  auto found = given_.set.find(member.key);
  if (found == given_.set.end()) return member.value;
  if (std::optional<Node> value = set_value(member.value, found->second)) return *value;
  mistakes_.push_back({Location{},
                       fmt::format("--set {}={}: the file's value is {}", member.key, found->second,
                                   kind_name(member.value.kind)),
                       {}});
  return member.value;
}

// Every name that --set can change.
std::vector<std::string> settable_names(const Node& root, const MatrixRow& row) {
  std::vector<std::string> names;
  if (const Member* vars = root.find("vars")) {
    for (const Member& member : vars->value.members) names.push_back(member.key);
  }
  for (const Member& member : row.values) names.push_back(member.key);
  if (const Member* env = root.find("env")) {
    for (const Member& member : env->value.members) {
      names.push_back(std::string(kEnvironment) + member.key);
    }
  }
  return names;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> interpolate(Node& root,
                                                             const GivenVariables& given,
                                                             TextBudget& budget,
                                                             std::vector<Diagnostic>& mistakes) {
  Interpolation interpolation(given, budget, mistakes);
  if (const Member* env = root.find("env")) interpolation.define_environment(env->value);
  interpolation.define_row();
  if (const Member* vars = root.find("vars")) interpolation.define_vars(vars->value);
  const std::vector<std::string> names = settable_names(root, given.row);
  for (const auto& [name, text] : given.set) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string known = names.empty() ? "this file has no \"vars\"" : "known: " + join_or(names);
    if (auto nearest = nearest_name(name, names))
      known = fmt::format("did you mean '{}'?", *nearest);
    mistakes.push_back(
        {Location{}, fmt::format("--set {}: there is no such variable", name), {known}});
  }
  for (Member& member : root.members) {
    const std::string& key = member.key;
    if (key != "vars" && key != "env" && key != "matrix" && key != "$schema") {
      interpolation.apply(member.value);
    }
  }
  return interpolation.taken();
}

bool is_given_name(std::string_view name) {
  return name == "i" || name == "tmp" || name == "seed" || name == "here";
}

}  // namespace netrig
