#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/capture/packet_filter.h"
#include "harness/scenario/build.h"
#include "harness/scenario/format_table.h"

namespace netrig {

namespace {

constexpr const char* kKinds[] = {"capture", "order",       "time",   "delivery",
                                  "latency", "connections", "stream", "process"};

const Member* find_kind(const Node& node) {
  for (const Member& member : node.members) {
    if (std::find(std::begin(kKinds), std::end(kKinds), member.key) != std::end(kKinds))
      return &member;
  }
  return nullptr;
}

// A filter with variables of the run cannot be compiled yet, but its grammar can be judged.
std::string with_stand_ins(const Template& filter) {
  std::string text;
  for (const Template::Segment& segment : filter.segments) {
    if (segment.variable.empty()) {
      text += segment.literal;
    } else {
      text += segment.variable.ends_with(".address") ? "10.0.0.1" : "1";
    }
  }
  return text;
}

class ExpectationBuilder {
 public:
  ExpectationBuilder(Reading& reading, const std::map<std::string, PacketKind>& packets,
                     bool in_run)
      : reading_(reading), packets_(packets), in_run_(in_run) {
    for (const auto& [name, kind] : packets) kinds_.push_back(name);
    for (const std::string& name : PacketFilter::builtin_names()) kinds_.push_back(name);
  }

  std::optional<Expectation> build(const Node& node);

 private:
  std::optional<Expectation> build_kind(const Node& node);
  std::string packet_kind(const Node& node);
  CountRange count(const Node& node) { return {node.at, build_integer_range(reading_, node)}; }
  TimeRange time(const Node& node) { return {node.at, build_duration_range(reading_, node)}; }
  std::pair<std::string, std::string> hosts(const Node& node);
  std::pair<std::string, std::string> endpoints(const Node& node);

  CaptureExpectation build_capture(const Node& node, const Node& value);
  OrderExpectation build_order(const Node& value);
  TimeExpectation build_time(const Node& node, const Node& value);
  DeliveryExpectation build_delivery(const Node& node, const Node& value);
  LatencyExpectation build_latency(const Node& node, const Node& value);
  ConnectionsExpectation build_connections(const Node& node, const Node& value);
  StreamExpectation build_stream(const Node& node, const Node& value);
  ProcessExpectation build_process(const Node& node, const Node& value);

  Reading& reading_;
  const std::map<std::string, PacketKind>& packets_;
  bool in_run_;
  std::vector<std::string> kinds_;
};

std::string ExpectationBuilder::packet_kind(const Node& node) {
  std::string name = build_text(reading_, node);
  if (!packets_.contains(name) && !PacketFilter::is_builtin(name)) {
    reading_.unknown(node.at, "kind of packets", name, kinds_);
  }
  return name;
}

std::pair<std::string, std::string> ExpectationBuilder::hosts(const Node& node) {
  const std::optional<Arrow> arrow = parse_arrow(node.string);
  if (!arrow || arrow->kind != "->") {
    reading_.malformed(node.at, "a direction is expected here: \"client -> server\"");
    return {};
  }
  for (const std::string& host : {arrow->from, arrow->to}) {
    if (reading_.outline().has_host(host)) continue;
    const ActorOutline* actor = reading_.outline().find(host);
    if (actor != nullptr) {
      reading_.mistake(node.at, fmt::format("'{}' is not a host but an actor on the host '{}'",
                                            host, actor->host));
    } else {
      reading_.unknown(node.at, "host", host, reading_.outline().hosts);
    }
  }
  return {arrow->from, arrow->to};
}

// Of a capture alone: addresses, with or without ports.
std::pair<std::string, std::string> ExpectationBuilder::endpoints(const Node& node) {
  const std::string& text = node.string;
  size_t arrow = text.find(" -> ");
  std::pair<std::string, std::string> ends;
  if (arrow != std::string::npos) ends = {text.substr(0, arrow), text.substr(arrow + 4)};
  for (const std::string& end : {ends.first, ends.second}) {
    if (IpAddress::parse(end) || Endpoint::parse(end)) continue;
    reading_.mistake(node.at, "without a run 'stream' needs addresses",
                     {"\"10.0.0.1:40000 -> 10.0.0.2:80\""});
    break;
  }
  return ends;
}

CaptureExpectation ExpectationBuilder::build_capture(const Node& node, const Node& value) {
  CaptureExpectation capture{packet_kind(value), {}, {}};
  if (const Node* range = value_of(node, "count")) capture.count = count(*range);
  if (const Node* range = value_of(node, "bytes")) capture.bytes = count(*range);
  if (!capture.count && !capture.bytes) {
    reading_.malformed(value.at, "'capture' needs 'count' or 'bytes'");
  }
  return capture;
}

OrderExpectation ExpectationBuilder::build_order(const Node& value) {
  OrderExpectation order;
  for (const Node& element : value.elements) {
    order.packets.push_back(packet_kind(element));
    order.places.push_back(element.at);
  }
  return order;
}

TimeExpectation ExpectationBuilder::build_time(const Node& node, const Node& value) {
  TimeExpectation expectation;
  if (value.elements.size() != 2) {
    reading_.malformed(value.at, "two kinds of packets are expected here");
    return expectation;
  }
  expectation.from = packet_kind(value.elements[0]);
  expectation.to = packet_kind(value.elements[1]);
  if (const Node* is = value_of(node, "is")) expectation.is = time(*is);
  return expectation;
}

DeliveryExpectation ExpectationBuilder::build_delivery(const Node& node, const Node& value) {
  DeliveryExpectation delivery;
  std::tie(delivery.from, delivery.to) = hosts(value);
  for (const auto& [key, key_at, range] : node.members) {
    if (key != "delivery") delivery.counts[key] = count(range);
  }
  return delivery;
}

LatencyExpectation ExpectationBuilder::build_latency(const Node& node, const Node& value) {
  LatencyExpectation latency;
  std::tie(latency.from, latency.to) = hosts(value);
  for (const auto& [key, key_at, range] : node.members) {
    if (key != "latency") latency.quantiles[key] = time(range);
  }
  return latency;
}

ConnectionsExpectation ExpectationBuilder::build_connections(const Node& node, const Node& value) {
  ConnectionsExpectation connections{build_text(reading_, value), {}};
  const ActorOutline* actor = reading_.outline().find(connections.actor);
  if (actor == nullptr) {
    reading_.unknown(value.at, "actor", connections.actor, reading_.outline().actor_names);
  } else if (actor->transport && !has_connections(*actor->transport)) {
    reading_.mistake(value.at, fmt::format("'{}' has no connections: its transport is {}",
                                           actor->name, transport_name(*actor->transport)));
  }
  for (const auto& [key, key_at, range] : node.members) {
    if (key != "connections") connections.counts[key] = count(range);
  }
  return connections;
}

StreamExpectation ExpectationBuilder::build_stream(const Node& node, const Node& value) {
  StreamExpectation stream;
  std::tie(stream.from, stream.to) = in_run_ ? hosts(value) : endpoints(value);
  if (const Node* connection = value_of(node, "connection")) {
    stream.connection = build_integer(reading_, *connection, 1, 1'000'000'000);
  }
  if (const Node* is = value_of(node, "is")) stream.is = build_matcher(reading_, *is);
  return stream;
}

ProcessExpectation ExpectationBuilder::build_process(const Node& node, const Node& value) {
  ProcessExpectation process;
  process.process = build_text(reading_, value);
  const ActorOutline* outline = reading_.outline().find(process.process);
  if (outline == nullptr || outline->kind != ActorOutline::Kind::kProcess) {
    std::vector<std::string> known;
    for (const ActorOutline& one : reading_.outline().actors) {
      if (one.kind == ActorOutline::Kind::kProcess) known.push_back(one.name);
    }
    reading_.unknown(value.at, "process", process.process, known);
  }
  for (const auto& [key, key_at, what] : node.members) {
    if (key == "exit") process.exit = build_exit(reading_, what);
    if (key == "stdout") process.out = build_matcher(reading_, what);
    if (key == "stderr") process.errors = build_matcher(reading_, what);
  }
  return process;
}

// `spec` is the same for all kinds, whose other keys differ.
std::optional<Expectation> ExpectationBuilder::build(const Node& node) {
  const Node* spec = value_of(node, "spec");
  if (spec == nullptr) return build_kind(node);
  Node rest = node;
  std::erase_if(rest.members, [](const Member& member) { return member.key == "spec"; });
  std::optional<Expectation> expectation = build_kind(rest);
  if (expectation) expectation->spec = build_texts(reading_, *spec);
  return expectation;
}

std::optional<Expectation> ExpectationBuilder::build_kind(const Node& node) {
  const Member* kind = find_kind(node);
  if (kind == nullptr) {
    reading_.malformed(node.at, "an expectation is expected here");
    return std::nullopt;
  }
  const auto& [key, key_at, value] = *kind;
  if (!in_run_ &&
      (key == "delivery" || key == "latency" || key == "connections" || key == "process")) {
    reading_.mistake(key_at, fmt::format("'{}' can only be checked in a run", key),
                     {"a capture alone shows capture, order, time and stream"});
    return std::nullopt;
  }
  if (key == "capture") return Expectation{key_at, build_capture(node, value)};
  if (key == "order") return Expectation{key_at, build_order(value)};
  if (key == "time") return Expectation{key_at, build_time(node, value)};
  if (key == "delivery") return Expectation{key_at, build_delivery(node, value)};
  if (key == "latency") return Expectation{key_at, build_latency(node, value)};
  if (key == "connections") return Expectation{key_at, build_connections(node, value)};
  if (key == "process") return Expectation{key_at, build_process(node, value)};
  return Expectation{key_at, build_stream(node, value)};
}

}  // namespace

std::map<std::string, PacketKind> build_packets(Reading& reading, const Node& node) {
  std::map<std::string, PacketKind> packets;
  for (const auto& [key, key_at, value] : node.members) {
    if (PacketFilter::is_builtin(key)) {
      reading.mistake(key_at, fmt::format("'{}' is built in", key), {"take another name"});
      continue;
    }
    PacketKind kind{value.at, build_template(reading, value)};
    if (value.kind == Node::Kind::kString) {
      auto filter = PacketFilter::compile(with_stand_ins(kind.filter));
      if (!filter) {
        reading.mistake(value.at, fmt::format("this filter does not compile: {}", filter.error()),
                        {"see pcap-filter(7)"});
      }
    }
    packets.emplace(key, std::move(kind));
  }
  return packets;
}

std::vector<Expectation> build_expectations(Reading& reading, const Node& node,
                                            const std::map<std::string, PacketKind>& packets,
                                            bool in_run) {
  ExpectationBuilder builder(reading, packets, in_run);
  std::vector<Expectation> expectations;
  for (const Node& element : node.elements) {
    if (auto expectation = builder.build(element)) expectations.push_back(std::move(*expectation));
  }
  return expectations;
}

}  // namespace netrig
