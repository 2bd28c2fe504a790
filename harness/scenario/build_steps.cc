#include <fmt/format.h>

#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

Range<int64_t> build_returns(Reading& reading, const Node& node, const Step& step) {
  // SO_ERROR's value is an errno: said by name.
  if (step.verb == Verb::kGetOption && node.kind == Node::Kind::kString) {
    if (std::optional<Errno> error = Errno::from_name(node.string)) {
      return {error->value(), error->value()};
    }
  }
  return build_integer_range(reading, node);
}

void build_errors(Reading& reading, const Node& node, Step& step) {
  step.error_at = node.at;
  if (node.kind != Node::Kind::kArray) {
    if (auto error = build_errno(reading, node)) step.errors = {*error};
    return;
  }
  for (const Node& element : node.elements) {
    if (auto error = build_errno(reading, element)) step.errors.push_back(*error);
  }
}

// Everything that the step keeps: by `save` and by named groups of its patterns.
void build_export(Reading& reading, const Node& node, Step& step) {
  step.exported = build_boolean(reading, node);
  if (!step.exported) return;
  const NameScope& scope = reading.scope();
  if (scope.many || scope.in_each) {
    reading.mistake(node.at, fmt::format("'export' from {} would set one name many times",
                                         scope.in_each ? "'each'" : "an actor with 'count'"));
  }
  for (const std::string& name : reading.kept) reading.export_variable(node.at, name);
  if (reading.kept.empty()) {
    reading.mistake(node.at, "'export' without anything that is kept",
                    {"'save' keeps what came, and so do named groups of a pattern"});
  }
}

void build_modifiers(Reading& reading, const Node& node, Step& step) {
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "on") {
      step.on = build_text(reading, value);
      reading.use_socket(value.at, step.on);
    } else if (key == "as") {
      step.as = build_texts(reading, value);
      for (const std::string& name : step.as) reading.define_socket(name);
    } else if (key == "within") {
      step.within = build_duration(reading, value);
    } else if (key == "after") {
      step.after = build_duration(reading, value);
    } else if (key == "returns") {
      step.returns = build_returns(reading, value, step);
      step.returns_at = value.at;
    } else if (key == "error") {
      build_errors(reading, value, step);
    } else if (key == "save") {
      step.save = build_save(reading, value);
    } else if (key == "nonblocking") {
      step.nonblocking = build_boolean(reading, value);
    } else if (key == "flags") {
      step.flags = build_flags(reading, value);
    } else if (key == "note") {
      step.note = build_text(reading, value);
    } else if (key == "spec") {
      step.spec = build_texts(reading, value);
    }
  }
  // An accepted connection without a name of its own is "connection", as after an opening.
  if (step.verb == Verb::kAccept && step.as.empty()) reading.define_socket("connection");
}

Step build_step(Reading& reading, const Node& node, std::string path) {
  Step step;
  step.at = node.at;
  step.value_at = node.at;
  step.path = std::move(path);
  reading.define_step(step.path);
  const Member* verb = find_verb(node);
  if (verb == nullptr) {
    reading.malformed(node.at, "a step is expected here");
    return step;
  }
  step.at = verb->key_at;
  step.value_at = verb->value.at;
  step.verb = *verb_from_name(verb->key);
  reading.step_path = step.path;
  reading.kept.clear();
  build_modifiers(reading, node, step);
  build_arguments(reading, node, step, verb->value);
  if (const Node* exported = value_of(node, "export")) build_export(reading, *exported, step);
  return step;
}

}  // namespace

Steps build_steps(Reading& reading, const Node& node, const std::string& path) {
  Steps steps;
  if (node.kind != Node::Kind::kArray)
    reading.malformed(node.at, "a list of steps is expected here");
  for (size_t i = 0; i < node.elements.size(); ++i) {
    steps.push_back(build_step(reading, node.elements[i], fmt::format("{}.{}", path, i + 1)));
  }
  return steps;
}

}  // namespace netrig
