// Connections that an actor made or accepted, all of its instances together.

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "harness/base/quantity.h"
#include "harness/expect/checks.h"

namespace netrig {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "client" itself, "client-3" if it has a count, and "server#2" for each connection of `each`.
bool is_instance(std::string_view instance, const Actor& actor) {
  const size_t hash = instance.rfind('#');
  if (hash != std::string_view::npos) instance = instance.substr(0, hash);
  if (instance == actor.name) return true;
  return actor.count > 1 && instance.starts_with(actor.name + '-') &&
         all_digits(instance.substr(actor.name.size() + 1));
}

std::map<std::string, int64_t> count_connections(const Journal& journal, const Actor& actor) {
  std::map<std::string, int64_t> counts = {
      {"accepted", 0}, {"connected", 0}, {"refused", 0}, {"open_at_end", 0}};
  std::set<uint64_t> open;
  for (const Event& event : journal.events()) {
    if (!is_instance(event.actor, actor)) continue;
    if (const auto* opened = std::get_if<ConnectionOpened>(&event.what)) {
      ++counts[opened->accepted ? "accepted" : "connected"];
      open.insert(opened->connection);
    } else if (const auto* closed = std::get_if<ConnectionClosed>(&event.what)) {
      if (closed->how != "end of run") open.erase(closed->connection);
    } else if (const auto* ended = std::get_if<StepEnded>(&event.what)) {
      if (ended->verb == "connect" && ended->error == "ECONNREFUSED") ++counts["refused"];
    }
  }
  counts["open_at_end"] = static_cast<int64_t>(open.size());
  return counts;
}

}  // namespace

Findings check_connections(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<ConnectionsExpectation>(expectation.what);
  const Actor* actor = find_actor(evidence.scenario(), expected.actor);
  if (actor == nullptr) {
    return {finding_at(expectation.at, fmt::format("there is no actor '{}'", expected.actor))};
  }
  std::map<std::string, int64_t> got = count_connections(evidence.run()->journal, *actor);
  const std::string summary = fmt::format("accepted {}, connected {}, open at the end {}",
                                          got["accepted"], got["connected"], got["open_at_end"]);
  Findings findings;
  for (const auto& [name, range] : expected.counts) {
    if (range.range.contains(got[name])) continue;
    const bool is_one = range.range == Range<int64_t>{1, 1};
    const std::string words = name == "open_at_end" ? "open at the end" : name;
    findings.push_back(finding_at(
        range.at,
        fmt::format("expected {} {} of {} {}, got {}", format_range(range.range),
                    is_one ? "connection" : "connections", expected.actor, words, got[name]),
        {summary}));
  }
  return findings;
}

}  // namespace netrig
