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
#include "harness/scenario/parts.h"
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
  static const std::set<std::string> before = {
      "$schema", "name",     "about", "tags", "level",
      "spec",    "backends", "needs", "skip", "expected_failure"};
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
    } else if (key == "level") {
      scenario.level = build_level(value);
    } else if (key == "spec") {
      scenario.spec = build_texts(reading, value);
    } else if (key == "needs") {
      scenario.needs = build_needs(reading, value);
    } else if (key == "expected_failure") {
      scenario.expected_failure = build_expected_failure(reading, value);
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
  const Node* processes = value_of(root, "processes");
  if (processes != nullptr) scenario.processes = build_processes(reading, *processes);
  if (const Node* relays = value_of(root, "relays")) {
    scenario.relays = build_relays(reading, *relays);
  }
  if (kind == FileKind::kScenario && actors == nullptr && processes == nullptr) {
    reading.mistake(root.at, "'actors' is missing in a scenario",
                    {"or 'processes', if programs talk to each other"});
  }
  if (const Node* network = value_of(root, "network")) {
    scenario.links = build_network(reading, *network);
    const Node* capture = value_of(*network, "capture");
    scenario.capture_sent = capture != nullptr && capture->string == "sent";
    const Node* tcp_ecn = value_of(*network, "tcp_ecn");
    scenario.tcp_ecn = tcp_ecn != nullptr && build_boolean(reading, *tcp_ecn);
    const Node* congestion = value_of(*network, "congestion");
    if (congestion != nullptr) scenario.congestion = build_text(reading, *congestion);
    const Node* segments = value_of(*network, "segments");
    scenario.exact_segments = segments != nullptr && segments->string == "exact";
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
  using Place = std::tuple<uint32_t, uint32_t, uint32_t>;
  auto place = [](const Diagnostic& one) { return Place(one.at.file, one.at.line, one.at.column); };
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

void erase_members(Node& root, std::initializer_list<std::string_view> keys) {
  std::erase_if(root.members, [&](const Member& member) {
    return std::ranges::find(keys, member.key) != keys.end();
  });
}

std::set<std::string> names_in(const Node& root, const MatrixRow& row) {
  std::set<std::string> names;
  if (const Node* vars = value_of(root, "vars")) {
    for (const Member& member : vars->members) names.insert(member.key);
  }
  for (const Member& member : row.values) names.insert(member.key);
  return names;
}

// A scenario's tree, from its text to what the model is built of.
class FileReading {
 public:
  FileReading(std::string text, const std::string& path, const ReadOptions& options, FileKind kind)
      : options_(options),
        kind_(kind),
        path_(path),
        folder_(folder_of(path)),
        source_(std::make_shared<SourceFile>(path, std::move(text))) {}

  ReadResult read() {
    ReadResult result;
    result.source = source_;
    if (load()) build(result);
    result.mistakes = in_order(std::move(findings_));
    uses_.mention(result.mistakes, *source_);
    if (!result.mistakes.empty()) result.scenario.reset();
    if (result.scenario) {
      result.rows = std::move(rows_);
      result.expanded = print_json(root_);
    }
    return result;
  }

 private:
  // False if there is no tree to go on with.
  bool load() {
    if (!parse_json(*source_, root_, findings_.text)) return false;
    if (kind_ == FileKind::kScenario && root_.find("parts") != nullptr &&
        root_.find("actors") == nullptr && root_.find("processes") == nullptr) {
      findings_.text.push_back({root_.at,
                                "this file has parts for other files, and no actors: it is no "
                                "scenario of its own",
                                {}});
      return false;
    }
    TextBudget budget;
    uses_ = expand_parts(root_, *source_, folder_, budget,
                         {findings_.text, findings_.shape, findings_.meaning});
    rows_ = matrix_rows(root_, options_.set, findings_.text);
    settings_ = interpolate(root_, {options_.set, folder_, options_.environment, rows_.front()},
                            budget, findings_.text);
    return !budget.overflowed();
  }

  void build(ReadResult& result) {
    if (options_.seed) set_seed(root_, *options_.seed);
    validate(root_, findings_.shape, kind_);
    const bool sound = findings_.text.empty() && findings_.shape.empty();
    settle_expected_failure(root_, rows_.front(), findings_.meaning);
    std::set<std::string> vars = names_in(root_, rows_.front());
    erase_members(root_, {"vars", "env", "matrix", "parts"});
    expand_ladder(root_, sound, findings_.meaning);
    fill_in_addresses(root_, options_.kernel_ports, findings_.meaning);
    expand_network(root_, findings_.meaning);

    Reading reading(folder_, outline_of(root_));
    reading.vars = std::move(vars);
    reading.file_octets_left = kScenarioPayloadMax;
    Scenario scenario = build_scenario(reading, root_, kind_);
    std::move(reading.mistakes().begin(), reading.mistakes().end(),
              std::back_inserter(findings_.meaning));
    findings_.malformed = std::move(reading.malformations());
    scenario.source = source_;
    scenario.id = slug(std::filesystem::path(path_).stem().string());
    scenario.row = rows_.front().name;
    scenario.settings = rows_.front().settings;
    scenario.settings.insert(scenario.settings.end(), settings_.begin(), settings_.end());
    for (MatrixRow& row : rows_) {
      row.settings.insert(row.settings.end(), settings_.begin(), settings_.end());
    }
    result.scenario = std::move(scenario);
  }

  const ReadOptions& options_;
  FileKind kind_;
  const std::string& path_;
  std::string folder_;
  std::shared_ptr<SourceFile> source_;
  Node root_;
  Findings findings_;
  PartUses uses_;
  std::vector<MatrixRow> rows_;
  std::vector<std::pair<std::string, std::string>> settings_;  // of the environment
};

ReadResult read_tree(std::string text, const std::string& path, const ReadOptions& options,
                     FileKind kind) {
  return FileReading(std::move(text), path, options, kind).read();
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

ReadResult read_parts(const std::string& path, const ReadOptions& options) {
  return read_file(path, options, FileKind::kParts);
}

bool is_parts_file(std::string_view path) {
  return path.ends_with(".parts.json");
}

ReadResult read_expectations(const std::string& path, const ReadOptions& options) {
  return read_file(path, options, FileKind::kExpectations);
}

}  // namespace netrig
