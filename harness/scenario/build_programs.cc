#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "harness/base/signal_names.h"
#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

constexpr size_t kProcessesMax = 1000;

// Names that actors, processes and relays share.
void judge_name(Reading& reading, const Member& member, ActorOutline::Kind kind) {
  const ActorOutline* holder = reading.outline().find(member.key);
  if (holder == nullptr || holder->kind == kind) return;
  reading.mistake(member.key_at, fmt::format("the name '{}' is taken", member.key),
                  {"actors, processes and relays are found by their names"});
}

// A path that stays below the folder that it is relative to.
bool stays_below(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') return false;
  size_t start = 0;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = std::string_view(path).substr(start, end - start);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) return false;
    start = end + 1;
  }
  return true;
}

std::vector<Process::File> build_files(Reading& reading, const Node& node) {
  std::vector<Process::File> files;
  for (const Member& member : node.members) {
    if (!stays_below(member.key)) {
      reading.mistake(member.key_at, fmt::format("'{}' is no path below ${{tmp}}", member.key),
                      {"relative, without '.' and '..'"});
    }
    files.push_back({member.key_at, member.key, build_payload(reading, member.value)});
  }
  return files;
}

ReadyCondition build_ready(Reading& reading, const Node& node) {
  ReadyCondition ready;
  ready.at = node.at;
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "listening") {
      if (value.kind != Node::Kind::kArray) {
        ready.listening.push_back(build_address(reading, value));
      }
      for (const Node& element : value.elements) {
        ready.listening.push_back(build_address(reading, element));
      }
    } else if (key == "log") {
      ready.log = build_pattern(reading, value);
    } else if (key == "within") {
      ready.within = build_duration(reading, value);
    }
  }
  return ready;
}

void build_stop(Reading& reading, const Node& node, Process& process) {
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "signal") {
      const auto signal = signal_from_name(value.string);
      if (!signal) reading.malformed(value.at, "a signal is expected here");
      process.stop_signal = signal.value_or(process.stop_signal);
    } else if (key == "within") {
      process.stop_within = build_duration(reading, value);
    }
  }
}

Process build_process(Reading& reading, const Member& member) {
  Process process;
  process.at = member.key_at;
  process.name = process.host = member.key;
  judge_name(reading, member, ActorOutline::Kind::kProcess);
  reading.step_path = process.name;  // of random octets
  for (const auto& [key, key_at, value] : member.value.members) {
    if (key == "run") {
      process.run_at = value.at;
      for (const Node& word : value.elements) process.run.push_back(build_template(reading, word));
    } else if (key == "env") {
      for (const Member& one : value.members) {
        process.environment.emplace_back(one.key, build_template(reading, one.value));
      }
    } else if (key == "files") {
      process.files = build_files(reading, value);
    } else if (key == "input") {
      process.input = build_payload(reading, value);
    } else if (key == "ready") {
      process.ready = build_ready(reading, value);
    } else if (key == "stop") {
      build_stop(reading, value, process);
    } else if (key == "exits") {
      process.exits = build_exit(reading, value);
    } else if (key == "after") {
      process.after = build_texts(reading, value);
    } else if (key == "host") {
      process.host = build_text(reading, value);
    } else if (key == "output_max") {
      const Number size = build_size(reading, value);
      if (const auto* octets = std::get_if<int64_t>(&size)) process.output_max = *octets;
    }
  }
  reading.step_path.clear();
  if (process.run.empty()) reading.malformed(member.value.at, "a program is expected here");
  return process;
}

// Those that others are `after` first; the file's order otherwise.
class StartOrder {
 public:
  StartOrder(Reading& reading, const Node& node, std::vector<Process> processes)
      : reading_(reading), node_(node), processes_(std::move(processes)) {
    for (size_t i = 0; i < processes_.size(); ++i) index_.emplace(processes_[i].name, i);
  }

  std::vector<Process> sorted() {
    state_.resize(processes_.size());
    for (size_t i = 0; i < processes_.size(); ++i) visit(i);
    return std::move(sorted_);
  }

 private:
  enum class State : uint8_t { kNew, kOpen, kDone };

  void visit(size_t number) {
    if (state_[number] != State::kNew) return;
    state_[number] = State::kOpen;
    for (const std::string& name : processes_[number].after) {
      const auto earlier = index_.find(name);
      if (earlier == index_.end()) {
        std::vector<std::string> known;
        for (const auto& [one, index] : index_) known.push_back(one);
        reading_.unknown(place(number), "process", name, known);
      } else if (state_[earlier->second] == State::kOpen) {
        reading_.mistake(place(number), fmt::format("'{}' waits for '{}', which waits for it",
                                                    processes_[number].name, name));
      } else {
        visit(earlier->second);
      }
    }
    state_[number] = State::kDone;
    sorted_.push_back(processes_[number]);
  }
  Location place(size_t number) const {
    const Member& member = node_.members[number];
    const Node* after = value_of(member.value, "after");
    return after == nullptr ? member.key_at : after->at;
  }

  Reading& reading_;
  const Node& node_;
  std::vector<Process> processes_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<State> state_;
  std::vector<Process> sorted_;
};

// Streams forward to streams, datagrams to datagrams.
void judge_transports(Reading& reading, const Relay& relay) {
  std::optional<Transport> to = relay.to.address.transport;
  if (!relay.to.actor.empty()) {
    const ActorOutline* target = reading.outline().find(relay.to.actor);
    to = target == nullptr ? std::nullopt : target->service;
  }
  if (to && keeps_boundaries(*to) != keeps_boundaries(relay.address.transport)) {
    reading.mistake(relay.to.at,
                    fmt::format("a relay cannot turn {} into {}",
                                transport_name(relay.address.transport), transport_name(*to)));
  }
}

Relay build_relay(Reading& reading, const Member& member) {
  Relay relay;
  relay.at = member.key_at;
  relay.name = relay.host = member.key;
  judge_name(reading, member, ActorOutline::Kind::kRelay);
  for (const auto& [key, key_at, value] : member.value.members) {
    if (key == "listen") {
      relay.address = build_address(reading, value);
    } else if (key == "to") {
      relay.to = build_target(reading, value, TargetUse::kReach);
      if (relay.to.actor == relay.name) {
        reading.mistake(value.at, fmt::format("'{}' would forward to itself", relay.name));
      }
    } else if (key == "host") {
      relay.host = build_text(reading, value);
    } else if (key == "chop") {
      relay.chop = build_integer_range(reading, value);
      relay.chop->high = std::min<int64_t>(relay.chop->high, int64_t{1} << 30);
    } else if (key == "delay") {
      relay.delay = build_duration_range(reading, value);
      if (relay.delay.high == Duration::max()) {
        reading.mistake(value.at, "a delay without an upper end");
      }
    } else if (key == "rate") {
      relay.rate = parse_rate(value.string).value_or(0);
    }
  }
  judge_transports(reading, relay);
  if (keeps_boundaries(relay.address.transport) && (relay.chop || relay.rate > 0)) {
    reading.mistake(relay.at,
                    fmt::format("'{}' is for streams: '{}' forwards datagrams",
                                relay.chop ? "chop" : "rate", relay.name),
                    {"\"network\" can slow them down"});
  }
  return relay;
}

}  // namespace

ExitCondition build_exit(Reading& reading, const Node& node) {
  ExitCondition condition;
  condition.at = node.at;
  if (node.kind == Node::Kind::kString && node.string == "any") return condition;
  if (node.kind == Node::Kind::kString && signal_from_name(node.string)) {
    condition.signal = node.string;
  } else {
    condition.status = build_integer_range(reading, node);
  }
  return condition;
}

std::vector<Process> build_processes(Reading& reading, const Node& node) {
  std::vector<Process> processes;
  if (node.members.size() > kProcessesMax) {
    reading.mistake(node.at, fmt::format("more than {} processes", kProcessesMax));
    return processes;
  }
  for (const Member& member : node.members) processes.push_back(build_process(reading, member));
  return StartOrder(reading, node, std::move(processes)).sorted();
}

std::vector<Relay> build_relays(Reading& reading, const Node& node) {
  std::vector<Relay> relays;
  for (const Member& member : node.members) relays.push_back(build_relay(reading, member));
  return relays;
}

}  // namespace netrig
