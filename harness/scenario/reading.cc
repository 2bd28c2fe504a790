#include "harness/scenario/reading.h"

#include <fmt/format.h>

#include "harness/scenario/suggest.h"
#include "harness/scenario/variables.h"

namespace netrig {

namespace {

std::vector<std::string> list_of_names(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

void Reading::mistake(Location at, std::string message, std::vector<std::string> details) {
  mistakes_.push_back({at, std::move(message), std::move(details)});
}

void Reading::malformed(Location at, std::string message) {
  malformations_.push_back({at, std::move(message), {}});
}

void Reading::unknown(Location at, std::string_view what, std::string_view name,
                      const std::vector<std::string>& known) {
  mistakes_.push_back(unknown_among(at, what, name, known, mistakes_.size()));
}

void Reading::use_variable(Location at, const std::string& name) {
  scope_->variable_uses.push_back({at, name});
}

void Reading::define_variable(Location at, const std::string& name) {
  if (is_given_name(name)) {
    mistake(at, fmt::format("'{}' is a variable that netrig gives", name), {"take another name"});
  } else if (vars.contains(name)) {
    mistake(
        at,
        fmt::format("'{}' is in \"vars\" already, and was put in when the file was loaded", name),
        {"take another name"});
  }
  scope_->variables.insert(name);
  kept.push_back(name);
}

void Reading::use_socket(Location at, const std::string& name) {
  scope_->socket_uses.push_back({at, name});
}

void Reading::export_variable(Location at, const std::string& name) {
  auto [entry, fresh] = exports_.emplace(name, scope_->actor);
  if (fresh || entry->second == scope_->actor) return;
  mistake(at, fmt::format("'{}' is exported by the actor '{}' too", name, entry->second),
          {"whoever uses it could not tell them apart"});
}

void Reading::judge_names(const std::vector<NameScope>& scopes) {
  for (const NameScope& scope : scopes) {
    for (const NameUse& use : scope.variable_uses) judge_variable(scope, use);
    judge_sockets(scope);
    judge_framing(scope);
  }
  for (const NameUse& use : step_uses_) {
    if (!steps_.contains(use.name)) unknown(use.at, "step", use.name, list_of_names(steps_));
  }
}

void Reading::judge_variable(const NameScope& scope, const NameUse& use) {
  size_t dot = use.name.find('.');
  if (dot != std::string::npos) {
    std::string actor = use.name.substr(0, dot);
    std::string part = use.name.substr(dot + 1);
    const ActorOutline* outline = outline_.find(actor);
    if (outline == nullptr && actor == "env") {
      return mistake(use.at, fmt::format("'{}' is not in \"env\"", part),
                     {"a file names the environment variables that it takes"});
    }
    if (outline == nullptr) return unknown(use.at, "actor", actor, outline_.actor_names);
    const bool process = outline->kind == ActorOutline::Kind::kProcess;
    if (part != "port" && part != "path" && part != "address" && !(process && part == "pid")) {
      std::vector<std::string> known_parts = {"port", "path", "address"};
      if (process) known_parts.push_back("pid");
      const char* what = process ? "process" : "actor";
      return unknown(use.at, fmt::format("property of the {} '{}':", what, actor), part,
                     known_parts);
    }
    if (part == "address" || part == "pid") return;
    if (!outline->has_service) {
      return mistake(use.at, fmt::format("'{}' has no {}: it binds no address", actor, part));
    }
    if (outline->service && is_unix(*outline->service) != (part == "path")) {
      mistake(use.at, fmt::format("'{}' has no {}: its transport is {}", actor, part,
                                  transport_name(*outline->service)));
    }
    return;
  }
  if (use.name == "tmp" || use.name == "seed") return;
  if (vars.contains(use.name)) return;  // its value was refused, which was told
  if (!scope.actor.empty()) {
    if (use.name == "i" || scope.variables.contains(use.name) || exports_.contains(use.name))
      return;
  }
  std::vector<std::string> known = list_of_names(vars);
  known.insert(known.end(), {"tmp", "seed", "here"});
  if (!scope.actor.empty()) {
    known.push_back("i");
    known.insert(known.end(), scope.variables.begin(), scope.variables.end());
    for (const auto& [name, actor] : exports_) known.push_back(name);
  }
  unknown(use.at, "variable", use.name, known);
}

void Reading::judge_sockets(const NameScope& scope) {
  for (const NameUse& use : scope.socket_uses) {
    if (!scope.sockets.contains(use.name)) {
      unknown(use.at, "socket", use.name, list_of_names(scope.sockets));
    }
  }
}

// A stream has no ends of messages: something in the matcher must say where one ends.
void Reading::judge_framing(const NameScope& scope) {
  if (scope.outline == nullptr || scope.makes_sockets || !scope.outline->transport) return;
  if (keeps_boundaries(*scope.outline->transport)) return;
  for (const NameUse& use : scope.unframed) {
    mistake(use.at,
            fmt::format("on a stream '{}' needs 'length', 'until' or 'line' beside it", use.name),
            {"a stream has no ends of messages"});
  }
}

}  // namespace netrig
