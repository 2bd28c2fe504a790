#include "fakes/network/fingerprint.h"

#include <array>
#include <bit>
#include <cstring>

#include "harness/base/octet_hash.h"

namespace netrig {
namespace {

// Digits of pi: odd, without a pattern.
constexpr std::array<uint64_t, 2> kFactors = {0x13198a2e03707345, 0xa4093822299f31d1};

uint64_t word_at(const uint8_t* octets) {
  uint64_t word = 0;
  std::memcpy(&word, octets, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

uint64_t address_word(const IpAddress& address) {
  const uint8_t* octets = address.octets().data();
  return fold_product(word_at(octets) ^ kFactors[0], word_at(octets + 8) ^ kFactors[1]);
}

}  // namespace

void TrafficFingerprint::add(const FakePacket& packet, const Fate& fate) {
  mix_hash(time_, static_cast<uint64_t>(packet.sent_at.time_since_epoch().count()));

  mix_hash(link_, uint64_t{packet.from} << 32 | packet.to);
  mix_hash(link_, static_cast<uint64_t>(fate.delay.count()));
  mix_hash(link_, fate.corrupt_bit.value_or(~uint64_t{0}));
  mix_hash(link_, static_cast<uint64_t>(fate.dropped) << 16 | uint64_t{fate.copies} << 8 |
                      (fate.marked ? 4u : 0u) | (fate.copy_dropped ? 2u : 0u) |
                      (fate.reordered ? 1u : 0u));

  mix_hash(headers_, address_word(packet.source) + address_word(packet.destination) * 3);
  mix_hash(headers_, uint64_t{packet.body.index()} << 48 | uint64_t{packet.hop_limit} << 32 |
                         uint64_t{packet.identification} << 1 | (packet.dont_fragment ? 1u : 0u));
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    add_segment(*segment);
  } else if (const auto* udp = std::get_if<FakeUdp>(&packet.body)) {
    mix_hash(headers_, uint64_t{udp->traffic_class} << 32 | uint64_t{udp->source_port} << 16 |
                           udp->destination_port);
    mix_hash(payload_, hash_octets(udp->payload.view()));
  } else if (const auto* icmp = std::get_if<FakeIcmpError>(&packet.body)) {
    mix_hash(headers_, uint64_t{icmp->type} << 40 | uint64_t{icmp->code} << 32 | icmp->rest);
    mix_hash(headers_, uint64_t{icmp->source.port()} << 16 | icmp->destination.port());
  } else if (const auto* datagram = std::get_if<FakeUnixDatagram>(&packet.body)) {
    mix_hash(payload_, hash_octets(datagram->payload.view()));
  }
}

void TrafficFingerprint::add_segment(const tcp::Segment& segment) {
  mix_hash(headers_, uint64_t{segment.source_port} << 48 |
                         uint64_t{segment.destination_port} << 32 | uint64_t{segment.flags} << 24 |
                         static_cast<uint64_t>(segment.ecn) << 16 | segment.window);
  mix_hash(headers_, uint64_t{segment.seq.value()} << 32 | segment.ack.value());
  const tcp::Timestamps times = segment.timestamps.value_or(tcp::Timestamps{});
  mix_hash(headers_, uint64_t{times.value} << 32 | times.echo);
  mix_hash(headers_, uint64_t{segment.mss.value_or(0)} << 32 |
                         uint64_t{segment.window_scale.value_or(0xff)} << 24 |
                         uint64_t{segment.sack_count} << 16 | (segment.sack_permitted ? 2u : 0u) |
                         (segment.timestamps ? 1u : 0u));
  for (size_t i = 0; i < segment.sack_count && i < segment.sacks.size(); ++i) {
    mix_hash(headers_,
             uint64_t{segment.sacks[i].left.value()} << 32 | segment.sacks[i].right.value());
  }
  if (!segment.payload.empty()) mix_hash(payload_, hash_octets(segment.payload.view()));
}

std::map<std::string, uint64_t> TrafficFingerprint::parts() const {
  return {{"time", time_}, {"link", link_}, {"headers", headers_}, {"payload", payload_}};
}

}  // namespace netrig
