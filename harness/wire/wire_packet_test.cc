#include "harness/wire/wire_packet_testing.h"

namespace netrig {
namespace {

using WirePacketSlices = EitherFamily;
INSTANTIATE_TEST_SUITE_P(V4AndV6, WirePacketSlices, testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });
using WirePacketChanges = EitherFamily;
INSTANTIATE_TEST_SUITE_P(V4AndV6, WirePacketChanges, testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });

constexpr uint8_t kAllAtEnds = kTcpAck | kTcpCwr | kTcpUrg | kTcpPsh | kTcpFin;

// What segment `index` of `sent` is on a wire, from harness/net alone.
Bytes expected_segment(Packet sent, uint32_t index, uint32_t segment_size) {
  const size_t begin = size_t{index} * segment_size;
  const bool last = begin + segment_size >= sent.payload.size();
  sent.payload = sent.payload.substr(begin, segment_size);
  if (sent.tcp) {
    sent.tcp->sequence += static_cast<uint32_t>(begin);
    if (!last) sent.tcp->flags &= static_cast<uint8_t>(~(kTcpFin | kTcpPsh));
    if (index > 0) sent.tcp->flags &= static_cast<uint8_t>(~kTcpCwr);
  }
  sent.ip.identification = static_cast<uint16_t>(sent.ip.identification + index);
  if (sent.ip.source.is_v6()) sent.ip.identification = 0;
  return encode_packet(sent);
}

// Of each kind one that the kernel would hand out in one piece, its last segment short.
std::vector<Packet> large_packets(bool v6) {
  return {tcp_packet(v6, 64'000, kAllAtEnds), udp_packet(v6, 10'000)};
}

TEST_P(WirePacketSlices, segments_are_what_the_kernel_would_have_put_on_a_wire) {
  for (const Packet& sent : large_packets(GetParam())) {
    const Offered offer = offered(sent, 1448);
    const auto packet = offer.parse().value();
    ASSERT_EQ(packet.segments(), (sent.payload.size() + 1447) / 1448);
    for (uint32_t i = 0; i < packet.segments(); ++i) {
      EXPECT_EQ(format_hex(segment_of(offer, i)), format_hex(expected_segment(sent, i, 1448))) << i;
    }
  }
}

TEST_P(WirePacketSlices, segments_have_right_checksums_and_lengths) {
  for (const Packet& sent : large_packets(GetParam())) {
    const Offered offer = offered(sent, 1000);
    Bytes together;
    for (uint32_t i = 0; i < offer.parse()->segments(); ++i) {
      const Packet segment = decode_packet(segment_of(offer, i)).value();
      EXPECT_TRUE(segment.ip_checksum_ok && segment.transport_checksum_ok) << i;
      EXPECT_EQ(segment.payload.size(), offer.parse()->payload_of(i));
      together += segment.payload;
    }
    EXPECT_EQ(together, sent.payload);
  }
}

// A slice is a packet as it could have come from the kernel: cut again it gives the same segments.
TEST_P(WirePacketSlices, a_slice_has_the_segments_that_it_was_cut_from) {
  for (const Packet& sent : large_packets(GetParam())) {
    const Offered offer = offered(sent, 3000);
    const uint32_t segments = offer.parse()->segments();
    for (uint32_t first = 0; first < segments; ++first) {
      for (uint32_t count = 1; count <= segments - first; ++count) {
        const Offered slice = slice_of(offer, first, count);
        ASSERT_EQ(slice.parse()->segments(), count) << first;
        for (uint32_t i = 0; i < count; ++i) {
          ASSERT_EQ(segment_of(slice, i), segment_of(offer, first + i)) << first << " " << count;
        }
      }
    }
  }
}

TEST_P(WirePacketSlices, the_whole_packet_comes_out_as_it_is) {
  for (const Packet& sent : large_packets(GetParam())) {
    const Offered offer = offered(sent, 1448);
    const auto packet = offer.parse().value();
    const Offered slice = slice_of(offer, 0, packet.segments());
    EXPECT_EQ(slice.octets, offer.octets);
    EXPECT_EQ(slice.offload.gso_type, offer.offload.gso_type);
    EXPECT_EQ(slice.offload.gso_size, 1448);
    EXPECT_EQ(slice.offload.hdr_len, packet.header_size);  // no longer what nobody trusts
    EXPECT_EQ(slice.offload.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
  }
}

TEST_P(WirePacketSlices, the_payload_is_not_copied) {
  const Offered offer = offered(tcp_packet(GetParam(), 5000), 1000);
  const auto packet = offer.parse().value();
  const WireSlice slice = slice_segments(packet, offer.offload, offer.octets, 2, 2);
  EXPECT_EQ(slice.payload.data(), offer.octets.data() + packet.header_size + 2000);
  EXPECT_EQ(slice.payload.size(), 2000u);
}

TEST_P(WirePacketSlices, one_segment_asks_for_no_segmentation_but_for_its_checksum) {
  Offered offer = offered(tcp_packet(GetParam(), 5000, kTcpAck | kTcpCwr), 1000);
  offer.offload.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
  for (uint32_t i = 0; i < 5; ++i) {
    const virtio_net_hdr offload = slice_of(offer, i, 1).offload;
    EXPECT_EQ(offload.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    EXPECT_EQ(offload.gso_size, 0);
    EXPECT_EQ(offload.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    EXPECT_EQ(offload.csum_start, offer.offload.csum_start);
    EXPECT_EQ(offload.csum_offset, 16);
  }
}

TEST_P(WirePacketSlices, a_large_packet_of_one_segment_is_an_ordinary_one) {
  const Offered offer = offered(tcp_packet(GetParam(), 800), 1000);
  EXPECT_EQ(offer.parse()->segments(), 1u);
  EXPECT_EQ(offer.parse()->segment_size, 800u);
  EXPECT_EQ(slice_of(offer, 0, 1).offload.gso_type, VIRTIO_NET_HDR_GSO_NONE);
  EXPECT_EQ(segment_of(offer, 0), encode_packet(tcp_packet(GetParam(), 800)));
}

TEST_P(WirePacketSlices, congestion_window_reduced_is_said_by_the_first_alone) {
  Offered offer = offered(tcp_packet(GetParam(), 5000, kTcpAck | kTcpCwr), 1000);
  offer.offload.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
  const Offered first = slice_of(offer, 0, 2);
  EXPECT_NE(first.offload.gso_type & VIRTIO_NET_HDR_GSO_ECN, 0);
  EXPECT_EQ(first.parse()->flags, kTcpAck | kTcpCwr);
  const Offered later = slice_of(offer, 2, 3);
  EXPECT_EQ(later.offload.gso_type & VIRTIO_NET_HDR_GSO_ECN, 0);
  EXPECT_NE(later.offload.gso_type, VIRTIO_NET_HDR_GSO_NONE);
  EXPECT_EQ(later.parse()->flags, kTcpAck);
}

TEST_P(WirePacketSlices, fin_and_push_stay_with_the_last_and_urgent_with_all) {
  const Offered offer = offered(tcp_packet(GetParam(), 5000, kAllAtEnds), 1000);
  EXPECT_EQ(slice_of(offer, 0, 2).parse()->flags, kTcpAck | kTcpCwr | kTcpUrg);
  EXPECT_EQ(slice_of(offer, 2, 1).parse()->flags, kTcpAck | kTcpUrg);
  EXPECT_EQ(slice_of(offer, 3, 2).parse()->flags, kTcpAck | kTcpUrg | kTcpPsh | kTcpFin);
  EXPECT_EQ(offer.parse()->sequence_length(3), 1000u);
  EXPECT_EQ(offer.parse()->sequence_length(4), 1001u);
}

TEST_P(WirePacketSlices, sequence_numbers_and_identifications_wrap) {
  const Offered offer = offered(tcp_packet(GetParam(), 5000), 1000);
  EXPECT_EQ(slice_of(offer, 1, 1).parse()->sequence, 0xFFFFFF00u + 1000u);  // 744
  EXPECT_EQ(slice_of(offer, 4, 1).parse()->sequence, 3744u);
  if (GetParam()) return;
  EXPECT_EQ(slice_of(offer, 1, 1).parse()->identification, 0xFFFFu);
  EXPECT_EQ(slice_of(offer, 2, 3).parse()->identification, 0u);
}

TEST_P(WirePacketSlices, a_udp_checksum_that_would_be_0_is_sent_as_ones) {
  Packet sent = udp_packet(GetParam(), 2);
  bool met = false;
  for (int value = 0; value < 65'536 && !met; ++value) {
    store_be16(sent.payload, 0, static_cast<uint16_t>(value));
    const Bytes segment = segment_of(offered(sent), 0);
    met = load_be16(segment, GetParam() ? 46 : 26) == 0xFFFF;
    EXPECT_TRUE(decode_packet(segment)->transport_checksum_ok);
    ASSERT_NE(load_be16(segment, GetParam() ? 46 : 26), 0) << value;
  }
  EXPECT_TRUE(met);
}

TEST_P(WirePacketSlices, a_complete_checksum_stays_as_it_is_also_a_wrong_one) {
  Bytes octets = encode_packet(tcp_packet(GetParam(), 100));
  octets[octets.size() - 1] = static_cast<char>(octets.back() ^ 1);
  const Offered offer{.octets = octets};
  EXPECT_EQ(segment_of(offer, 0), octets);
  EXPECT_FALSE(decode_packet(segment_of(offer, 0))->transport_checksum_ok);
}

TEST_P(WirePacketSlices, segments_are_put_behind_what_is_there) {
  const Offered offer = offered(tcp_packet(GetParam(), 2000), 1000);
  Bytes out = "xyz";  // an odd place
  append_segment(out, offer.parse().value(), offer.offload, offer.octets, 1);
  EXPECT_EQ(out, "xyz" + segment_of(offer, 1));
}

TEST_P(WirePacketSlices, any_segment_size_gives_the_same_octets) {
  const Packet sent = tcp_packet(GetParam(), 3001, kAllAtEnds);
  for (const uint16_t size : {1, 2, 7, 536, 1500, 3000, 3001, 65'535}) {
    const Offered offer = offered(sent, size);
    for (uint32_t i = 0; i < offer.parse()->segments(); ++i) {
      ASSERT_EQ(segment_of(offer, i), expected_segment(sent, i, size)) << size << " " << i;
    }
  }
}

TEST(WirePacketSlicesV4, options_are_in_every_segment) {
  Offered offer = offered(tcp_packet(false, 3000), 1000);
  offer.octets.insert(20, *parse_hex("94 04 00 00"));
  offer.octets[0] = 0x46;
  store_be16(offer.octets, 2, static_cast<uint16_t>(offer.octets.size()));
  offer.offload.csum_start = 24;
  for (uint32_t i = 0; i < 3; ++i) {
    const Bytes segment = segment_of(offer, i);
    EXPECT_EQ(segment.substr(20, 4), offer.octets.substr(20, 4));
    const Packet decoded = decode_packet(segment).value();
    EXPECT_TRUE(decoded.ip_checksum_ok && decoded.transport_checksum_ok);
    EXPECT_EQ(decoded.payload, test_payload(3000).substr(i * 1000, 1000));
  }
}

// The final destination is in the routing header, and so the pseudo-header is not to be had from
// the IP header (RFC 8200 section 8.1).
TEST(WirePacketSlicesV6, a_partial_checksum_of_another_destination_is_kept) {
  Offered offer = offered(tcp_packet(true, 3000), 1000);
  const uint16_t sum = load_be16(offer.octets, 56);
  store_be16(offer.octets, 56, sum + 1);
  for (uint32_t i = 0; i < 3; ++i) {
    const Bytes segment = segment_of(offer, i);
    EXPECT_EQ(internet_checksum(ByteView(segment).substr(40),
                                pseudo_header_sum(offer.parse()->source, offer.parse()->destination,
                                                  kProtocolTcp, 1032) +
                                    1),
              0);
  }
}

TEST(WirePacketSlicesV6, payload_lengths_count_extension_headers) {
  Offered offer = offered(tcp_packet(true, 3000), 1000);
  offer.octets.insert(40, *parse_hex("06 00 01 04 00 00 00 00"));
  offer.octets[6] = 60;
  store_be16(offer.octets, 4, static_cast<uint16_t>(offer.octets.size() - 40));
  offer.offload.csum_start = 48;
  for (uint32_t i = 0; i < 3; ++i) {
    const Packet decoded = decode_packet(segment_of(offer, i)).value();
    EXPECT_TRUE(decoded.transport_checksum_ok);
    EXPECT_EQ(decoded.payload, test_payload(3000).substr(i * 1000, 1000));
  }
}

TEST_P(WirePacketChanges, a_flipped_bit_shows_in_tcp_and_arrives_in_udp) {
  for (const Packet& sent : {tcp_packet(GetParam(), 101), udp_packet(GetParam(), 101)}) {
    for (uint64_t bit = 0; bit < 101 * 8; ++bit) {
      Bytes octets = encode_packet(sent);
      flip_payload_bit(octets, bit);
      const Packet damaged = decode_packet(octets).value();
      Bytes expected = sent.payload;
      expected[bit / 8] = static_cast<char>(expected[bit / 8] ^ 0x80 >> bit % 8);
      ASSERT_EQ(damaged.payload, expected);
      ASSERT_EQ(damaged.transport_checksum_ok, sent.udp.has_value()) << bit;
      ASSERT_TRUE(damaged.ip_checksum_ok);
    }
  }
}

TEST(WirePacketChangesUdp, a_checksum_that_was_not_made_stays_so) {
  Bytes octets = encode_packet(udp_packet(false, 10));
  store_be16(octets, 26, 0);
  flip_payload_bit(octets, 3);
  EXPECT_EQ(load_be16(octets, 26), 0);
  EXPECT_NE(decode_packet(octets)->payload, test_payload(10));
}

TEST(WirePacketChangesUdp, a_wrong_checksum_stays_wrong) {
  Bytes octets = encode_packet(udp_packet(false, 10));
  store_be16(octets, 26, load_be16(octets, 26) ^ 0x0100);
  flip_payload_bit(octets, 3);
  EXPECT_FALSE(decode_packet(octets)->transport_checksum_ok);
}

// Every checksum is met on the way, 0 among them.
TEST(WirePacketChangesUdp, damage_never_makes_a_checksum_of_0) {
  Packet sent = udp_packet(true, 2);
  for (int value = 0; value < 65'536; ++value) {
    store_be16(sent.payload, 0, static_cast<uint16_t>(value));
    Bytes octets = encode_packet(sent);
    flip_payload_bit(octets, 7);
    ASSERT_TRUE(decode_packet(octets)->transport_checksum_ok) << value;
    ASSERT_NE(load_be16(octets, 46), 0) << value;
  }
}

TEST_P(WirePacketChanges, a_bit_that_is_not_there_is_not_flipped) {
  const Bytes octets = encode_packet(udp_packet(GetParam(), 10));
  for (const uint64_t bit : {uint64_t{80}, uint64_t{1} << 40, ~uint64_t{0}}) {
    Bytes same = octets;
    flip_payload_bit(same, bit);
    EXPECT_EQ(same, octets);
  }
  Bytes nothing = "no packet";
  flip_payload_bit(nothing, 0);
  mark_congestion(nothing);
  EXPECT_EQ(nothing, "no packet");
}

TEST_P(WirePacketChanges, only_what_is_capable_of_ecn_is_marked) {
  for (uint8_t ecn = 0; ecn < 4; ++ecn) {
    Packet sent = tcp_packet(GetParam(), 10);
    sent.ip.traffic_class = static_cast<uint8_t>(0xB8 | ecn);
    Bytes octets = encode_packet(sent);
    mark_congestion(octets);
    const Packet marked = decode_packet(octets).value();
    EXPECT_EQ(marked.ip.traffic_class, ecn == 0 ? 0xB8 : 0xBB) << int{ecn};
    EXPECT_TRUE(marked.ip_checksum_ok && marked.transport_checksum_ok);
    EXPECT_EQ(parse_wire_packet({}, octets)->ecn, ecn == 0 ? 0 : 3);
  }
}

TEST_P(WirePacketChanges, too_big_names_the_mtu_and_quotes_the_packet) {
  const Bytes octets = encode_packet(tcp_packet(GetParam(), 1400));
  const Bytes answer = packet_too_big(octets, 1280);
  const Packet decoded = decode_packet(answer).value();
  EXPECT_EQ(decoded.ip.source, tcp_packet(GetParam(), 0).ip.destination);
  EXPECT_EQ(decoded.ip.destination, tcp_packet(GetParam(), 0).ip.source);
  ASSERT_TRUE(decoded.icmp);
  EXPECT_EQ(decoded.icmp->type, GetParam() ? 2 : 3);
  EXPECT_EQ(decoded.icmp->code, GetParam() ? 0 : 4);
  EXPECT_EQ(decoded.icmp->rest, 1280u);
  EXPECT_TRUE(decoded.ip_checksum_ok && decoded.transport_checksum_ok);
  EXPECT_EQ(answer.size(), GetParam() ? 1280u : 576u);
  EXPECT_EQ(decoded.payload, octets.substr(0, decoded.payload.size()));
}

TEST_P(WirePacketChanges, too_big_quotes_a_small_packet_whole_and_no_packet_not_at_all) {
  const Bytes octets = encode_packet(udp_packet(GetParam(), 3));
  EXPECT_EQ(decode_packet(packet_too_big(octets, 68))->payload, octets);
  EXPECT_EQ(packet_too_big("no packet", 68), "");
}

}  // namespace
}  // namespace netrig
