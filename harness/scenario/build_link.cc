#include "harness/scenario/build_link.h"

#include <fmt/format.h>
#include <functional>
#include <limits>

#include "harness/scenario/payload_file.h"

namespace netrig {

namespace {

constexpr uint32_t kPpmWhole = 1'000'000;

// Reads and parses a file that was not read yet; `known` holds also those with mistakes, as null.
template <typename T>
std::shared_ptr<const T> read_once(
    Reading& reading, const Node& node, size_t octets_max,
    std::map<std::string, std::shared_ptr<const T>>& known,
    std::expected<std::shared_ptr<const T>, std::string> (*parse)(std::string_view)) {
  const std::string path = build_text(reading, node);
  if (path.empty()) return nullptr;  // told by the table's check
  if (const auto found = known.find(path); found != known.end()) return found->second;
  std::string problem;
  std::shared_ptr<const T>& place = known[path];
  const Range<int64_t> whole{0, std::numeric_limits<int64_t>::max()};
  if (auto text = read_payload_file(reading.folder(), path, whole, octets_max); !text) {
    problem = text.error();
  } else if (auto parsed = parse(*text)) {
    place = std::move(*parsed);
  } else {
    problem = parsed.error();
  }
  if (!problem.empty()) {
    reading.mistake(node.at, fmt::format("the file '{}': {}", path, problem),
                    {"files are relative to the scenario's folder"});
  }
  return place;
}

Probability build_probability(Reading& reading, const Node& node) {
  Parsed<Probability> value = parse_probability(node.string);
  if (value) return *value;
  reading.malformed(node.at, value.error());
  return {};
}

uint64_t build_bit_rate(Reading& reading, const Node& node) {
  Parsed<uint64_t> value = parse_rate(node.string);
  if (value) return *value;
  reading.malformed(node.at, value.error());
  return 0;
}

int64_t build_bounded(Reading& reading, const Node& object, std::string_view key, int64_t low,
                      int64_t high, int64_t otherwise) {
  const Node* node = value_of(object, key);
  return node == nullptr ? otherwise : build_integer(reading, *node, low, high);
}

Probability build_chance(Reading& reading, const Node& object, std::string_view key,
                         uint32_t otherwise_ppm = 0) {
  const Node* node = value_of(object, key);
  return node == nullptr ? Probability{otherwise_ppm} : build_probability(reading, *node);
}

bool is_object(const Node& node) {
  return node.kind == Node::Kind::kObject;
}

// ---------------------------------------------------------------- delay and chance

void build_distribution(Reading& reading, const Node& node, LinkFiles& files, LinkConfig& config) {
  DelayDistribution& delay = config.distribution.emplace();
  if (const Node* mean = value_of(node, "mean")) delay.mean = build_duration(reading, *mean);
  if (const Node* jitter = value_of(node, "jitter")) {
    delay.jitter = build_duration(reading, *jitter);
  }
  delay.correlation = build_chance(reading, node, "correlation");
  if (delay.correlation.ppm != 0) delay.places = files.known_table("normal");
  const Node* name = value_of(node, "distribution");
  const Member* table = node.find("table");
  const std::string distribution = name == nullptr ? "normal" : name->string;
  if (table != nullptr && distribution != "table") {
    reading.mistake(table->key_at, "'table' goes only with \"distribution\": \"table\"");
  } else if (distribution == "table") {
    if (table == nullptr) {
      reading.mistake(name->at, "a distribution by a table needs the table's file",
                      {"\"table\": \"experimental.dist\""});
    } else {
      delay.table = files.table(table->value);
    }
  } else if (distribution != "uniform") {
    delay.table = files.known_table(distribution);
    delay.normal = distribution == "normal";
  }
}

void build_delay(Reading& reading, const Node& node, LinkFiles& files, LinkConfig& config) {
  if (is_object(node)) return build_distribution(reading, node, files, config);
  config.delay = build_duration_range(reading, node);
  if (config.delay.high != Duration::max()) return;
  reading.mistake(node.at, "a delay without an upper end");
  config.delay.high = config.delay.low;
}

// What leaves one state cannot be more than all.
void check_sum(Reading& reading, const Node& node, Probability a, Probability b,
               std::string_view names) {
  if (a.ppm + b.ppm <= kPpmWhole) return;
  reading.mistake(node.at, fmt::format("{} are more than 100% together", names));
}

void build_loss(Reading& reading, const Node& node, LinkConfig& config) {
  if (!is_object(node)) {
    config.loss = build_probability(reading, node);
    return;
  }
  config.loss = build_chance(reading, node, "random");
  config.loss_correlation = build_chance(reading, node, "correlation");
  if (const Node* channel = value_of(node, "gemodel")) {
    config.gemodel = {.good_to_bad = build_chance(reading, *channel, "good_to_bad"),
                      .bad_to_good = build_chance(reading, *channel, "bad_to_good"),
                      .loss_in_bad = build_chance(reading, *channel, "loss_in_bad", kPpmWhole),
                      .loss_in_good = build_chance(reading, *channel, "loss_in_good")};
  }
  const Node* state = value_of(node, "state");
  if (state == nullptr) return;
  const Probability p13 = build_chance(reading, *state, "p13");
  const Probability p32 = build_chance(reading, *state, "p32");
  // tc-netem(8) gives p31 what p13 leaves; p32 may have taken of that.
  const uint32_t left = std::min(kPpmWhole - p13.ppm, kPpmWhole - p32.ppm);
  const FourStateLoss chain = {.p13 = p13,
                               .p31 = build_chance(reading, *state, "p31", left),
                               .p32 = p32,
                               .p23 = build_chance(reading, *state, "p23", kPpmWhole),
                               .p14 = build_chance(reading, *state, "p14")};
  check_sum(reading, *state, chain.p13, chain.p14, "'p13' and 'p14'");
  check_sum(reading, *state, chain.p31, chain.p32, "'p31' and 'p32'");
  config.loss_states = chain;
}

// A probability, or one with memory.
void build_fault(Reading& reading, const Node& node, Probability& probability,
                 Probability& correlation) {
  if (!is_object(node)) {
    probability = build_probability(reading, node);
    return;
  }
  probability = build_chance(reading, node, "probability");
  correlation = build_chance(reading, node, "correlation");
}

void build_reorder(Reading& reading, const Node& node, LinkConfig& config) {
  build_fault(reading, node, config.reorder, config.reorder_correlation);
  if (!is_object(node)) return;
  config.reorder = build_chance(reading, node, "probability", kPpmWhole);
  config.reorder_gap = static_cast<uint32_t>(build_bounded(reading, node, "gap", 1, 1'000'000, 0));
  const Node* early = value_of(node, "early");
  config.reorder_early = early != nullptr && build_boolean(reading, *early);
}

// ---------------------------------------------------------------- rate and queue

void build_rate(Reading& reading, const Node& node, LinkConfig& config) {
  if (!is_object(node)) {
    config.rate = build_bit_rate(reading, node);
    return;
  }
  if (const Node* rate = value_of(node, "rate")) config.rate = build_bit_rate(reading, *rate);
  config.overhead = {
      .packet_overhead =
          static_cast<int32_t>(build_bounded(reading, node, "packet_overhead", -1000, 100'000, 0)),
      .cell_size =
          static_cast<uint32_t>(build_bounded(reading, node, "cell_size", 1, 1'000'000, 0)),
      .cell_overhead =
          static_cast<int32_t>(build_bounded(reading, node, "cell_overhead", -1000, 100'000, 0))};
}

// Packets, octets or a time: one of the three limits, the others are off.
void build_limit(Reading& reading, const Node& node, LinkConfig& config) {
  if (node.kind == Node::Kind::kInteger) {
    config.queue_packets = static_cast<uint32_t>(build_integer(reading, node, 1, 1'000'000));
    return;
  }
  config.queue_packets = 0;
  if (const Parsed<Duration> time = parse_duration(node.string)) {
    config.queue_time = *time;
    if (*time > Duration{0}) return;
    reading.mistake(node.at, "a queue in which nothing may wait needs at least \"1ns\"");
    return;
  }
  const Parsed<uint64_t> octets = parse_size(node.string);
  if (!octets) return reading.malformed(node.at, octets.error());
  config.queue_octets = *octets;
  if (node.string.find_first_of("BiMGk") == std::string::npos) {
    reading.mistake(node.at, "octets need a unit here, packets are an integer",
                    {fmt::format("\"{0}B\" or {0}", node.string)});
  }
}

void build_codel(Reading& reading, const Node& node, LinkConfig& config) {
  const Node* discipline = value_of(node, "discipline");
  const bool codel = discipline != nullptr && discipline->string == "codel";
  CodelParameters parameters;
  for (const auto& [key, key_at, value] : node.members) {
    if (key != "target" && key != "interval" && key != "ecn") continue;
    if (!codel) {
      reading.mistake(key_at, fmt::format("'{}' goes only with \"discipline\": \"codel\"", key));
    }
    if (key == "ecn") {
      parameters.ecn = build_boolean(reading, value);
    } else if (key == "target") {
      parameters.target = build_duration(reading, value);
    } else {
      parameters.interval = build_duration(reading, value);
    }
  }
  if (codel) config.codel = parameters;
}

void build_queue(Reading& reading, const Node& node, LinkConfig& config) {
  if (!is_object(node)) return build_limit(reading, node, config);
  if (const Node* limit = value_of(node, "limit")) build_limit(reading, *limit, config);
  build_codel(reading, node, config);
}

}  // namespace

std::shared_ptr<const QuantileTable> LinkFiles::table(const Node& node) {
  return read_once(reading_, node, kQuantileFileMax, tables_, parse_quantile_table);
}

std::shared_ptr<const DeliveryTrace> LinkFiles::trace(const Node& node) {
  return read_once(reading_, node, kTraceFileMax, traces_, parse_delivery_trace);
}

std::shared_ptr<const QuantileTable> LinkFiles::known_table(const std::string& name) {
  std::shared_ptr<const QuantileTable>& place = known_[name];
  if (!place) {
    place = name == "pareto"         ? pareto_table()
            : name == "paretonormal" ? paretonormal_table()
                                     : normal_table();
  }
  return place;
}

LinkConfig build_link(Reading& reading, const Node& node, LinkFiles& files) {
  LinkConfig config;
  for (const auto& [key, key_at, value] : node.members) {
    if (key == "delay") {
      build_delay(reading, value, files, config);
    } else if (key == "loss") {
      build_loss(reading, value, config);
    } else if (key == "duplicate") {
      build_fault(reading, value, config.duplicate, config.duplicate_correlation);
    } else if (key == "corrupt") {
      build_fault(reading, value, config.corrupt, config.corrupt_correlation);
    } else if (key == "reorder") {
      build_reorder(reading, value, config);
    } else if (key == "rate") {
      build_rate(reading, value, config);
    } else if (key == "trace") {
      config.trace = files.trace(value);
    } else if (key == "queue") {
      build_queue(reading, value, config);
    } else if (key == "mtu") {
      config.mtu = static_cast<uint32_t>(build_integer(reading, value, 576, 65'535));
    }
  }
  return config;
}

}  // namespace netrig
