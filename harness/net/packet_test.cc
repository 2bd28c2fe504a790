#include "harness/net/packet.h"

#include <gtest/gtest.h>
#include <random>

namespace netrig {
namespace {

const IpAddress kV4Client = IpAddress::v4(10, 0, 0, 2);
const IpAddress kV4Server = IpAddress::v4(10, 0, 0, 1);
const IpAddress kV6Client = *IpAddress::parse("2001:db8::2");
const IpAddress kV6Server = *IpAddress::parse("2001:db8::1");

Packet from_client(bool v6, Bytes payload) {
  Packet packet;
  packet.ip.source = v6 ? kV6Client : kV4Client;
  packet.ip.destination = v6 ? kV6Server : kV4Server;
  packet.ip.hop_limit = 61;
  packet.ip.traffic_class = 0xB9;
  packet.payload_length = static_cast<uint32_t>(payload.size());
  packet.payload = std::move(payload);
  return packet;
}

Packet tcp_packet(bool v6, Bytes payload = "Hello from client!") {
  Packet packet = from_client(v6, std::move(payload));
  packet.tcp = TcpHeader{.source_port = 40000,
                         .destination_port = 80,
                         .sequence = 0xFFFFFFF0,
                         .acknowledgement = 7,
                         .flags = kTcpPsh | kTcpAck,
                         .window = 65535,
                         .urgent_pointer = 9,
                         .options = parse_hex("02 04 05 b4 01 03 03 07").value()};
  return packet;
}

Packet udp_packet(bool v6, Bytes payload = "ping 1") {
  Packet packet = from_client(v6, std::move(payload));
  packet.udp = UdpHeader{.source_port = 40000, .destination_port = 53};
  return packet;
}

Packet icmp_packet(bool v6) {
  Packet packet = from_client(v6, "abcdefg");
  packet.icmp = IcmpHeader{.type = static_cast<uint8_t>(v6 ? 128 : 8), .rest = 0x00010002};
  return packet;
}

// Everything that a whole packet says of itself.
void expect_same(const Packet& actual, const Packet& expected) {
  EXPECT_EQ(actual.source(), expected.source());
  EXPECT_EQ(actual.destination(), expected.destination());
  EXPECT_EQ(actual.ip.hop_limit, expected.ip.hop_limit);
  EXPECT_EQ(actual.ip.traffic_class, expected.ip.traffic_class);
  EXPECT_EQ(actual.payload, expected.payload);
  EXPECT_EQ(actual.payload_length, expected.payload.size());
  EXPECT_TRUE(actual.ip_checksum_ok);
  EXPECT_TRUE(actual.transport_checksum_ok);
  ASSERT_EQ(actual.tcp.has_value(), expected.tcp.has_value());
  ASSERT_EQ(actual.udp.has_value(), expected.udp.has_value());
  ASSERT_EQ(actual.icmp.has_value(), expected.icmp.has_value());
  if (expected.tcp) {
    EXPECT_EQ(actual.tcp->sequence, expected.tcp->sequence);
    EXPECT_EQ(actual.tcp->acknowledgement, expected.tcp->acknowledgement);
    EXPECT_EQ(actual.tcp->flags, expected.tcp->flags);
    EXPECT_EQ(actual.tcp->window, expected.tcp->window);
    EXPECT_EQ(actual.tcp->urgent_pointer, expected.tcp->urgent_pointer);
    EXPECT_EQ(actual.tcp->options, expected.tcp->options);
  }
  if (expected.icmp) {
    EXPECT_EQ(actual.icmp->type, expected.icmp->type);
    EXPECT_EQ(actual.icmp->code, expected.icmp->code);
    EXPECT_EQ(actual.icmp->rest, expected.icmp->rest);
  }
}

class EitherFamily : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(V4AndV6, EitherFamily, testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });

TEST_P(EitherFamily, EveryTransportDecodesToWhatWasEncoded) {
  for (const Packet& packet :
       {tcp_packet(GetParam()), udp_packet(GetParam()), icmp_packet(GetParam()),
        udp_packet(GetParam(), ""), tcp_packet(GetParam(), "odd")}) {
    SCOPED_TRACE(format_packet(packet));
    expect_same(decode_packet(encode_packet(packet)).value(), packet);
  }
}

TEST_P(EitherFamily, AnyFlippedBitOfTheTransportBreaksAChecksumOrALength) {
  const size_t ip_header = GetParam() ? 40 : 20;
  for (const Packet& packet :
       {tcp_packet(GetParam()), udp_packet(GetParam()), icmp_packet(GetParam())}) {
    const Bytes octets = encode_packet(packet);
    for (size_t bit = ip_header * 8; bit < octets.size() * 8; ++bit) {
      Bytes changed = octets;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (0x80 >> bit % 8));
      const auto decoded = decode_packet(changed);
      ASSERT_TRUE(!decoded || !decoded->transport_checksum_ok) << "bit " << bit;
    }
  }
}

TEST_P(EitherFamily, ACutPacketKeepsItsLengthAndMakesNoClaimAboutItsChecksum) {
  const Bytes octets = encode_packet(udp_packet(GetParam(), Bytes(1000, 'x')));
  const Packet cut = decode_packet(ByteView(octets).substr(0, 96)).value();
  ASSERT_TRUE(cut.udp);
  EXPECT_EQ(cut.payload_length, 1000u);
  EXPECT_EQ(cut.payload.size(), 96u - (GetParam() ? 48 : 28));
  EXPECT_TRUE(cut.transport_checksum_ok);
  const Bytes segment = encode_packet(tcp_packet(GetParam()));
  EXPECT_TRUE(
      decode_packet(ByteView(segment).substr(0, segment.size() - 1))->transport_checksum_ok);
}

TEST_P(EitherFamily, OctetsBetweenTheUdpLengthAndTheIpLengthAreNoPayload) {
  const Packet packet = udp_packet(GetParam());
  Bytes octets = encode_packet(packet) + "more";
  if (GetParam()) {
    octets[5] = static_cast<char>(octets[5] + 4);
  } else {
    octets[3] = static_cast<char>(octets[3] + 4);
  }
  const Packet decoded = decode_packet(octets).value();
  EXPECT_EQ(decoded.payload, packet.payload);
  EXPECT_EQ(decoded.payload_length, packet.payload.size());
  EXPECT_TRUE(decoded.transport_checksum_ok);
}

TEST_P(EitherFamily, APacketCutInItsTransportHeaderHasNone) {
  const size_t ip_header = GetParam() ? 40 : 20;
  const Bytes octets = encode_packet(tcp_packet(GetParam()));
  for (size_t kept = ip_header; kept < ip_header + 28; ++kept) {
    const Packet cut = decode_packet(ByteView(octets).substr(0, kept)).value();
    EXPECT_FALSE(cut.tcp) << kept;
    EXPECT_EQ(cut.ip.protocol, kProtocolTcp);
    EXPECT_EQ(cut.payload.size(), kept - ip_header);
    EXPECT_EQ(cut.source().port(), 0);
  }
  EXPECT_FALSE(decode_packet(ByteView(octets).substr(0, ip_header - 1)));
}

TEST_P(EitherFamily, OctetsBeyondTheIpLengthAreLeftOut) {
  const Packet packet = udp_packet(GetParam());
  expect_same(decode_packet(encode_packet(packet) + Bytes(18, '\0')).value(), packet);
}

TEST_P(EitherFamily, FragmentsKeepTheirPlaceAndOnlyTheFirstHasATransportHeader) {
  Packet first = udp_packet(GetParam(), Bytes(1000, 'a'));
  first.ip.identification = 0xBEEF;
  first.ip.dont_fragment = false;
  first.ip.more_fragments = true;
  const Packet one = decode_packet(encode_packet(first)).value();
  EXPECT_TRUE(one.udp && one.ip.more_fragments && one.ip.fragment_offset == 0);
  EXPECT_EQ(one.ip.identification, 0xBEEF);

  Packet last = from_client(GetParam(), Bytes(10, 'b'));
  last.ip.protocol = kProtocolUdp;
  last.ip.fragment_offset = 1008;
  const Packet two = decode_packet(encode_packet(last)).value();
  EXPECT_FALSE(two.udp);
  EXPECT_EQ(two.ip.protocol, kProtocolUdp);
  EXPECT_EQ(two.ip.fragment_offset, 1008);
  EXPECT_FALSE(two.ip.more_fragments);
  EXPECT_EQ(two.payload, Bytes(10, 'b'));
}

TEST_P(EitherFamily, RandomOctetsAndRandomChangesNeverCrashTheDecoder) {
  std::mt19937 random(7);  // NOLINT: a fixed seed is what makes this repeatable
  const Bytes seeds[] = {encode_packet(tcp_packet(GetParam())),
                         encode_packet(udp_packet(GetParam())),
                         encode_packet(icmp_packet(GetParam()))};
  for (int round = 0; round < 20'000; ++round) {
    Bytes octets = seeds[round % 3].substr(0, random() % 90);
    for (int change = 0; change < 4 && !octets.empty(); ++change) {
      octets[random() % octets.size()] = static_cast<char>(random());
    }
    const auto decoded = decode_packet(octets);
    if (decoded) {
      ASSERT_LE(decoded->payload.size(), octets.size());
    }
  }
}

// Sent by Linux through a TUN device, where the kernel makes every checksum itself.
constexpr const char* kFromTheKernel[] = {
    // UDP "ping 1" and a SYN over IPv4
    "45 00 00 22 02 8f 40 00 40 11 24 3a 0a 00 00 02 0a 00 00 01 9c 40 00 35 00 0e 50 58 70 69 6e "
    "67"
    "20 31",
    "45 00 00 3c fa 93 40 00 40 06 2c 26 0a 00 00 02 0a 00 00 01 9c 41 00 50 d5 e2 0c 91 00 00 00 "
    "00"
    "a0 02 fa f0 a8 9a 00 00 02 04 05 b4 04 02 08 0a 47 14 ca 55 00 00 00 00 01 03 03 0a",
    // a router solicitation, UDP "ping 1" and a SYN over IPv6
    "60 00 00 00 00 08 3a ff fe 80 00 00 00 00 00 00 4f 7b f4 c0 d1 47 a0 b1 ff 02 00 00 00 00 00 "
    "00"
    "00 00 00 00 00 00 00 02 85 00 c7 01 00 00 00 00",
    "60 0f fe 9c 00 0e 11 40 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 fd 00 00 00 00 00 00 "
    "00"
    "00 00 00 00 00 00 00 01 9c 40 00 35 00 0e 6a 56 70 69 6e 67 20 31",
    "60 0f 2b 45 00 28 06 40 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 fd 00 00 00 00 00 00 "
    "00"
    "00 00 00 00 00 00 00 01 9c 41 00 50 58 b5 b3 68 00 00 00 00 a0 02 fd 20 03 0d 00 00 02 04 05 "
    "a0"
    "04 02 08 0a 1c 59 88 d6 00 00 00 00 01 03 03 0a"};

TEST(EncodePacket, WritesWhatTheKernelWrites) {
  for (const char* hex : kFromTheKernel) {
    Bytes octets = parse_hex(hex).value();
    const Packet packet = decode_packet(octets).value();
    EXPECT_TRUE(packet.ip_checksum_ok && packet.transport_checksum_ok) << format_packet(packet);
    if (packet.ip.source.is_v6()) {  // the flow label is not kept
      octets[1] = static_cast<char>(octets[1] & 0xF0);
      octets[2] = octets[3] = '\0';
    }
    EXPECT_EQ(format_hex_diff(octets, encode_packet(packet)), "") << format_packet(packet);
  }
}

TEST(EncodePacket, PadsTcpOptionsWithZeros) {
  Packet packet = tcp_packet(false);
  packet.tcp->options = parse_hex("03 03 07").value();
  EXPECT_EQ(decode_packet(encode_packet(packet))->tcp->options, parse_hex("03 03 07 00").value());
}

TEST(EncodePacket, NeverSendsAUdpChecksumOfZero) {
  // Two octets of payload can be chosen so that the sum comes out as 0xFFFF: its complement is
  // zero.
  bool met = false;
  for (int value = 0; value < 65536 && !met; ++value) {
    const char payload[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
    const Bytes octets = encode_packet(udp_packet(true, Bytes(payload, 2)));
    ASSERT_NE(octets.substr(46, 2), Bytes(2, '\0'));
    met = octets.substr(46, 2) == "\xff\xff";
  }
  EXPECT_TRUE(met);
}

TEST(EncodePacket, FillsTheLargestDatagramAndRefusesALargerOne) {
  const Packet largest = udp_packet(false, Bytes(65507, 'x'));
  EXPECT_EQ(encode_packet(largest).size(), 65535u);
  expect_same(decode_packet(encode_packet(largest)).value(), largest);
  EXPECT_DEATH(encode_packet(udp_packet(false, Bytes(65508, 'x'))), "bug in netrig");
}

TEST(DecodePacket, SaysWhatIsMalformed) {
  auto error_of = [](std::string_view hex) { return decode_packet(*parse_hex(hex)).error(); };
  const std::string addresses = "0a 00 00 02 0a 00 00 01 ";
  EXPECT_EQ(error_of(""), "no octets where an IP header should be");
  EXPECT_EQ(error_of("50"), "bogus IP version (5, must be 4 or 6)");
  EXPECT_EQ(error_of("45 00"), "IPv4 header cut off after 2 bytes");
  EXPECT_EQ(error_of("60 00"), "IPv6 header cut off after 2 bytes");
  EXPECT_EQ(error_of("44 00 00 14 00 00 00 00 40 06 00 00" + addresses),
            "bogus IP header length (16, must be at least 20)");
  EXPECT_EQ(error_of("4f 00 00 14 00 00 00 00 40 06 00 00" + addresses),
            "IPv4 header of 60 bytes cut off after 20");
  EXPECT_EQ(error_of("45 00 00 13 00 00 00 00 40 06 00 00" + addresses),
            "bogus IP length (19, less than header length 20)");
  EXPECT_EQ(error_of("45 00 00 16 00 00 00 00 40 06 00 00" + addresses + "00 00"),
            "the TCP header of 20 bytes exceeds the 2 bytes that IP carries");
  EXPECT_EQ(error_of("45 00 00 1c 00 00 00 00 40 11 00 00" + addresses + "00 01 00 02 00 07 00 00"),
            "bad UDP length 7 < 8");
  EXPECT_EQ(error_of("45 00 00 1c 00 00 00 00 40 11 00 00" + addresses + "00 01 00 02 00 09 00 00"),
            "bad UDP length 9 > IP payload length 8");
}

TEST(DecodePacket, RefusesABogusTcpHeaderLength) {
  Bytes octets = encode_packet(tcp_packet(false));
  octets[32] = '\x40';
  EXPECT_EQ(decode_packet(octets).error(), "bogus TCP header length (16, must be at least 20)");
  octets[32] = '\xf0';
  EXPECT_EQ(decode_packet(octets).error(),
            "the TCP header of 60 bytes exceeds the 46 bytes that IP carries");
}

TEST(DecodePacket, CountsAnOffloadedSegmentAsLongAsItWasCaptured) {
  const Packet packet = tcp_packet(false);
  Bytes octets = encode_packet(packet);
  octets[2] = octets[3] = '\0';
  EXPECT_EQ(decode_packet(octets)->payload, packet.payload);
}

TEST(DecodePacket, TakesAnIpv4UdpChecksumOfZeroAsNoneAndAnIpv6OneAsWrong) {
  Bytes v4 = encode_packet(udp_packet(false));
  v4[26] = v4[27] = '\0';
  EXPECT_TRUE(decode_packet(v4)->transport_checksum_ok);
  Bytes v6 = encode_packet(udp_packet(true));
  v6[46] = v6[47] = '\0';
  EXPECT_FALSE(decode_packet(v6)->transport_checksum_ok);
}

TEST(DecodePacket, SeesAWrongIpv4HeaderChecksum) {
  Bytes octets = encode_packet(udp_packet(false));
  octets[8] = 1;  // the TTL
  const Packet packet = decode_packet(octets).value();
  EXPECT_FALSE(packet.ip_checksum_ok);
  EXPECT_TRUE(packet.transport_checksum_ok);
}

// Puts `extensions` between the IPv6 header and what it carried.
Bytes with_extensions(const Packet& packet, uint8_t first, std::string_view extensions_hex) {
  const Bytes extensions = parse_hex(extensions_hex).value();
  Bytes octets = encode_packet(packet);
  octets[6] = static_cast<char>(first);
  octets[5] = static_cast<char>(octets[5] + static_cast<char>(extensions.size()));
  return octets.insert(40, extensions);
}

TEST(DecodePacket, WalksIpv6ExtensionHeaders) {
  const Packet packet = udp_packet(true);
  // Hop-by-hop of 8, destination options of 16, an atomic fragment header, UDP.
  const Bytes octets =
      with_extensions(packet, 0,
                      "3c 00 01 04 00 00 00 00  2c 01 01 0c 00 00 00 00 00 00 00 00 00 00 00 00  "
                      "11 00 00 00 00 00 be ef");
  expect_same(decode_packet(octets).value(), packet);
  EXPECT_EQ(decode_packet(octets)->ip.protocol, kProtocolUdp);
}

TEST(DecodePacket, RefusesAnIpv6ExtensionHeaderThatRunsPastThePacket) {
  EXPECT_EQ(
      decode_packet(with_extensions(udp_packet(true, ""), 60, "11 ff 01 04 00 00 00 00")).error(),
      "the IPv6 extension header 60 of 2048 bytes exceeds the 16 bytes that IP carries");
}

TEST(DecodePacket, StopsAtWhatIsEncrypted) {
  const Packet packet = decode_packet(with_extensions(udp_packet(true), 50, "")).value();
  EXPECT_EQ(packet.ip.protocol, 50);
  EXPECT_FALSE(packet.udp);
  EXPECT_EQ(packet.payload_length, 14u);
}

TEST(FormatTcpFlags, SpeaksAsTcpdump) {
  EXPECT_EQ(format_tcp_flags(kTcpSyn), "S");
  EXPECT_EQ(format_tcp_flags(kTcpSyn | kTcpAck), "S.");
  EXPECT_EQ(format_tcp_flags(kTcpPsh | kTcpAck), "P.");
  EXPECT_EQ(format_tcp_flags(kTcpFin | kTcpAck), "F.");
  EXPECT_EQ(format_tcp_flags(kTcpRst), "R");
  EXPECT_EQ(format_tcp_flags(0xFF), "FSRP.UEW");
  EXPECT_EQ(format_tcp_flags(0), "none");
}

TEST(FormatPacket, SaysWhoSentWhatToWhom) {
  Packet syn = tcp_packet(false, "");
  syn.tcp->flags = kTcpSyn;
  syn.tcp->sequence = 1;
  EXPECT_EQ(format_packet(syn), "10.0.0.2:40000 > 10.0.0.1:80 tcp [S] seq 1 win 65535 length 0");
  EXPECT_EQ(format_packet(tcp_packet(true, "x")),
            "[2001:db8::2]:40000 > [2001:db8::1]:80 tcp [P.] seq 4294967280 ack 7 win 65535 "
            "length 1");
  EXPECT_EQ(format_packet(udp_packet(false)), "10.0.0.2:40000 > 10.0.0.1:53 udp length 6");
  EXPECT_EQ(format_packet(icmp_packet(false)), "10.0.0.2 > 10.0.0.1 icmp type 8 code 0 length 7");
  Packet broken = udp_packet(false);
  broken.transport_checksum_ok = false;
  broken.ip.more_fragments = true;
  EXPECT_EQ(format_packet(broken),
            "10.0.0.2:40000 > 10.0.0.1:53 udp length 6 fragment at 0, more follow (bad checksum)");
}

}  // namespace
}  // namespace netrig
