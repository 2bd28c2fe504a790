#include "harness/scenario/parts.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>

#include "harness/base/text.h"
#include "harness/scenario/payload_file.h"
#include "harness/scenario/reader.h"
#include "harness/scenario/validate.h"
#include "harness/scenario/variables.h"

namespace netrig {

namespace {

namespace fs = std::filesystem;

// Nobody reads more, and parts that use parts can make very many.
constexpr size_t kMistakesMax = 1000;

// Of a scenario's steps, at their outermost: the file, `actors`, an actor, its list.
constexpr size_t kStepsLevel = 4;

struct PartName {
  uint32_t file = 0;
  std::string name;
  friend auto operator<=>(const PartName&, const PartName&) = default;
};

// Where steps stand that are being expanded.
struct Place {
  uint32_t file = 0;
  size_t level = 0;
  std::vector<PartName> inside;  // parts, the outermost first
};

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Node& element : node.elements) count += count_nodes(element);
  for (const Member& member : node.members) count += count_nodes(member.value);
  return count;
}

size_t depth_of(const Node& node) {
  size_t depth = 0;
  for (const Node& element : node.elements) depth = std::max(depth, depth_of(element));
  for (const Member& member : node.members) depth = std::max(depth, depth_of(member.value));
  return depth + 1;
}

void move_to_file(Node& node, uint32_t file) {
  node.at.file = file;
  for (Node& element : node.elements) move_to_file(element, file);
  for (Member& member : node.members) {
    member.key_at.file = file;
    move_to_file(member.value, file);
  }
}

// Payload files are relative to the file that names them; the steps go where the scenario is.
void move_payload_files(Node& node, const std::string& folder) {
  for (Node& element : node.elements) move_payload_files(element, folder);
  for (Member& member : node.members) {
    Node& value = member.value;
    if (member.key == "file" && value.kind == Node::Kind::kString && !value.string.empty()) {
      value.string = folder + "/" + value.string;
    }
    move_payload_files(value, folder);
  }
}

class PartsExpansion {
 public:
  PartsExpansion(SourceFile& source, const std::string& folder, TextBudget& budget,
                 PartsMistakes mistakes)
      : source_(source), folder_(folder), budget_(budget), mistakes_(mistakes) {}

  void expand(Node& root);
  PartUses take() { return std::move(uses_); }

 private:
  void expand_list(Node& steps, const Place& place);
  void expand_inner(Node& step, const Place& place);
  void expand_use(const Node& step, const Member& use, const Place& place, std::vector<Node>& out);
  void expand_unused();
  std::optional<uint32_t> file_of(const Member& use, const std::string& name, uint32_t from);
  std::optional<uint32_t> read_file(const Member& use, const std::string& path);
  const Member* find_part(const Member& use, const PartName& name);
  bool goes_in_a_circle(const Member& use, const PartName& name, const Place& place);
  // False if something is wrong with them, which was told.
  bool bind_parameters(const Node& step, const Member& use, const Member& part,
                       Substitution& substitution);
  bool grow(size_t nodes, Location at);
  std::string shown(const PartName& name) const;
  void mistake(Location at, std::string message, std::vector<std::string> details = {}) {
    mistakes_.meaning.push_back({at, std::move(message), std::move(details)});
  }

  SourceFile& source_;
  const std::string& folder_;
  TextBudget& budget_;
  PartsMistakes mistakes_;
  PartUses uses_;
  std::map<std::string, std::optional<uint32_t>> numbers_;  // files by path, nothing: unreadable
  std::vector<std::string> folders_ = {""};                 // of files, below the scenario's
  std::vector<std::string> names_ = {""};                   // of files, as messages tell them
  std::set<PartName> used_;
  size_t octets_left_ = kScenarioBytesMax;
  size_t nodes_ = 0;
};

void PartsExpansion::expand(Node& root) {
  const Member* parts = root.find("parts");
  uses_.files().push_back(parts == nullptr ? Node{} : parts->value);
  if (Member* actors = root.find("actors")) {
    for (Member& actor : actors->value.members) {
      for (const char* key : {"steps", "each"}) {
        if (Member* steps = actor.value.find(key)) {
          expand_list(steps->value, {0, kStepsLevel, {}});
        }
      }
    }
  }
  expand_unused();
}

void PartsExpansion::expand_unused() {
  for (const Member& part : uses_.files().front().members) {
    const PartName name{0, part.key};
    const Member* steps = part.value.find("steps");
    if (used_.contains(name) || steps == nullptr) continue;
    Node copy = steps->value;
    expand_list(copy, {0, kStepsLevel, {name}});
  }
}

void PartsExpansion::expand_list(Node& steps, const Place& place) {
  std::vector<Node> expanded;
  for (Node& step : steps.elements) {
    if (mistakes_.meaning.size() > kMistakesMax) break;
    const Member* use = step.find("use");
    if (use != nullptr && use->value.kind == Node::Kind::kString) {
      expand_use(step, *use, place, expanded);
    } else {
      expand_inner(step, place);
      expanded.push_back(std::move(step));
    }
  }
  steps.elements = std::move(expanded);
}

void PartsExpansion::expand_inner(Node& step, const Place& place) {
  Place inner = place;
  inner.level += 2;
  if (Member* steps = step.find("steps")) expand_list(steps->value, inner);
  Member* together = step.find("together");
  if (together == nullptr) return;
  ++inner.level;
  for (Node& branch : together->value.elements) expand_list(branch, inner);
}

void PartsExpansion::expand_use(const Node& step, const Member& use, const Place& place,
                                std::vector<Node>& out) {
  const std::string& text = use.value.string;
  const size_t hash = text.find('#');
  PartName name{place.file, hash == std::string::npos ? text : text.substr(hash + 1)};
  if (hash != std::string::npos) {
    const auto file = file_of(use, text.substr(0, hash), place.file);
    if (!file) return;
    name.file = *file;
  }
  const Member* part = find_part(use, name);
  if (part == nullptr || goes_in_a_circle(use, name, place)) return;
  const Member* steps = part->value.find("steps");
  if (steps == nullptr) return;
  if (used_.insert(name).second) uses_.note({&steps->value, use.value.at, name.name});
  if (!grow(1 + count_nodes(steps->value), use.value.at)) return;

  Node copy = steps->value;
  const std::string& folder = folders_[name.file];
  if (folder != folders_[0]) move_payload_files(copy, folder);
  Substitution substitution(budget_, mistakes_.meaning);
  if (!bind_parameters(step, use, *part, substitution)) return;
  substitution.apply(copy);
  if (budget_.overflowed()) return;
  Place inside{name.file, place.level, place.inside};
  inside.inside.push_back(name);
  if (place.level + depth_of(copy) > kScenarioDepthMax) {
    return mistake(use.value.at, fmt::format("with this part steps are nested deeper than {}",
                                             kScenarioDepthMax));
  }
  expand_list(copy, inside);
  std::ranges::move(copy.elements, std::back_inserter(out));
}

// `name`: a path, relative to the folder of the file `from`.
std::optional<uint32_t> PartsExpansion::file_of(const Member& use, const std::string& name,
                                                uint32_t from) {
  const fs::path path = (fs::path(folders_[from]) / name).lexically_normal();
  const std::string text = path.string();
  if (name.empty() || path.is_absolute() || text.starts_with("..")) {
    mistake(use.value.at, fmt::format("the file '{}' is outside of the scenario's folder", name),
            {"files of parts are relative to the file that uses them"});
    return std::nullopt;
  }
  const auto known = numbers_.find(text);
  if (known != numbers_.end()) return known->second;
  const auto number = read_file(use, text);
  numbers_[text] = number;
  return number;
}

std::optional<uint32_t> PartsExpansion::read_file(const Member& use, const std::string& path) {
  if (numbers_.size() >= kUsedFilesMax) {
    mistake(use.value.at, fmt::format("parts of more than {} files", kUsedFilesMax));
    return std::nullopt;
  }
  auto text =
      read_payload_file(folder_, path, {0, std::numeric_limits<int64_t>::max()}, octets_left_);
  if (!text) {
    mistake(use.value.at, fmt::format("the file '{}': {}", path, text.error()),
            {"files of parts are relative to the file that uses them"});
    return std::nullopt;
  }
  octets_left_ -= text->size();
  const fs::path shown = fs::path(source_.path()).parent_path() / path;
  const auto file = std::make_shared<const SourceFile>(shown.string(), std::move(*text));
  const uint32_t number = source_.add(file);
  std::vector<Diagnostic> found;
  Node root;
  const bool parsed = parse_json(*file, root, found);
  if (parsed) {
    if (const Member* parts = root.find("parts")) {
      validate_parts(parts->value, found);
    } else {
      found.push_back({root.at, "'parts' is missing in this file", {}});
    }
  }
  for (Diagnostic& one : found) {
    one.at.file = number;
    one.details.push_back(fmt::format("used by {}", source_.file(use.value.at.file).path()));
    (parsed ? mistakes_.shape : mistakes_.text).push_back(std::move(one));
  }
  const Member* parts = root.find("parts");
  Node kept = parts == nullptr ? Node{} : parts->value;
  move_to_file(kept, number);
  uses_.files().push_back(std::move(kept));
  const std::string folder = fs::path(path).parent_path().string();
  folders_.push_back(folder);
  names_.push_back(path);
  return parsed && parts != nullptr ? std::optional(number) : std::nullopt;
}

const Member* PartsExpansion::find_part(const Member& use, const PartName& name) {
  const Node& parts = uses_.files()[name.file];
  if (const Member* part = parts.find(name.name)) return part;
  std::vector<std::string> known;
  for (const Member& part : parts.members) known.push_back(part.key);
  Diagnostic unknown = unknown_name(use.value.at, "part", name.name, known);
  if (known.empty()) unknown.details.push_back("there are no \"parts\" here");
  if (name.file != 0) unknown.details.push_back("in the file " + names_[name.file]);
  mistakes_.meaning.push_back(std::move(unknown));
  return nullptr;
}

std::string PartsExpansion::shown(const PartName& name) const {
  return name.file == 0 ? name.name : names_[name.file] + "#" + name.name;
}

bool PartsExpansion::goes_in_a_circle(const Member& use, const PartName& name, const Place& place) {
  const auto first = std::ranges::find(place.inside, name);
  if (first == place.inside.end()) {
    if (place.inside.size() < kUseDepthMax) return false;
    mistake(use.value.at, fmt::format("more than {} parts inside of each other", kUseDepthMax));
    return true;
  }
  std::string circle;
  for (auto part = first; part != place.inside.end(); ++part) circle += shown(*part) + " -> ";
  mistake(use.value.at,
          fmt::format("the part '{}' uses itself: {}{}", name.name, circle, shown(name)));
  return true;
}

bool PartsExpansion::bind_parameters(const Node& step, const Member& use, const Member& part,
                                     Substitution& substitution) {
  const size_t mistakes_before = mistakes_.meaning.size();
  std::vector<std::string> names;
  std::vector<std::string> required;
  const auto declare = [&](const std::string& name, Location at) {
    if (is_given_name(name)) {
      mistake(at, fmt::format("'{}' is a variable that netrig gives", name), {"take another name"});
    }
    names.push_back(name);
  };
  if (const Member* parameters = part.value.find("parameters")) {
    for (const Node& parameter : parameters->value.elements) {
      declare(parameter.string, parameter.at);
      required.push_back(parameter.string);
    }
  }
  if (const Member* defaults = part.value.find("defaults")) {
    for (const Member& member : defaults->value.members) {
      declare(member.key, member.key_at);
      substitution.set(member.key, member.value);
    }
  }
  std::set<std::string> given;
  if (const Member* with = step.find("with")) {
    for (const Member& member : with->value.members) {
      if (std::ranges::find(names, member.key) == names.end()) {
        Diagnostic unknown = unknown_name(
            member.key_at, fmt::format("parameter of '{}':", part.key), member.key, names);
        if (names.empty()) unknown.details.push_back("it has none");
        mistakes_.meaning.push_back(std::move(unknown));
        continue;
      }
      given.insert(member.key);
      substitution.set(member.key, member.value);
    }
  }
  for (const std::string& name : required) {
    if (given.contains(name)) continue;
    mistake(use.value.at, fmt::format("'{}' is missing for the part '{}'", name, part.key),
            {fmt::format("\"with\": {{ \"{}\": ... }}", name)});
  }
  return mistakes_.meaning.size() == mistakes_before;
}

bool PartsExpansion::grow(size_t nodes, Location at) {
  const bool fitted = nodes_ <= kUsedNodesMax;
  nodes_ += nodes;
  if (nodes_ <= kUsedNodesMax) return true;
  if (fitted) {
    mistake(at, fmt::format("the parts that are used have more than {} values", kUsedNodesMax));
  }
  return false;
}

using PlaceInFile = std::tuple<uint32_t, uint32_t, uint32_t>;

PlaceInFile place_of(const Location& at) {
  return {at.file, at.line, at.column};
}

void add_places(const Node& node, size_t use, std::map<PlaceInFile, size_t>& places) {
  places.emplace(place_of(node.at), use);
  for (const Node& element : node.elements) add_places(element, use, places);
  for (const Member& member : node.members) {
    places.emplace(place_of(member.key_at), use);
    add_places(member.value, use, places);
  }
}

}  // namespace

void PartUses::note(const Use& use) {
  uses_.push_back(use);
}

void PartUses::mention(std::vector<Diagnostic>& mistakes, const SourceFile& source) const {
  if (mistakes.empty() || uses_.empty()) return;
  std::map<PlaceInFile, size_t> places;
  for (size_t i = 0; i < uses_.size(); ++i) add_places(*uses_[i].steps, i, places);
  for (Diagnostic& mistake : mistakes) {
    const auto place = places.find(place_of(mistake.at));
    if (place == places.end()) continue;
    const Use& use = uses_[place->second];
    mistake.details.push_back(fmt::format("in the part '{}', used at {}:{}:{}", use.part,
                                          source.file(use.at.file).path(), use.at.line,
                                          use.at.column));
  }
}

PartUses expand_parts(Node& root, SourceFile& source, const std::string& folder, TextBudget& budget,
                      PartsMistakes mistakes) {
  PartsExpansion expansion(source, folder, budget, mistakes);
  expansion.expand(root);
  return expansion.take();
}

}  // namespace netrig
