#include <algorithm>

#include "harness/scenario/build.h"
#include "harness/scenario/setting.h"

namespace netrig {

Level build_level(const Node& node) {
  if (node.string == "should") return Level::kShould;
  return node.string == "may" ? Level::kMay : Level::kMust;
}

std::vector<NeededProgram> build_needs(Reading& reading, const Node& node) {
  std::vector<NeededProgram> needs;
  for (const Node& element : node.elements) {
    NeededProgram needed{element.at, {}, {}};
    if (element.kind == Node::Kind::kObject) {
      if (const Node* program = value_of(element, "program")) {
        needed.program = build_text(reading, *program);
      }
      if (const Node* package = value_of(element, "package")) {
        needed.package = build_text(reading, *package);
      }
    } else {
      needed.program = build_text(reading, element);
    }
    if (needed.program.find('/') != std::string::npos) {
      reading.mistake(element.at, "a program is needed by its name, not by its path");
    }
    needs.push_back(std::move(needed));
  }
  return needs;
}

ExpectedFailure build_expected_failure(Reading& reading, const Node& node) {
  ExpectedFailure failure;
  failure.at = node.at;
  if (node.kind == Node::Kind::kString) failure.reason = build_text(reading, node);
  if (const Node* reason = value_of(node, "reason")) failure.reason = build_text(reading, *reason);
  if (const Node* backends = value_of(node, "backends")) {
    for (const std::string& name : build_texts(reading, *backends)) failure.backends.insert(name);
  }
  return failure;
}

void settle_expected_failure(Node& root, const MatrixRow& row, std::vector<Diagnostic>& mistakes) {
  Member* failure = root.find("expected_failure");
  Member* wanted = failure == nullptr ? nullptr : failure->value.find("row");
  if (wanted == nullptr) return;
  bool fits = true;
  std::vector<std::string> names;
  for (const Member& member : row.values) names.push_back(member.key);
  for (const Member& member : wanted->value.members) {
    const auto own = std::ranges::find(row.values, member.key, &Member::key);
    if (own == row.values.end()) {
      mistakes.push_back(unknown_name(member.key_at, "variable of the matrix", member.key, names));
    } else {
      fits = fits && setting_of(own->value) == setting_of(member.value);
    }
  }
  if (fits) {
    std::erase_if(failure->value.members, [](const Member& member) { return member.key == "row"; });
  } else {
    std::erase_if(root.members,
                  [](const Member& member) { return member.key == "expected_failure"; });
  }
}

}  // namespace netrig
