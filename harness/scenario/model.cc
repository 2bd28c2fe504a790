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

std::string_view level_name(Level level) {
  constexpr std::string_view kNames[] = {"must", "should", "may"};
  return kNames[static_cast<size_t>(level)];
}

namespace {

template <typename Named>
const Named* find_named(const std::vector<Named>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Named::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const Actor* find_actor(const Scenario& scenario, std::string_view name) {
  return find_named(scenario.actors, name);
}

const Process* find_process(const Scenario& scenario, std::string_view name) {
  return find_named(scenario.processes, name);
}

const Relay* find_relay(const Scenario& scenario, std::string_view name) {
  return find_named(scenario.relays, name);
}

const std::string& host_of(const Scenario& scenario, std::string_view name) {
  static const std::string none;
  if (const Actor* actor = find_actor(scenario, name)) return actor->host;
  if (const Process* process = find_process(scenario, name)) return process->host;
  const Relay* relay = find_relay(scenario, name);
  return relay == nullptr ? none : relay->host;
}

}  // namespace netrig
