#include "harness/scenario/reader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <set>
#include <tuple>

#include "harness/base/text.h"
#include "harness/scenario/build.h"
#include "harness/scenario/expand.h"
#include "harness/scenario/payload_file.h"
#include "harness/scenario/validate.h"
#include "harness/scenario/variables.h"

namespace netrig {

namespace {

// Who found a mistake decides what to do with others at the same place.
struct Findings {
  std::vector<Diagnostic> text;       // syntax and variables
  std::vector<Diagnostic> shape;      // what the format table tells
  std::vector<Diagnostic> meaning;    // what the rest of the file tells
  std::vector<Diagnostic> malformed;  // shown only if the shape is right
};

ReadResult read_tree(std::string text, const std::string& path, const ReadOptions& options,
                     FileKind kind);
ReadResult read_file(const std::string& path, const ReadOptions& options, FileKind kind);

// ${here}; a run may have another working folder, so it is absolute.
std::string folder_of(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? "." : absolute.lexically_normal().parent_path().string();
}

// --seed stands in the expanded text too: that text repeats this run.
void set_seed(Node& root, uint64_t seed) {
  const Node node = integer_node(
      static_cast<int64_t>(std::min<uint64_t>(seed, std::numeric_limits<int64_t>::max())), {});
  if (Member* member = root.find("seed")) {
    member->value = node;
    return;
  }
  static const std::set<std::string> before = {"$schema", "name",     "about",
                                               "tags",    "backends", "skip"};
  auto place = std::find_if(root.members.begin(), root.members.end(),
                            [](const Member& member) { return !before.contains(member.key); });
  root.members.insert(place, {"seed", {}, node});
}

void build_head(Reading& reading, const Node& root, Scenario& scenario) {
  for (const auto& [key, key_at, value] : root.members) {
    if (key == "name") {
      scenario.name = build_text(reading, value);
    } else if (key == "about") {
      scenario.about = build_text(reading, value);
    } else if (key == "tags") {
      scenario.tags = build_texts(reading, value);
    } else if (key == "backends") {
      for (const std::string& name : build_texts(reading, value)) scenario.backends.insert(name);
    } else if (key == "skip") {
      scenario.skip = Skip{value.at, build_text(reading, value)};
    } else if (key == "seed") {
      scenario.seed = static_cast<uint64_t>(
          build_integer(reading, value, 0, std::numeric_limits<int64_t>::max()));
    } else if (key == "timeout") {
      scenario.timeout = build_duration(reading, value);
    }
  }
}

void build_actors(Reading& reading, const Node& actors, std::vector<NameScope>& scopes,
                  Scenario& scenario) {
  int64_t instances = 0;
  for (const Member& member : actors.members) {
    NameScope& scope = scopes.emplace_back();
    scope.actor = member.key;
    scope.outline = reading.outline().find(member.key);
    reading.enter(scope);
    scenario.actors.push_back(build_actor(reading, member));
    const bool fitted = instances <= kScenarioInstancesMax;
    instances += scenario.actors.back().count;
    if (fitted && instances > kScenarioInstancesMax) {
      reading.mistake(member.key_at, fmt::format("more than {} instances of all actors together",
                                                 kScenarioInstancesMax));
    }
  }
}

Scenario build_scenario(Reading& reading, const Node& root, FileKind kind) {
  Scenario scenario;
  scenario.hosts = reading.outline().hosts;
  const Node* actors = value_of(root, "actors");
  std::vector<NameScope> scopes;
  scopes.reserve((actors == nullptr ? 0 : actors->members.size()) + 1);  // they are pointed at
  NameScope& file_scope = scopes.emplace_back();
  reading.enter(file_scope);
  build_head(reading, root, scenario);
  if (actors != nullptr) build_actors(reading, *actors, scopes, scenario);
  reading.enter(file_scope);
  if (const Node* network = value_of(root, "network")) {
    scenario.links = build_network(reading, *network);
    const Node* capture = value_of(*network, "capture");
    scenario.capture_sent = capture != nullptr && capture->string == "sent";
  }
  if (const Node* packets = value_of(root, "packets"))
    scenario.packets = build_packets(reading, *packets);
  if (const Node* expect = value_of(root, "expect")) {
    scenario.expectations =
        build_expectations(reading, *expect, scenario.packets, kind == FileKind::kScenario);
  }
  reading.judge_names(scopes);
  return scenario;
}

// In order of place. What one stage told about a place no later one tells again in its own words.
std::vector<Diagnostic> in_order(Findings findings) {
  using Place = std::pair<uint32_t, uint32_t>;
  auto place = [](const Diagnostic& one) { return Place(one.at.line, one.at.column); };
  std::vector<Diagnostic> all;
  std::set<Place> told;
  std::set<std::tuple<Place, std::string>> sentences;
  auto add = [&](std::vector<Diagnostic>& stage) {
    const size_t before = all.size();
    for (Diagnostic& one : stage) {
      if (told.contains(place(one))) continue;
      if (sentences.emplace(place(one), one.message).second) all.push_back(std::move(one));
    }
    for (size_t i = before; i < all.size(); ++i) {
      if (all[i].at.line != 0) told.insert(place(all[i]));
    }
  };
  add(findings.text);
  add(findings.shape);
  const bool shapely = all.empty();
  add(findings.meaning);
  if (shapely) add(findings.malformed);
  std::stable_sort(all.begin(), all.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  if (all.size() <= kDiagnosticsMax) return all;
  const size_t more = all.size() - kDiagnosticsMax;
  all.resize(kDiagnosticsMax);
  all.push_back({all.back().at, fmt::format("and {}", plural(more, "more mistake")), {}});
  return all;
}

ReadResult read_tree(std::string text, const std::string& path, const ReadOptions& options,
                     FileKind kind) {
  ReadResult result;
  result.source = std::make_shared<const SourceFile>(path, std::move(text));
  Findings findings;
  Node root;
  const std::string folder = folder_of(path);
  if (!parse_json(*result.source, root, findings.text) ||
      !interpolate(root, options.set, folder, findings.text)) {
    result.mistakes = in_order(std::move(findings));
    return result;
  }
  if (options.seed) set_seed(root, *options.seed);
  validate(root, findings.shape, kind);

  const bool sound = findings.text.empty() && findings.shape.empty();
  std::set<std::string> vars;
  if (const Node* node = value_of(root, "vars")) {
    for (const Member& member : node->members) vars.insert(member.key);
  }
  std::erase_if(root.members, [](const Member& member) { return member.key == "vars"; });
  expand_ladder(root, sound, findings.meaning);
  fill_in_addresses(root, options.kernel_ports, findings.meaning);
  expand_network(root, findings.meaning);

  Reading reading(folder, outline_of(root));
  reading.vars = std::move(vars);
  reading.file_octets_left = kScenarioPayloadMax;
  Scenario scenario = build_scenario(reading, root, kind);
  std::move(reading.mistakes().begin(), reading.mistakes().end(),
            std::back_inserter(findings.meaning));
  findings.malformed = std::move(reading.malformations());
  result.mistakes = in_order(std::move(findings));
  if (!result.mistakes.empty()) return result;

  scenario.source = result.source;
  scenario.id = slug(std::filesystem::path(path).stem().string());
  result.scenario = std::move(scenario);
  result.expanded = print_json(root);
  return result;
}

ReadResult read_file(const std::string& path, const ReadOptions& options, FileKind kind) {
  auto text = read_regular_file(path, kScenarioBytesMax);
  if (text) return read_tree(std::move(*text), path, options, kind);
  ReadResult result;
  result.source = std::make_shared<const SourceFile>(path, std::string());
  result.mistakes.push_back({Location{}, text.error(), {}});
  return result;
}

}  // namespace

ReadResult read_scenario(const std::string& path, const ReadOptions& options) {
  return read_file(path, options, FileKind::kScenario);
}

ReadResult read_scenario_text(std::string text, const std::string& path,
                              const ReadOptions& options) {
  return read_tree(std::move(text), path, options, FileKind::kScenario);
}

ReadResult read_expectations(const std::string& path, const ReadOptions& options) {
  return read_file(path, options, FileKind::kExpectations);
}

}  // namespace netrig
