#include "harness/scenario/model.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig {

bool Template::is_literal() const {
  return std::all_of(segments.begin(), segments.end(),
                     [](const Segment& segment) { return segment.variable.empty(); });
}

std::string Template::literal() const {
  NETRIG_REQUIRE(is_literal());
  std::string text;
  for (const Segment& segment : segments) text += segment.literal;
  return text;
}

const Actor* find_actor(const Scenario& scenario, std::string_view name) {
  for (const Actor& actor : scenario.actors) {
    if (actor.name == name) return &actor;
  }
  return nullptr;
}

}  // namespace netrig
