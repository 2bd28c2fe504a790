#include "harness/wire/fragments.h"

#include <algorithm>
#include <random>

#include "harness/wire/wire_packet_testing.h"

namespace netrig {
namespace {

using Fragments = EitherFamily;
INSTANTIATE_TEST_SUITE_P(V4AndV6, Fragments, testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });

Packet datagram(bool v6, size_t size, uint16_t identification = 1) {
  Packet packet = udp_packet(v6, size);
  packet.ip.identification = identification;
  return packet;
}

// `datagram` in fragments of `size` octets.
std::vector<Bytes> cut(const Packet& packet, size_t size = 1480) {
  std::vector<Bytes> fragments;
  for (size_t at = 0; at < packet.payload.size() + 8; at += size) {
    fragments.push_back(fragment_of(packet, at, size));
  }
  return fragments;
}

std::optional<FragmentGatherer::Datagram> add(FragmentGatherer& gatherer, const Bytes& octets) {
  return gatherer.add(parse_wire_packet({}, octets).value(), octets);
}

// Their octets as a receiver puts them together.
Packet reassembled(const std::vector<Bytes>& fragments) {
  Bytes carried;
  for (const Bytes& fragment : fragments) {
    const auto packet = parse_wire_packet({}, fragment).value();
    EXPECT_EQ(packet.fragment_offset, carried.size());
    carried += fragment.substr(packet.fragmentable_at);
  }
  const auto first = parse_wire_packet({}, fragments.front()).value();
  Packet whole = ip_packet(first.v6, "");
  whole.ip.protocol = first.protocol;
  Bytes out;
  append_packet(out, whole, carried);
  return decode_packet(out).value();
}

TEST_P(Fragments, a_datagram_is_whole_when_its_last_missing_part_comes) {
  std::vector<Bytes> fragments = cut(datagram(GetParam(), 6000));
  ASSERT_EQ(fragments.size(), 5u);
  std::vector<size_t> order{0, 1, 2, 3, 4};
  do {
    FragmentGatherer gatherer;
    for (size_t i = 0; i < 4; ++i) ASSERT_FALSE(add(gatherer, fragments[order[i]]));
    const auto whole = add(gatherer, fragments[order[4]]);
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->fragments, fragments);
    EXPECT_EQ(whole->payload_size, 6000u);
    EXPECT_EQ(whole->first.destination_port, 53);
    EXPECT_EQ(gatherer.given_up(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_P(Fragments, datagrams_that_are_mixed_stay_apart) {
  const std::vector<Bytes> one = cut(datagram(GetParam(), 4000, 1));
  const std::vector<Bytes> two = cut(datagram(GetParam(), 4000, 2));
  FragmentGatherer gatherer;
  for (const Bytes& octets : {one[0], two[2], two[0], one[1]}) {
    EXPECT_FALSE(add(gatherer, octets));
  }
  EXPECT_EQ(add(gatherer, one[2])->fragments, one);
  EXPECT_EQ(add(gatherer, two[1])->fragments, two);
}

TEST_P(Fragments, an_identification_may_be_used_again) {
  FragmentGatherer gatherer;
  for (int i = 0; i < 3; ++i) {
    const std::vector<Bytes> fragments = cut(datagram(GetParam(), 2000));
    EXPECT_FALSE(add(gatherer, fragments[0]));
    EXPECT_EQ(add(gatherer, fragments[1])->fragments, fragments);
  }
}

TEST(FragmentsV4, protocols_have_identifications_of_their_own) {
  const std::vector<Bytes> udp = cut(datagram(false, 2000));
  Packet other = tcp_packet(false, 2000);
  other.ip.identification = 1;
  FragmentGatherer gatherer;
  EXPECT_FALSE(add(gatherer, udp[0]));
  EXPECT_FALSE(add(gatherer, fragment_of(other, 1480, 552)));
  EXPECT_EQ(add(gatherer, udp[1])->fragments, udp);
}

TEST_P(Fragments, a_part_that_comes_twice_counts_once) {
  const std::vector<Bytes> fragments = cut(datagram(GetParam(), 4000));
  FragmentGatherer gatherer;
  for (const size_t i : {0, 0, 2, 2, 0}) EXPECT_FALSE(add(gatherer, fragments[i]));
  EXPECT_EQ(add(gatherer, fragments[1])->fragments, fragments);
  EXPECT_EQ(gatherer.given_up(), 0u);
}

TEST_P(Fragments, parts_that_overlap_end_their_datagram) {
  const Packet packet = datagram(GetParam(), 4000);
  const std::vector<Bytes> fragments = cut(packet);
  const std::vector<Bytes> others = {
      fragment_of(packet, 8, 16),     // inside
      fragment_of(packet, 0, 1472),   // shorter, at the same place
      fragment_of(packet, 0, 1488),   // longer
      fragment_of(packet, 1472, 16),  // over the edge of the first
  };
  for (const Bytes& other : others) {
    for (const bool reversed : {false, true}) {
      FragmentGatherer gatherer;
      EXPECT_FALSE(add(gatherer, reversed ? other : fragments[0]));
      EXPECT_FALSE(add(gatherer, reversed ? fragments[0] : other));
      EXPECT_EQ(gatherer.given_up(), 1u);
      EXPECT_FALSE(add(gatherer, fragments[1]));
      EXPECT_FALSE(add(gatherer, fragments[2]));  // the first went with the overlap
    }
  }
}

TEST_P(Fragments, the_last_part_is_the_last) {
  const Packet packet = datagram(GetParam(), 4000);
  const Packet shorter = datagram(GetParam(), 2000);
  for (const bool reversed : {false, true}) {
    FragmentGatherer gatherer;
    const Bytes end = fragment_of(shorter, 1480, 528);
    const Bytes beyond = fragment_of(packet, 2960, 8);
    EXPECT_FALSE(add(gatherer, reversed ? beyond : end));
    EXPECT_FALSE(add(gatherer, reversed ? end : beyond));
    EXPECT_EQ(gatherer.given_up(), 1u);
  }
  // Two ends, one directly behind the other.
  FragmentGatherer gatherer;
  EXPECT_FALSE(add(gatherer, fragment_of(shorter, 1480, 528)));
  EXPECT_FALSE(add(gatherer, fragment_of(packet, 2008, 2000)));
  EXPECT_EQ(gatherer.given_up(), 1u);
}

TEST_P(Fragments, parts_that_are_not_well_formed_are_given_up) {
  const Packet packet = datagram(GetParam(), 65'000);
  FragmentGatherer gatherer;
  EXPECT_FALSE(add(gatherer, fragment_of(packet, 0, 1481)));  // no multiple of 8, and not the last
  EXPECT_EQ(gatherer.given_up(), 1u);
  EXPECT_FALSE(add(gatherer, fragment_of(packet, 8, 0)));  // nothing
  EXPECT_EQ(gatherer.given_up(), 2u);
  Packet beyond = ip_packet(GetParam(), Bytes(16, 'x'));
  beyond.ip.protocol = kProtocolUdp;
  beyond.ip.fragment_offset = 65'528;
  EXPECT_FALSE(add(gatherer, encode_packet(beyond)));  // ends at 65544
  EXPECT_EQ(gatherer.given_up(), 3u);
}

TEST_P(Fragments, the_largest_datagram_is_put_together) {
  const Packet packet = datagram(GetParam(), GetParam() ? 65'527 : 65'507);
  const std::vector<Bytes> fragments = cut(packet);
  FragmentGatherer gatherer;
  for (size_t i = 0; i + 1 < fragments.size(); ++i) ASSERT_FALSE(add(gatherer, fragments[i]));
  const auto whole = add(gatherer, fragments.back());
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->payload_size, packet.payload.size());
}

TEST_P(Fragments, of_too_many_that_are_never_whole_the_oldest_is_given_up) {
  FragmentGatherer gatherer;
  const auto first_of = [](uint16_t n) { return cut(datagram(GetParam(), 2000, n))[0]; };
  const auto last_of = [](uint16_t n) { return cut(datagram(GetParam(), 2000, n))[1]; };
  const uint16_t open = FragmentGatherer::kOpenMax;
  for (uint16_t i = 1; i <= open; ++i) ASSERT_FALSE(add(gatherer, first_of(i)));
  EXPECT_EQ(gatherer.given_up(), 0u);
  EXPECT_FALSE(add(gatherer, first_of(open + 1)));
  EXPECT_EQ(gatherer.given_up(), 1u);
  EXPECT_TRUE(add(gatherer, last_of(2)));
  EXPECT_FALSE(add(gatherer, last_of(1)));  // its first part is gone
  EXPECT_TRUE(add(gatherer, last_of(open + 1)));
}

TEST_P(Fragments, datagrams_that_became_whole_take_no_memory) {
  FragmentGatherer gatherer;
  const std::vector<Bytes> first = cut(datagram(GetParam(), 2000, 1));
  const std::vector<Bytes> later = cut(datagram(GetParam(), 60'000, 2));
  EXPECT_FALSE(add(gatherer, first[0]));
  for (size_t octets = 0; octets < 3 * FragmentGatherer::kMemoryMax; octets += 60'000) {
    for (size_t i = 0; i + 1 < later.size(); ++i) ASSERT_FALSE(add(gatherer, later[i]));
    ASSERT_TRUE(add(gatherer, later.back()));
  }
  EXPECT_EQ(gatherer.given_up(), 0u);
  EXPECT_TRUE(add(gatherer, first[1]));
}

// Parts of 8 octets, each behind 4000 octets of extension headers: of one datagram alone, they
// would take 33 MB.
TEST(FragmentsV6, memory_is_bounded) {
  FragmentGatherer gatherer;
  const Packet packet = datagram(true, 60'000);
  for (size_t at = 0; at + 8 < 60'000; at += 8) {
    Bytes octets = fragment_of(packet, at, 8);
    Bytes options(4000 / 8 * 8, '\0');
    // Two chains of at most 2048 octets.
    options[0] = 60;
    options[1] = static_cast<char>(2000 / 8 - 1);
    options[2000] = 44;
    options[2001] = static_cast<char>(2000 / 8 - 1);
    octets.insert(40, options);
    octets[6] = 60;
    store_be16(octets, 4, static_cast<uint16_t>(octets.size() - 40));
    ASSERT_EQ(parse_wire_packet({}, octets)->fragment_offset, at);
    ASSERT_FALSE(add(gatherer, octets));
  }
  const size_t parts_at_once = FragmentGatherer::kMemoryMax / 4056;
  EXPECT_GE(gatherer.given_up(), 60'000 / 8 / parts_at_once);
}

// RFC 8200 section 4.5: the next header of a later fragment is that of the first, what is behind
// destination options is only to be seen in the first.
TEST(FragmentsV6, extension_headers_may_be_in_the_part_that_is_cut) {
  const Packet packet = datagram(true, 2000);
  Bytes carried = *parse_hex("11 00 01 04 00 00 00 00") + encode_packet(packet).substr(40);
  const auto part = [&](uint16_t begin, size_t size) {
    Packet fragment;
    fragment.ip = packet.ip;
    fragment.ip.protocol = 60;
    fragment.ip.fragment_offset = begin;
    fragment.ip.more_fragments = begin + size < carried.size();
    fragment.payload = carried.substr(begin, size);
    return encode_packet(fragment);
  };
  FragmentGatherer gatherer;
  EXPECT_FALSE(add(gatherer, part(1000, 1016)));
  const auto whole = add(gatherer, part(0, 1000));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->payload_size, 2000u);
  EXPECT_EQ(whole->first.destination_port, 53);
}

TEST_P(Fragments, octets_behind_a_fragment_do_not_go_on_with_it) {
  const std::vector<Bytes> fragments = cut(datagram(GetParam(), 2000));
  FragmentGatherer gatherer;
  EXPECT_FALSE(add(gatherer, fragments[0] + "padding"));
  EXPECT_EQ(add(gatherer, fragments[1] + "more")->fragments, fragments);
}

TEST_P(Fragments, a_flipped_bit_arrives_wherever_it_lies) {
  const Packet packet = datagram(GetParam(), 3000);
  // The edges of the fragments, and some between.
  for (const size_t octet : {0, 1, 1471, 1472, 1473, 2000, 2951, 2952, 2999}) {
    FragmentGatherer::Datagram whole;
    FragmentGatherer gatherer;
    for (const Bytes& fragment : cut(packet)) {
      if (auto done = add(gatherer, fragment)) whole = std::move(*done);
    }
    ASSERT_EQ(whole.fragments.size(), 3u);
    flip_payload_bit(whole, octet * 8 + 5);
    const Packet damaged = reassembled(whole.fragments);
    Bytes expected = packet.payload;
    expected[octet] = static_cast<char>(expected[octet] ^ 0x04);
    EXPECT_EQ(damaged.payload, expected) << octet;
    EXPECT_TRUE(damaged.transport_checksum_ok) << octet;
  }
}

TEST_P(Fragments, a_flipped_bit_of_tcp_shows) {
  Packet packet = tcp_packet(GetParam(), 3000);
  packet.ip.identification = 9;
  FragmentGatherer::Datagram whole;
  FragmentGatherer gatherer;
  for (size_t at = 0; at < 3032; at += 1480) {
    if (auto done = add(gatherer, fragment_of(packet, at, 1480))) whole = std::move(*done);
  }
  ASSERT_EQ(whole.payload_size, 3000u);
  EXPECT_TRUE(reassembled(whole.fragments).transport_checksum_ok);
  flip_payload_bit(whole, 2500 * 8);
  EXPECT_FALSE(reassembled(whole.fragments).transport_checksum_ok);
  const std::vector<Bytes> same = whole.fragments;
  flip_payload_bit(whole, 3000 * 8);  // not there
  EXPECT_EQ(whole.fragments, same);
}

TEST(FragmentsOfAnything, random_parts_never_make_a_datagram_with_a_hole) {
  std::mt19937 random(7);
  FragmentGatherer gatherer;
  size_t whole = 0;
  for (int round = 0; round < 50'000; ++round) {
    // Of 64 octets that IP cuts, parts of 16 at their places, one in eight of 32.
    const Packet packet = datagram((random() & 1) != 0, 56, static_cast<uint16_t>(random() % 3));
    const size_t begin = random() % 4 * 16;
    const auto done = add(gatherer, fragment_of(packet, begin, random() % 8 == 0 ? 32 : 16));
    if (!done) continue;
    ++whole;
    ASSERT_EQ(done->payload_size, 56u);
    ASSERT_EQ(reassembled(done->fragments).payload, test_payload(56));
  }
  EXPECT_GT(whole, 1000u);
  EXPECT_GT(gatherer.given_up(), 1000u);
}

}  // namespace
}  // namespace netrig
