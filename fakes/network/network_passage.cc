// The passage of a packet: named, offered to its link, told of, kept, delivered.

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "fakes/network/fake_capture.h"
#include "fakes/network/icmp_error.h"
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
constexpr uint8_t kEcnBits = 3;

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

// RFC 3168 section 5: not if both bits are 0.
bool is_ecn_capable(const FakePacket& packet) {
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    return segment->ecn != tcp::Ecn::kNotEct;
  }
  const auto* udp = std::get_if<FakeUdp>(&packet.body);
  return udp != nullptr && (udp->traffic_class & kEcnBits) != 0;
}

void mark_congestion(FakePacket& packet) {
  if (auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    segment->ecn = tcp::Ecn::kCe;
  } else if (auto* udp = std::get_if<FakeUdp>(&packet.body)) {
    udp->traffic_class |= kEcnBits;
  }
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
         fate.reordered || fate.marked || fate.corrupt_bit.has_value();
}

}  // namespace

void Network::send(FakePacket&& packet) {
  draft() = std::move(packet);
  send_draft();
}

FakePacket& Network::draft() {
  parts_->drafted = parts_->take_slot();
  FakePacket& packet = parts_->slots[parts_->drafted].packet;
  std::destroy_at(&packet);
  return *std::construct_at(&packet);
}

void Network::send_draft() {
  NETRIG_REQUIRE(parts_->slots[parts_->drafted].packet.from < host_count());
  parts_->pass(parts_->drafted, *this);
}

void Network::Parts::pass(uint64_t number, Network& network) {
  Slot& slot = slots[number];
  FakePacket& packet = slot.packet;
  if (packet.to >= receivers.size()) return free_slot(number);  // a host knows better
  packet.sent_at = loop.now();
  Lane* way = lane(packet.from, packet.to);
  const auto [stream, ordinal] = draw_name(packet, way);
  packet.ordinal = ordinal;
  // Made where it stays: to copy what was written just now, in other pieces, is slow.
  const Fate& fate = *new (&slot.fate) Fate(
      way == nullptr ? Fate() : way->link.offer(packet.sent_at, offered(packet, stream, number)));
  if (options.trace) options.trace(counters.packets_sent, packet, fate);
  count(packet, fate);
  fingerprint.add(packet, fate);
  if (options.observer != nullptr) tell(packet, fate);
  if (options.capture != nullptr) options.capture->sent(packet, fate);
  if (fate.dropped != DropCause::kNone) {
    if (fate.dropped == DropCause::kMtu) send_too_big(packet, network);
    free_slot(number);
  } else if (way == nullptr) {
    add_arrival(number, 0, true, false, {});
  } else {
    take_due(*way);
  }
}

uint64_t Network::Parts::take_slot() {
  if (free_slots.empty()) {
    slots.emplace_back();
    return slots.size() - 1;
  }
  const uint64_t slot = free_slots.back();
  free_slots.pop_back();
  return slot;
}

void Network::Parts::free_slot(uint64_t slot) {
  slots[slot].packet.body.emplace<std::monostate>();
  free_slots.push_back(slot);
}

// RFC 1191 section 4, RFC 4443 section 3.2: in the name of the receiver, there being no router.
void Network::Parts::send_too_big(const FakePacket& about, Network& network) const {
  network.send(icmp_error(IcmpProblem::kPacketTooBig, about,
                          lane(about.from, about.to)->link.config().mtu,
                          options.capture != nullptr));
}

OfferedPacket Network::Parts::offered(const FakePacket& packet, uint64_t stream,
                                      uint64_t handle) const {
  OfferedPacket offered{.transport = transport_of(packet),
                        .stream = stream,
                        .ordinal = packet.ordinal,
                        .payload_size = packet.payload_size(),
                        .overhead = overhead_of(packet),
                        .handle = handle,
                        .ecn_capable = is_ecn_capable(packet)};
  if (packet.flow == 0) return offered;
  offered.flow_number = flows.number(packet.flow);
  offered.service = flows.service(packet.flow);
  offered.service_port = flows.service_port(packet.flow);
  return offered;
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
    own.stream = flow_stream(flows.direction(flow).str(), flows.name(flow) + "|ack");
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
  if (segment != nullptr && segment->length() == 0)
    record.packet.flow = record.packet.flow.str() + "|ack";
  options.observer->on_fate(record);
}

void Network::Parts::take_due(Lane& lane) {
  const Instant now = loop.now();
  auto next = lane.link.next_due();
  if (next && *next <= now) {
    departures.clear();
    lane.link.take_due(now, departures);
    for (const Departure& departure : departures) {
      add_arrival(departure.handle, departure.copy, departure.last, departure.mark,
                  departure.corrupt_bit);
    }
    next = lane.link.next_due();
  }
  const Instant when = next.value_or(Instant::max());
  if (!lane.alarm.is_set() || lane.alarm.when() != when) lane.alarm.set(when);
}

// Field by field, here and in settle(): see pass().
void Network::Parts::add_arrival(uint64_t slot, uint32_t copy, bool last, bool mark,
                                 BitPosition corrupt_bit) {
  Arrival& arrival = arrivals.place_at_back();
  arrival.slot = slot;
  arrival.copy = copy;
  arrival.last = last;
  arrival.mark = mark;
  arrival.corrupt_bit = corrupt_bit;
}

void Network::Parts::deliver(uint64_t number, uint32_t copy, bool last, bool mark,
                             BitPosition corrupt_bit) {
  Slot& slot = slots[number];
  if (!last) {
    FakePacket twin = slot.packet;
    hand_over(twin, slot.fate, copy, mark, corrupt_bit);
    return;
  }
  hand_over(slot.packet, slot.fate, copy, mark, corrupt_bit);
  free_slot(number);
}

void Network::Parts::hand_over(FakePacket& packet, const Fate& fate, uint32_t copy, bool mark,
                               BitPosition corrupt_bit) {
  packet.copy = copy;
  if (mark) mark_congestion(packet);
  if (corrupt_bit) damage(packet, *corrupt_bit);
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
    const Arrival& next = arrivals.front();
    const uint64_t slot = next.slot;
    const uint32_t copy = next.copy;
    const bool last = next.last;
    const bool mark = next.mark;
    const BitPosition corrupt_bit = next.corrupt_bit;
    arrivals.pop_front();
    deliver(slot, copy, last, mark, corrupt_bit);
  }
  settling = false;
  if (!arrivals.empty()) settle_again.set(loop.now() + kSettlePause);
}

}  // namespace netrig
