// The passage of a packet: named, offered to its link, told of, kept, delivered.

#include <algorithm>
#include <utility>

#include "fakes/network/fake_capture.h"
#include "fakes/network/network_parts.h"
#include "harness/base/require.h"

namespace netrig {
namespace {

// Headers that a link's rate counts on top of payload: IP, and UDP's 8 octets or TCP's 20; an ICMP
// error counts as if it quoted the least (RFC 792: the IP header and 64 bits).
constexpr uint32_t kIpV4Header = 20;
constexpr uint32_t kIpV6Header = 40;
constexpr uint32_t kUdpHeader = 8;
constexpr uint32_t kTcpHeader = 20;
constexpr uint32_t kIcmpHeader = 8;
constexpr uint32_t kIcmpQuoted = 8;
// RFC 792, RFC 4443.
constexpr uint8_t kUnreachable = 3;
constexpr uint8_t kFragmentationNeeded = 4;
constexpr uint8_t kPacketTooBigV6 = 2;
// What an error quotes at most: RFC 1812 4.3.2.3 (576 octets in all), RFC 4443 (1280 in all).
constexpr size_t kQuotedMaxV4 = 548;
constexpr size_t kQuotedMaxV6 = 1232;

uint32_t overhead_of(const FakePacket& packet) {
  const uint32_t ip = packet.source.is_v6() ? kIpV6Header : kIpV4Header;
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    return ip + kTcpHeader + static_cast<uint32_t>(options_size(*segment));
  }
  if (std::holds_alternative<FakeUdp>(packet.body)) return ip + kUdpHeader;
  if (std::holds_alternative<FakeIcmpError>(packet.body)) return ip * 2 + kIcmpHeader + kIcmpQuoted;
  return 0;
}

std::optional<Transport> transport_of(const FakePacket& packet) {
  if (std::holds_alternative<tcp::Segment>(packet.body)) return Transport::kTcp;
  if (std::holds_alternative<FakeUdp>(packet.body)) return Transport::kUdp;
  if (std::holds_alternative<FakeUnixDatagram>(packet.body)) return Transport::kUnixDgram;
  return std::nullopt;
}

bool is_datagram(const FakePacket& packet) {
  return std::holds_alternative<FakeUdp>(packet.body) ||
         std::holds_alternative<FakeUnixDatagram>(packet.body);
}

SharedBytes with_flipped_bit(BytePool& pool, const SharedBytes& payload, uint64_t bit) {
  Bytes damaged(payload.view());
  if (bit / 8 >= damaged.size()) return payload;
  char& octet = damaged[bit / 8];
  octet = static_cast<char>(octet ^ (0x80 >> bit % 8));
  return pool.copy(damaged);
}

// More than a delay: worth a record though it is no datagram.
bool is_remarkable(const Fate& fate) {
  return fate.dropped != DropCause::kNone || fate.copies != 1 || fate.copy_dropped ||
         fate.reordered || fate.corrupt_bit.has_value();
}

}  // namespace

void Network::send(FakePacket&& packet) {
  Parts& parts = *parts_;
  NETRIG_REQUIRE(packet.from < host_count());
  if (packet.to >= host_count()) return;  // a host knows better before it sends
  packet.sent_at = parts.loop.now();
  Parts::Lane* lane = parts.lane(packet.from, packet.to);
  const auto [stream, ordinal] = parts.draw_name(packet, lane);
  packet.ordinal = ordinal;
  Fate fate;
  const uint64_t handle = parts.free_slots.empty() ? parts.slots.size() : parts.free_slots.back();
  if (lane != nullptr) {
    fate = lane->link.offer(packet.sent_at, {.transport = transport_of(packet),
                                             .stream = stream,
                                             .ordinal = ordinal,
                                             .payload_size = packet.payload_size(),
                                             .overhead = overhead_of(packet),
                                             .handle = handle});
  }
  if (parts.options.trace) {
    parts.options.trace(parts.counters.packets_sent, packet, fate);
  }
  parts.count(packet, fate);
  parts.fingerprint.add(packet, fate);
  if (parts.options.observer != nullptr) parts.tell(packet, fate);
  if (parts.options.capture != nullptr) parts.options.capture->sent(packet, fate);
  if (fate.dropped == DropCause::kMtu) return parts.send_too_big(packet, *this);
  if (fate.dropped != DropCause::kNone) return;
  const uint64_t slot = parts.keep(std::move(packet), fate);
  if (lane == nullptr) {
    parts.arrivals.push_back({.slot = slot});
  } else {
    parts.take_due(*lane);
  }
}

// RFC 1191 section 4, RFC 4443 section 3.2: in the name of the receiver, there being no router.
void Network::Parts::send_too_big(const FakePacket& about, Network& network) const {
  const auto& segment = std::get<tcp::Segment>(about.body);
  const bool v6 = about.source.is_v6();
  FakeIcmpError error;
  error.type = v6 ? kPacketTooBigV6 : kUnreachable;
  error.code = v6 ? 0 : kFragmentationNeeded;
  error.rest = lane(about.from, about.to)->link.config().mtu;
  error.tcp = true;
  error.source = Endpoint(about.source, segment.source_port);
  error.destination = Endpoint(about.destination, segment.destination_port);
  error.seq = segment.seq;
  if (options.capture != nullptr) {
    append_octets(error.quoted, about);
    error.quoted.resize(std::min<size_t>(error.quoted.size(), v6 ? kQuotedMaxV6 : kQuotedMaxV4));
  }
  FakePacket packet;
  packet.from = about.to;
  packet.to = about.from;
  packet.source = about.destination;
  packet.destination = about.source;
  packet.dont_fragment = false;
  packet.body = std::move(error);
  network.send(std::move(packet));
}

// The stream and ordinal of the packet's draws. A segment that takes sequence space is named by its
// place in the connection and by how often it was sent, so the same ones are lost whatever else is
// sent.
std::pair<uint64_t, uint64_t> Network::Parts::draw_name(FakePacket& packet, Lane* lane) {
  if (packet.flow == 0) {
    if (lane == nullptr) return {0, 0};
    return {lane->icmp_stream, ++lane->icmp_packets};
  }
  const auto* segment = std::get_if<tcp::Segment>(&packet.body);
  if (segment == nullptr) return {flows.stream(packet.flow), flows.next_ordinal(packet.flow)};
  if (segment->length() > 0) {
    return {flows.stream(packet.flow), segment->relative_seq * 65536 + segment->times_sent};
  }
  Acknowledgements& own = acknowledgements_of(packet.flow);
  return {own.stream, ++own.packets};
}

Network::Parts::Acknowledgements& Network::Parts::acknowledgements_of(FlowId flow) {
  if (flow >= acknowledgements.size()) acknowledgements.resize(flow + 1);
  Acknowledgements& own = acknowledgements[flow];
  if (own.packets == 0) {
    own.stream = flow_stream(flows.direction(flow), flows.name(flow) + "|ack");
  }
  return own;
}

void Network::Parts::count(const FakePacket& packet, const Fate& fate) {
  const uint64_t dropped = fate.dropped != DropCause::kNone ? 1 : 0;
  ++counters.packets_sent;
  counters.packets_dropped += dropped;
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    ++counters.tcp_segments_sent;
    counters.tcp_segments_dropped += dropped;
    if (segment->length() == 0) counters.tcp_acks_dropped += dropped;
  } else if (is_datagram(packet)) {
    ++counters.datagrams_sent;
    counters.datagrams_dropped += dropped;
  }
}

// Every datagram; of segments only those to which something happened.
void Network::Parts::tell(const FakePacket& packet, const Fate& fate) {
  if (packet.flow == 0 || (!is_datagram(packet) && !is_remarkable(fate))) return;
  FateRecord record{.packet = flows.packet_name(packet.flow, packet.ordinal),
                    .fate = fate,
                    .size = packet.payload_size(),
                    .sent_at = packet.sent_at,
                    .activity = packet.activity};
  const auto* segment = std::get_if<tcp::Segment>(&packet.body);
  if (segment != nullptr && segment->length() == 0) record.packet.flow += "|ack";
  options.observer->on_fate(record);
}

uint64_t Network::Parts::keep(FakePacket&& packet, const Fate& fate) {
  if (free_slots.empty()) {
    slots.push_back({std::move(packet), fate});
    return slots.size() - 1;
  }
  const uint64_t slot = free_slots.back();
  free_slots.pop_back();
  slots[slot].packet = std::move(packet);
  slots[slot].fate = fate;
  return slot;
}

void Network::Parts::take_due(Lane& lane) {
  const Instant now = loop.now();
  auto next = lane.link.next_due();
  if (next && *next <= now) {
    departures.clear();
    lane.link.take_due(now, departures);
    for (const Departure& departure : departures) {
      arrivals.push_back({departure.handle, departure.copy, departure.last, departure.corrupt_bit});
    }
    next = lane.link.next_due();
  }
  const Instant when = next.value_or(Instant::max());
  if (!lane.alarm.is_set() || lane.alarm.when() != when) lane.alarm.set(when);
}

void Network::Parts::deliver(const Arrival& arrival) {
  Slot& slot = slots[arrival.slot];
  if (!arrival.last) {
    FakePacket copy = slot.packet;
    hand_over(copy, slot.fate, arrival);
    return;
  }
  hand_over(slot.packet, slot.fate, arrival);
  slot.packet.body.emplace<std::monostate>();
  free_slots.push_back(arrival.slot);
}

void Network::Parts::hand_over(FakePacket& packet, const Fate& fate, const Arrival& arrival) {
  packet.copy = arrival.copy;
  if (arrival.corrupt_bit) damage(packet, *arrival.corrupt_bit);
  if (options.capture != nullptr) options.capture->delivered(packet, fate);
  PacketReceiver* receiver = receivers[packet.to];
  if (receiver == nullptr) return;
  ++counters.packets_delivered;
  if (packet.payload_size() > 0) counters.last_arrival = loop.now();
  receiver->deliver(std::move(packet));
}

void Network::Parts::damage(FakePacket& packet, uint64_t bit) {
  packet.corrupted = true;
  packet.corrupt_bit = bit;
  if (auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    segment->checksum_ok = false;
  } else if (auto* udp = std::get_if<FakeUdp>(&packet.body)) {
    udp->payload = with_flipped_bit(pool, udp->payload, bit);
  } else if (auto* datagram = std::get_if<FakeUnixDatagram>(&packet.body)) {
    datagram->payload = with_flipped_bit(pool, datagram->payload, bit);
  }
}

void Network::Parts::settle() {
  if (settling) return;
  settling = true;
  for (size_t left = kSettleMax; left > 0 && !arrivals.empty(); --left) {
    const Arrival arrival = arrivals.front();
    arrivals.pop_front();
    deliver(arrival);
  }
  settling = false;
  if (!arrivals.empty()) settle_again.set(loop.now() + kSettlePause);
}

}  // namespace netrig
