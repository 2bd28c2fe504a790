#include "fakes/network/fingerprint.h"

#include <array>
#include <bit>
#include <cstring>

namespace netrig {
namespace {

__extension__ using Uint128 = unsigned __int128;

// Digits of pi: odd, without a pattern.
constexpr std::array<uint64_t, 4> kFactors = {0x243f6a8885a308d3, 0x13198a2e03707345,
                                              0xa4093822299f31d1, 0x082efa98ec4e6c89};

// The two halves of a product, folded: every bit of both reaches the middle of it.
uint64_t fold(uint64_t a, uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

void mix(uint64_t& hash, uint64_t value) {
  hash = fold(hash ^ value, kFactors[0]) + 1;
}

uint64_t word_at(const char* octets) {
  uint64_t word = 0;
  std::memcpy(&word, octets, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// Four lanes, so that one multiplication need not wait for another.
uint64_t hash_of(ByteView octets) {
  std::array<uint64_t, 4> lanes = kFactors;
  const char* at = octets.data();
  size_t left = octets.size();
  for (; left >= 64; at += 64, left -= 64) {
    for (size_t lane = 0; lane < 4; ++lane) {
      lanes[lane] =
          fold(lanes[lane] ^ word_at(at + lane * 16), kFactors[lane] ^ word_at(at + lane * 16 + 8));
    }
  }
  uint64_t hash = octets.size();
  for (; left >= 8; at += 8, left -= 8) mix(hash, word_at(at));
  uint64_t rest = 0;
  for (size_t i = 0; i < left; ++i) {
    rest |= static_cast<uint64_t>(static_cast<uint8_t>(at[i])) << (8 * i);
  }
  mix(hash, rest);
  for (const uint64_t lane : lanes) mix(hash, lane);
  return hash;
}

uint64_t address_word(const IpAddress& address) {
  const auto& octets = address.octets();
  std::array<char, 16> plain{};
  std::memcpy(plain.data(), octets.data(), octets.size());
  return fold(word_at(plain.data()) ^ kFactors[1], word_at(plain.data() + 8) ^ kFactors[2]);
}

}  // namespace

void TrafficFingerprint::add(const FakePacket& packet, const Fate& fate) {
  mix(time_, static_cast<uint64_t>(packet.sent_at.time_since_epoch().count()));

  mix(link_, uint64_t{packet.from} << 32 | packet.to);
  mix(link_, static_cast<uint64_t>(fate.delay.count()));
  mix(link_, fate.corrupt_bit.value_or(~uint64_t{0}));
  mix(link_, static_cast<uint64_t>(fate.dropped) << 16 | uint64_t{fate.copies} << 8 |
                 (fate.copy_dropped ? 2u : 0u) | (fate.reordered ? 1u : 0u));

  mix(headers_, address_word(packet.source) + address_word(packet.destination) * 3);
  mix(headers_, uint64_t{packet.body.index()} << 48 | uint64_t{packet.hop_limit} << 32 |
                    uint64_t{packet.identification} << 1 | (packet.dont_fragment ? 1u : 0u));
  if (const auto* segment = std::get_if<tcp::Segment>(&packet.body)) {
    add_segment(*segment);
  } else if (const auto* udp = std::get_if<FakeUdp>(&packet.body)) {
    mix(headers_, uint64_t{udp->source_port} << 16 | udp->destination_port);
    mix(payload_, hash_of(udp->payload.view()));
  } else if (const auto* icmp = std::get_if<FakeIcmpError>(&packet.body)) {
    mix(headers_, uint64_t{icmp->type} << 40 | uint64_t{icmp->code} << 32 | icmp->rest);
    mix(headers_, uint64_t{icmp->source.port()} << 16 | icmp->destination.port());
  } else if (const auto* datagram = std::get_if<FakeUnixDatagram>(&packet.body)) {
    mix(payload_, hash_of(datagram->payload.view()));
  }
}

void TrafficFingerprint::add_segment(const tcp::Segment& segment) {
  mix(headers_, uint64_t{segment.source_port} << 48 | uint64_t{segment.destination_port} << 32 |
                    uint64_t{segment.flags} << 24 | static_cast<uint64_t>(segment.ecn) << 16 |
                    segment.window);
  mix(headers_, uint64_t{segment.seq.value()} << 32 | segment.ack.value());
  const tcp::Timestamps times = segment.timestamps.value_or(tcp::Timestamps{});
  mix(headers_, uint64_t{times.value} << 32 | times.echo);
  mix(headers_, uint64_t{segment.mss.value_or(0)} << 32 |
                    uint64_t{segment.window_scale.value_or(0xff)} << 24 |
                    uint64_t{segment.sack_count} << 16 | (segment.sack_permitted ? 2u : 0u) |
                    (segment.timestamps ? 1u : 0u));
  for (size_t i = 0; i < segment.sack_count && i < segment.sacks.size(); ++i) {
    mix(headers_, uint64_t{segment.sacks[i].left.value()} << 32 | segment.sacks[i].right.value());
  }
  if (!segment.payload.empty()) mix(payload_, hash_of(segment.payload.view()));
}

std::map<std::string, uint64_t> TrafficFingerprint::parts() const {
  return {{"time", time_}, {"link", link_}, {"headers", headers_}, {"payload", payload_}};
}

}  // namespace netrig
