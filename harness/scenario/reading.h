#pragma once
// What the functions that build the model share while they read one file: where mistakes go, which
// names exist, and which were used. A name may be used above the place that makes it, so uses are
// collected and judged at the end. Owned by the reader for the time of one reading.
//
// The builders take any tree: where it has not the shape that the format table asks for they say
// malformed() and go on with a default, so that unknown names of the rest are still found. Only if
// the table's check found nothing is malformed() shown.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/scenario/node.h"
#include "harness/scenario/outline.h"

namespace netrig {

struct NameUse {
  Location at;
  std::string name;
};

// The names of one actor; of what stands outside of actors if `actor` is empty.
struct NameScope {
  std::string actor;
  std::set<std::string> variables;
  std::set<std::string> sockets;
  std::vector<NameUse> variable_uses;
  std::vector<NameUse> socket_uses;
  std::vector<NameUse> unframed;  // receives that hold only if the actor's socket keeps boundaries
  bool makes_sockets = false;     // by steps: so the current one is not the opening's
  bool in_each = false;
  bool many = false;
  const ActorOutline* outline = nullptr;
};

class Reading {
 public:
  Reading(std::string folder, Outline outline)
      : folder_(std::move(folder)), outline_(std::move(outline)) {}

  // ---- mistakes
  void mistake(Location at, std::string message, std::vector<std::string> details = {});
  void malformed(Location at, std::string message);
  // "unknown actor 'sever'", with the nearest known name or all of them.
  void unknown(Location at, std::string_view what, std::string_view name,
               const std::vector<std::string>& known);
  std::vector<Diagnostic>& mistakes() { return mistakes_; }
  std::vector<Diagnostic>& malformations() { return malformations_; }

  // ---- what exists
  const std::string& folder() const { return folder_; }
  const Outline& outline() const { return outline_; }
  NameScope& scope() { return *scope_; }
  void enter(NameScope& scope) { scope_ = &scope; }

  // ---- names, judged by judge_names()
  void use_variable(Location at, const std::string& name);
  void define_variable(Location at, const std::string& name);
  void use_socket(Location at, const std::string& name);
  void define_socket(const std::string& name) { scope_->sockets.insert(name); }
  void export_variable(Location at, const std::string& name);
  void use_step(Location at, const std::string& path) { step_uses_.push_back({at, path}); }
  void define_step(const std::string& path) { steps_.insert(path); }
  void judge_names(const std::vector<NameScope>& scopes);

  std::set<std::string> vars;     // of the file: no step may hide them
  std::vector<std::string> kept;  // variables that the step being built defines
  std::string step_path;          // of the step that is being built; empty outside
  bool receiving = false;         // a matcher is being built
  size_t parts_before = 0;        // elements before the one that is built, in its list of octets
  size_t file_octets_left = 0;    // for payloads from files

 private:
  void judge_variable(const NameScope& scope, const NameUse& use);
  void judge_sockets(const NameScope& scope);
  void judge_framing(const NameScope& scope);

  std::string folder_;
  Outline outline_;
  NameScope* scope_ = nullptr;
  std::vector<Diagnostic> mistakes_;
  std::vector<Diagnostic> malformations_;
  std::map<std::string, std::string> exports_;  // variable -> actor
  std::set<std::string> steps_;
  std::vector<NameUse> step_uses_;
};

}  // namespace netrig
