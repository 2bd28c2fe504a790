#include "harness/wire/wire_path.h"

#include <algorithm>
#include <fmt/format.h>
#include <poll.h>

#include "harness/base/text.h"
#include "harness/wire/wire_path_parts.h"

namespace netrig {
namespace {

// Packets that are carried before others get their turn.
constexpr size_t kPacketsAtOnce = 512;
// How long closed connections get to exchange their last segments, as on `real`.
constexpr Duration kFarewell = 300ms;
// How much longer what programs have left at the ports may take: they are stopped by then.
constexpr Duration kRestMax = 3s;

std::optional<Transport> transport_of(const WirePacket& packet) {
  if (!packet.has_transport) return std::nullopt;
  return packet.protocol == kProtocolTcp ? Transport::kTcp : Transport::kUdp;
}

}  // namespace

WirePath::WirePath(const CarrierSurroundings& world, std::shared_ptr<WireNetwork> network,
                   WirePathOptions options)
    : loop_(world.loop),
      hosts_(world.hosts),
      sockets_(world.sockets),
      tap_(world.tap),
      observer_(world.observer),
      network_(std::move(network)),
      options_(std::move(options)),
      flows_(world.hosts, world.sockets, world.tmp) {
  lanes_.resize(network_->size());
  for (auto& of_sender : lanes_) of_sender.resize(network_->size());
  for (size_t host = 0; host < network_->size(); ++host) {
    loop_.watch(network_->port(host).descriptor(), [this, host] {
      hot_.push_back(host);
      take_all(kPacketsAtOnce);
    });
  }
}

WirePath::~WirePath() {
  for (size_t host = 0; host < network_->size(); ++host) {
    loop_.unwatch(network_->port(host).descriptor());
  }
  for (auto& of_sender : lanes_) {
    for (auto& lane : of_sender) {
      if (lane && lane->timer) loop_.cancel(*lane->timer);
    }
  }
}

void WirePath::carry(size_t host) {
  if (taking_) return;
  caller_ = host;
  hot_.push_back(host);
  take_all(kPacketsAtOnce);
  caller_.reset();
}

// What a packet causes at its receiver comes out of that host's port at once, so it is asked next.
// What is left at the end the ports tell the loop.
bool WirePath::take_all(size_t packets_max) {
  if (taking_) return false;
  taking_ = true;
  size_t left = packets_max;
  Port::Received received;
  while (!hot_.empty() && left > 0) {
    const size_t host = hot_.back();
    hot_.pop_back();
    while (left > 0 && network_->port(host).read(received)) {
      --left;
      take(host, received);
    }
  }
  hot_.clear();
  taking_ = false;
  return left > 0;
}

void WirePath::take(size_t from, const Port::Received& received) {
  const auto packet = parse_wire_packet(received.offload, received.octets);
  const auto to = packet ? hosts_.by_address(packet->destination) : std::nullopt;
  if (!to || *to == from) {
    ++counters_.to_nobody;
    return;
  }
  const uint64_t slot = take_slot();
  Held& held = held_[slot];
  held.packet = *packet;
  held.offload = received.offload;
  held.octets = received.octets;
  held.sent_at = loop_.clock();
  if (caller_ == from) held.activity = loop_.activity();
  if (packet->fragment) {
    held.datagram = fragments_.add(*packet, received.octets);
    if (!held.datagram) return release(slot, 1);
    held.packet = held.datagram->first;
    held.octets = {};
  }
  if (held_octets_ > kHeldOctetsMax) {
    ++counters_.no_room;
    return release(slot, 1);
  }
  pass(lane(from, *to), slot);
}

// One reference of the packet is this function's own, so that it stays until all is decided.
void WirePath::pass(Lane& lane, uint64_t slot) {
  Held& held = held_[slot];
  const WirePacket& packet = held.packet;
  const uint32_t segments = held.datagram ? 1 : packet.segments();
  const bool named = lane.faulty || tap_.enabled() || (observer_ != nullptr && held.is_datagram());
  TcpDirection* direction = nullptr;
  if (named && packet.has_transport && packet.protocol == kProtocolTcp) {
    direction = flows_.direction(lane.from, lane.to, packet);
  }
  if (named) {
    held.left += segments;
    for (uint32_t index = 0; index < segments; ++index) {
      offer(lane, slot, index, name(lane, packet, direction, index));
    }
  } else {
    counters_.sent += segments;
    if (held.is_datagram()) counters_.datagrams_sent += segments;
    if (packet.has_transport && packet.protocol == kProtocolTcp) counters_.tcp_sent += segments;
  }
  if (lane.faulty) {
    let_go(lane);
    if (held.left > 1) keep(held);
  } else {
    emit_run(lane, held, 0, segments);
    if (named) release(slot, segments);
  }
  release(slot, 1);
}

// It waits for its link: in memory of its own, for the port's is needed again.
void WirePath::keep(Held& held) {
  if (held.datagram) {
    for (const Bytes& fragment : held.datagram->fragments) held.waiting += fragment.size();
  } else {
    held.storage = held.octets;
    held.octets = held.storage;
    held.waiting = held.storage.size();
  }
  held_octets_ += held.waiting;
}

WireName WirePath::name(Lane& lane, const WirePacket& packet, TcpDirection* direction,
                        uint32_t index) {
  if (direction != nullptr) return flows_.segment(*direction, packet, index);
  if (packet.has_transport && packet.protocol == kProtocolUdp) {
    return flows_.datagram(lane.from, lane.to, packet.from(), packet.to());
  }
  WireName name;
  name.stream = lane.other_stream;
  name.ordinal = ++lane.other_packets;
  return name;
}

void WirePath::offer(Lane& lane, uint64_t slot, uint32_t index, const WireName& name) {
  Held& held = held_[slot];
  const auto transport = transport_of(held.packet);
  const uint32_t payload = held.payload_size(index);
  Fate fate;
  if (lane.faulty) {
    fate = lane.link.offer(held.sent_at,
                           {.transport = transport,
                            .stream = name.stream,
                            .ordinal = name.ordinal,
                            .payload_size = transport ? payload : 0,
                            .overhead = held.packet.header_size + (transport ? 0 : payload),
                            .handle = slot << kIndexBits | index,
                            .flow_number = name.flow_number,
                            .service = name.service,
                            .service_port = name.service_port,
                            .ecn_capable = held.packet.ecn != 0});
  }
  decided(held, index, name, fate);
  if (tap_.enabled()) held.fates.push_back(fate);
  if (held.is_datagram()) held.names.push_back(name.packet);
  if (options_.capture_sent) capture_run(lane, held, index, 1);
  if (fate.dropped == DropCause::kNone) return;
  if (fate.dropped == DropCause::kMtu) send_too_big(lane, held, index);
  release(slot, 1);
}

void WirePath::decided(const Held& held, uint32_t index, const WireName& name, const Fate& fate) {
  const uint64_t dropped = fate.dropped != DropCause::kNone ? 1 : 0;
  ++counters_.sent;
  counters_.dropped += dropped;
  if (name.flow != 0) {
    ++counters_.tcp_sent;
    counters_.tcp_dropped += dropped;
    if (name.acknowledgement) counters_.acknowledgements_dropped += dropped;
    if (!name.acknowledgement && name.ordinal % 65536 > 0) ++counters_.retransmissions;
  } else if (held.is_datagram()) {
    ++counters_.datagrams_sent;
    counters_.datagrams_dropped += dropped;
  }
  if (observer_ == nullptr) return;
  // Every datagram; of segments only those to which more happened than a delay.
  Fate in_time = fate;
  in_time.delay = Duration{0};
  if (!held.is_datagram() && (name.flow == 0 || in_time.delivered_untouched())) return;
  observer_->on_fate({.packet = flows_.packet_name(name),
                      .fate = fate,
                      .size = held.payload_size(index),
                      .sent_at = held.sent_at,
                      .activity = held.activity});
}

void WirePath::send_too_big(const Lane& lane, const Held& held, uint32_t index) {
  Bytes segment;
  if (held.datagram) {
    segment = held.datagram->fragments.front();
  } else {
    append_segment(segment, held.packet, held.offload, held.octets, index);
  }
  const Bytes answer = packet_too_big(segment, lane.link.config().mtu);
  take(lane.to, {{}, answer});
}

WirePath::Lane& WirePath::lane(size_t from, size_t to) {
  auto& place = lanes_[from][to];
  if (!place) {
    const std::string direction = hosts_.name(from) + " -> " + hosts_.name(to);
    const auto found = options_.links.find(direction);
    place = std::make_unique<Lane>(from, to, options_.seed, direction,
                                   found == options_.links.end() ? LinkConfig() : found->second);
  }
  return *place;
}

uint64_t WirePath::take_slot() {
  ++held_count_;
  if (free_slots_.empty()) {
    held_.emplace_back();
    held_.back().left = 1;
    return held_.size() - 1;
  }
  const uint64_t slot = free_slots_.back();
  free_slots_.pop_back();
  held_[slot].left = 1;
  return slot;
}

void WirePath::release(uint64_t slot, uint32_t segments) {
  Held& held = held_[slot];
  held.left -= segments;
  if (held.left > 0) return;
  held_octets_ -= std::exchange(held.waiting, 0);
  held.octets = {};
  held.datagram.reset();
  held.fates.clear();
  held.names.clear();
  held.activity = SharedText();
  if (!held.storage.empty()) held.storage = Bytes();
  free_slots_.push_back(slot);
  --held_count_;
}

void WirePath::arm(Lane& lane) {
  const auto next = lane.link.next_due();
  if (lane.timer && next == lane.timer_at) return;
  if (lane.timer) loop_.cancel(*lane.timer);
  lane.timer.reset();
  if (!next) return;
  lane.timer_at = *next;
  lane.timer = loop_.at(*next, [this, &lane] {
    lane.timer.reset();
    let_go(lane);
    take_all(kPacketsAtOnce);
  });
}

bool WirePath::take_rest(Instant limit) {
  do {
    for (size_t host = 0; host < network_->size(); ++host) hot_.push_back(host);
    if (take_all(kPacketsAtOnce)) return true;
  } while (loop_.clock() < limit);
  return false;
}

// The loop's turns are over: ports and links are asked here.
void WirePath::finish(WorldReport& told) {
  std::vector<pollfd> ports;
  for (size_t host = 0; host < network_->size(); ++host) {
    ports.push_back({network_->port(host).descriptor(), POLLIN, 0});
  }
  const Instant limit = loop_.clock() + kFarewell;
  while (true) {
    if (!take_rest(limit + kRestMax)) {
      told.invalid.push_back("packets still waited at the ports of the wire when the run ended");
      break;
    }
    for (auto& of_sender : lanes_) {
      for (auto& lane : of_sender) {
        if (lane && lane->faulty) let_go(*lane);
      }
    }
    const bool waits = tap_.enabled() && tap_.comments().farewells_missing();
    if (!waits || loop_.clock() >= limit) break;
    ::poll(ports.data(), ports.size(), held_count_ > 0 ? 1 : 10);
  }
  report(told);
}

void WirePath::report(WorldReport& told) {
  const auto set = [&](const char* name, uint64_t value) {
    told.counters[name] = static_cast<int64_t>(value);
  };
  set("packets_sent", counters_.sent);
  set("packets_delivered", counters_.delivered);
  set("packets_dropped", counters_.dropped);
  set("packets_to_nobody", counters_.to_nobody);
  set("tcp_segments_sent", counters_.tcp_sent);
  set("tcp_segments_dropped", counters_.tcp_dropped);
  set("tcp_acks_dropped", counters_.acknowledgements_dropped);
  set("tcp_retransmissions", counters_.retransmissions);
  set("last_arrival_us",
      static_cast<uint64_t>(counters_.last_arrival.time_since_epoch().count() / 1000));
  // On top of what did not cross the wire: datagrams of Unix sockets, and within a host.
  told.counters["datagrams_sent"] += static_cast<int64_t>(counters_.datagrams_sent);
  told.counters["datagrams_dropped"] += static_cast<int64_t>(counters_.datagrams_dropped);
  int64_t& late = told.counters["late_timer_max_us"];
  late = std::max<int64_t>(late, lateness_max_.count() / 1000);
  told.counters["late_timer_median_us"] = median_lateness().count() / 1000;
  told.notes.push_back(fmt::format("the wire: {}", port_kind_name(network_->kind())));
  if (lateness_max_ > kLatenessMax) {
    told.invalid.push_back(
        fmt::format("a packet left its link {} too late", format_duration(lateness_max_)));
  }
  if (counters_.no_room > 0) {
    told.invalid.push_back(fmt::format("{} found more than {} octets under way on the wire",
                                       plural(counters_.no_room, "packet"), kHeldOctetsMax));
  }
  if (counters_.refused > 0) {
    told.invalid.push_back(
        fmt::format("the kernel refused {} of the wire", plural(counters_.refused, "packet")));
  }
  for (size_t host = 0; host < network_->size(); ++host) {
    const WireNetwork::Drops drops = network_->drops(host);
    if (drops.sent + drops.received == 0) continue;
    told.invalid.push_back(fmt::format("the kernel dropped {} from and {} to {} on the wire",
                                       plural(drops.sent, "packet"), drops.received,
                                       hosts_.name(host)));
  }
}

}  // namespace netrig
