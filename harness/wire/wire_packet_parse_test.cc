#include <algorithm>
#include <random>

#include "harness/wire/wire_packet_testing.h"

namespace netrig {
namespace {

using WirePacketParse = EitherFamily;
INSTANTIATE_TEST_SUITE_P(V4AndV6, WirePacketParse, testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });

std::optional<WirePacket> parse(const Bytes& octets) {
  return parse_wire_packet({}, octets);
}

// IPv6 headers put in behind the IP header: the chain begins with `first`.
Bytes with_extensions(Bytes octets, uint8_t first, const Bytes& extensions) {
  octets.insert(40, extensions);
  octets[6] = static_cast<char>(first);
  store_be16(octets, 4, static_cast<uint16_t>(octets.size() - 40));
  return octets;
}

TEST_P(WirePacketParse, a_tcp_segment_is_read_as_it_was_written) {
  Packet sent = tcp_packet(GetParam(), 1000, kTcpAck | kTcpPsh | kTcpCwr);
  sent.ip.traffic_class |= 2;
  const auto packet = parse(encode_packet(sent)).value();
  const uint16_t ip = GetParam() ? 40 : 20;
  EXPECT_EQ(packet.from(), sent.source());
  EXPECT_EQ(packet.to(), sent.destination());
  EXPECT_EQ(packet.v6, GetParam());
  EXPECT_EQ(packet.protocol, kProtocolTcp);
  EXPECT_EQ(packet.ecn, 2);
  EXPECT_FALSE(packet.fragment);
  EXPECT_TRUE(packet.has_transport);
  EXPECT_EQ(packet.sequence, 0xFFFFFF00u);
  EXPECT_EQ(packet.acknowledgement, 7u);
  EXPECT_EQ(packet.flags, kTcpAck | kTcpPsh | kTcpCwr);
  EXPECT_EQ(packet.ip_header_size, ip);
  EXPECT_EQ(packet.header_size, ip + 32);
  EXPECT_EQ(packet.payload_size, 1000u);
  EXPECT_EQ(packet.segment_size, 1000u);
  EXPECT_EQ(packet.segments(), 1u);
  EXPECT_EQ(packet.identification, GetParam() ? 0u : 0xFFFEu);
}

TEST_P(WirePacketParse, a_udp_datagram_has_ports_and_no_sequence) {
  const Packet sent = udp_packet(GetParam(), 12);
  const auto packet = parse(encode_packet(sent)).value();
  EXPECT_EQ(packet.from(), sent.source());
  EXPECT_EQ(packet.to(), sent.destination());
  EXPECT_EQ(packet.payload_size, 12u);
  EXPECT_EQ(packet.header_size, packet.ip_header_size + 8);
  EXPECT_EQ(packet.sequence, 0u);
  EXPECT_EQ(packet.sequence_length(0), 12u);
}

TEST_P(WirePacketParse, an_icmp_message_is_payload_without_ports) {
  Packet sent = ip_packet(GetParam(), "abc");
  sent.icmp = IcmpHeader{.type = 8};
  const auto packet = parse(encode_packet(sent)).value();
  EXPECT_EQ(packet.protocol, GetParam() ? kProtocolIcmpV6 : kProtocolIcmp);
  EXPECT_FALSE(packet.has_transport);
  EXPECT_EQ(packet.from(), Endpoint(sent.ip.source, 0));
  EXPECT_EQ(packet.payload_size, 8u + 3);
}

TEST_P(WirePacketParse, syn_and_fin_take_a_place_each) {
  EXPECT_EQ(parse(encode_packet(tcp_packet(GetParam(), 0, kTcpSyn)))->sequence_length(0), 1u);
  EXPECT_EQ(parse(encode_packet(tcp_packet(GetParam(), 5, kTcpFin)))->sequence_length(0), 6u);
  EXPECT_EQ(parse(encode_packet(tcp_packet(GetParam(), 0, kTcpAck)))->sequence_length(0), 0u);
  EXPECT_EQ(parse(encode_packet(tcp_packet(GetParam(), 5, kTcpFin)))->sequence_length(1), 0u);
}

TEST_P(WirePacketParse, a_first_fragment_has_ports_and_a_later_one_none) {
  Packet datagram = udp_packet(GetParam(), 3000);
  datagram.ip.identification = 77;
  const auto first = parse(fragment_of(datagram, 0, 1480)).value();
  EXPECT_TRUE(first.fragment);
  EXPECT_TRUE(first.more_fragments);
  EXPECT_EQ(first.fragment_offset, 0u);
  EXPECT_EQ(first.identification, 77u);
  EXPECT_EQ(first.destination_port, 53);
  EXPECT_EQ(first.payload_size, 1472u);
  EXPECT_EQ(first.fragmentable_at, GetParam() ? 48 : 20);
  EXPECT_EQ(first.header_size, first.fragmentable_at + 8);

  const auto last = parse(fragment_of(datagram, 1480, 1528)).value();
  EXPECT_TRUE(last.fragment);
  EXPECT_FALSE(last.more_fragments);
  EXPECT_EQ(last.fragment_offset, 1480u);
  EXPECT_FALSE(last.has_transport);
  EXPECT_EQ(last.destination_port, 0);
  EXPECT_EQ(last.payload_size, 1528u);
  EXPECT_EQ(last.protocol, kProtocolUdp);
}

TEST(WirePacketParseV6, headers_in_between_are_walked_over) {
  // Hop-by-hop, destination options of 16 octets, and an atomic fragment (RFC 6946), which is none.
  const Bytes chain = *parse_hex(
      "3c 00 01 04 00 00 00 00"
      "2c 01 01 0c 00 00 00 00 00 00 00 00 00 00 00 00"
      "06 00 00 00 12 34 56 78");
  const auto packet = parse(with_extensions(encode_packet(tcp_packet(true, 10)), 0, chain)).value();
  EXPECT_EQ(packet.protocol, kProtocolTcp);
  EXPECT_EQ(packet.ip_header_size, 40 + 32);
  EXPECT_EQ(packet.header_size, 40 + 32 + 32);
  EXPECT_EQ(packet.payload_size, 10u);
  EXPECT_EQ(packet.identification, 0x12345678u);
  EXPECT_FALSE(packet.fragment);
  EXPECT_TRUE(packet.has_transport);
}

TEST(WirePacketParseV6, an_extension_header_beyond_the_end_hides_what_follows) {
  const Bytes chain = *parse_hex("06 ff 01 04 00 00 00 00");  // 2048 octets, it says
  const auto packet =
      parse(with_extensions(encode_packet(tcp_packet(true, 10)), 60, chain)).value();
  EXPECT_EQ(packet.protocol, 60);
  EXPECT_FALSE(packet.has_transport);
  EXPECT_EQ(packet.payload_size, 8u + 32 + 10);
}

TEST(WirePacketParseV6, a_chain_of_65535_octets_is_safe) {
  Bytes octets = encode_packet(ip_packet(true, Bytes(65'528, '\0')));
  octets[6] = 0;
  for (size_t at = 40; at + 8 <= octets.size(); at += 8) octets[at] = 60;
  const auto packet = parse(octets).value();
  EXPECT_FALSE(packet.has_transport);
  EXPECT_GT(packet.header_size, 65'000);  // as far as 16 bits count
  EXPECT_EQ(packet.header_size + packet.payload_size, octets.size());
}

TEST(WirePacketParseV6, a_fragment_in_a_fragment_is_left_to_its_receiver) {
  const Bytes chain = *parse_hex(
      "2c 00 00 01 00 00 00 05"    // the first of 5
      "11 00 00 08 00 00 00 06");  // the last of 6
  const auto packet = parse(with_extensions(encode_packet(udp_packet(true, 8)), 44, chain)).value();
  EXPECT_TRUE(packet.more_fragments);
  EXPECT_EQ(packet.identification, 5u);
  EXPECT_EQ(packet.fragment_offset, 0u);
  EXPECT_EQ(packet.fragmentable_at, 48);
  EXPECT_EQ(packet.protocol, 44);
  EXPECT_FALSE(packet.has_transport);
}

TEST(WirePacketParseV4, options_belong_to_the_header) {
  Bytes octets = encode_packet(udp_packet(false, 4));
  octets.insert(20, *parse_hex("94 04 00 00"));  // router alert, RFC 2113
  octets[0] = 0x46;
  store_be16(octets, 2, static_cast<uint16_t>(octets.size()));
  const auto packet = parse(octets).value();
  EXPECT_EQ(packet.ip_header_size, 24);
  EXPECT_EQ(packet.destination_port, 53);
  EXPECT_EQ(packet.payload_size, 4u);
}

TEST_P(WirePacketParse, octets_behind_the_packet_are_left_out) {
  Bytes octets = encode_packet(udp_packet(GetParam(), 4));
  octets += Bytes(18, 'x');  // Ethernet's padding
  const auto packet = parse(octets).value();
  EXPECT_EQ(packet.payload_size, 4u);
  Bytes out;
  append_segment(out, packet, {}, octets, 0);
  EXPECT_EQ(out, octets.substr(0, octets.size() - 18));
}

TEST_P(WirePacketParse, no_part_of_a_packet_is_taken_for_the_whole) {
  for (const Packet& sent : {tcp_packet(GetParam(), 40), udp_packet(GetParam(), 40)}) {
    const Bytes octets = encode_packet(sent);
    for (size_t size = 0; size < octets.size(); ++size) {
      // A copy of its own, so that the sanitizer sees a read behind it.
      EXPECT_FALSE(parse(octets.substr(0, size))) << size;
    }
  }
}

TEST_P(WirePacketParse, a_transport_header_that_is_cut_is_payload) {
  for (const Packet& sent : {tcp_packet(GetParam(), 0), udp_packet(GetParam(), 0)}) {
    const Bytes whole = encode_packet(sent);
    const size_t ip = GetParam() ? 40 : 20;
    for (size_t size = ip; size < whole.size(); ++size) {
      Bytes octets = whole.substr(0, size);
      store_be16(octets, GetParam() ? 4 : 2, static_cast<uint16_t>(GetParam() ? size - ip : size));
      const auto packet = parse(octets).value();
      EXPECT_FALSE(packet.has_transport) << size;
      EXPECT_EQ(packet.source_port, 0);
      EXPECT_EQ(packet.flags, 0);
      EXPECT_EQ(packet.header_size, ip);
      EXPECT_EQ(packet.payload_size, size - ip);
    }
  }
}

TEST(WirePacketParseV4, lengths_that_contradict_each_other_are_refused) {
  const Bytes good = encode_packet(tcp_packet(false, 10));
  ASSERT_TRUE(parse(good));
  const auto with = [&good](size_t at, uint16_t value) {
    Bytes octets = good;
    store_be16(octets, at, value);
    return octets;
  };
  EXPECT_FALSE(parse(with(0, 0x4400)));  // 16 octets of header
  EXPECT_FALSE(parse(with(2, 19)));      // less than the header
  EXPECT_FALSE(parse(with(2, 0)));
  EXPECT_FALSE(parse(with(2, static_cast<uint16_t>(good.size() + 1))));  // more than there is
  EXPECT_FALSE(parse(with(0, 0x5500)));                                  // version 5
  EXPECT_FALSE(parse(""));
}

TEST_P(WirePacketParse, segmentation_that_cannot_be_done_is_refused) {
  const Offered good = offered(tcp_packet(GetParam(), 5000), 1000);
  ASSERT_EQ(good.parse()->segments(), 5u);
  const auto refused = [&good](auto&& change) {
    Offered bad = good;
    change(bad.offload);
    return !bad.parse();
  };
  EXPECT_TRUE(refused([](auto& offload) { offload.gso_size = 0; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.flags = 0; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.csum_start += 4; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.csum_start = 0xFFFF; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.csum_offset = 6; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.gso_type = kOffloadUdpSegments; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.gso_type = VIRTIO_NET_HDR_GSO_UDP; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.gso_type = VIRTIO_NET_HDR_GSO_ECN; }));
  EXPECT_TRUE(refused([](auto& offload) { offload.gso_type = 2; }));
  EXPECT_TRUE(refused([](auto& offload) {  // of the other family
    offload.gso_type ^= VIRTIO_NET_HDR_GSO_TCPV4 ^ VIRTIO_NET_HDR_GSO_TCPV6;
  }));
  EXPECT_FALSE(refused([](auto& offload) { offload.gso_type |= VIRTIO_NET_HDR_GSO_ECN; }));
  EXPECT_FALSE(refused([](auto& offload) { offload.hdr_len = 0xFFFF; }));
}

TEST_P(WirePacketParse, a_checksum_beyond_the_end_is_refused) {
  Offered offer = offered(udp_packet(GetParam(), 10));
  const auto end = static_cast<uint16_t>(offer.octets.size());
  const auto parses = [&offer](uint16_t start, uint16_t offset) {
    offer.offload.csum_start = start;
    offer.offload.csum_offset = offset;
    return offer.parse().has_value();
  };
  EXPECT_TRUE(parses(end - 8, 6));
  EXPECT_FALSE(parses(end - 8, 7));
  EXPECT_FALSE(parses(end, 0));
  EXPECT_FALSE(parses(0xFFFF, 0xFFFF));
  EXPECT_FALSE(parses(0, 0));  // inside the IP header
}

TEST_P(WirePacketParse, a_fragment_has_nothing_left_to_do) {
  Offered offer = offered(udp_packet(GetParam(), 3000), 1000);
  offer.octets = fragment_of(udp_packet(GetParam(), 3000), 0, 1480);
  if (GetParam()) offer.offload.csum_start = 48;
  EXPECT_FALSE(offer.parse());
  offer.offload.gso_type = VIRTIO_NET_HDR_GSO_NONE;
  EXPECT_FALSE(offer.parse());
  offer.offload.flags = 0;
  EXPECT_TRUE(offer.parse());
}

TEST(WirePacketParseV6, segments_with_headers_too_large_to_copy_are_refused) {
  for (const size_t octets : {152, 192}) {  // 40 + 32 of IP and TCP: 224 in all, and 264
    Bytes options(octets, '\0');
    options[0] = static_cast<char>(kProtocolTcp);
    options[1] = static_cast<char>(octets / 8 - 1);
    Offered offer = offered(tcp_packet(true, 5000), 1000);
    offer.octets = with_extensions(offer.octets, 60, options);
    offer.offload.csum_start = static_cast<uint16_t>(40 + octets);
    EXPECT_EQ(offer.parse().has_value(), octets == 152);
    // As one segment they are fine.
    offer.offload.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    ASSERT_TRUE(offer.parse());
    const Offered slice = slice_of(offer, 0, 1);
    EXPECT_EQ(slice.octets, offer.octets);
  }
}

TEST(WirePacketParseAnything, random_changes_do_no_harm) {
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    const bool v6 = (random() & 1) != 0;
    Offered offer = offered((random() & 1) != 0 ? tcp_packet(v6, 300) : udp_packet(v6, 300), 100);
    for (auto changes = random() % 4; changes > 0; --changes) {
      offer.octets[random() % 80] = static_cast<char>(random());
    }
    offer.octets.resize(offer.octets.size() - random() % 2 * (random() % 80));
    const auto packet = offer.parse();
    if (!packet) continue;
    uint32_t payload = 0;
    for (uint32_t i = 0; i < packet->segments(); ++i) payload += packet->payload_of(i);
    ASSERT_EQ(payload, packet->payload_size);
    ASSERT_LE(packet->header_size + packet->payload_size, offer.octets.size());
  }
}

}  // namespace
}  // namespace netrig
