#include "harness/net/packet.h"

#include <fmt/format.h>

#include "harness/base/require.h"
#include "harness/net/big_endian.h"

namespace netrig {

namespace {

constexpr size_t kIpV4Header = 20;
constexpr size_t kIpV6Header = 40;
constexpr size_t kTcpHeader = 20;
constexpr size_t kTcpOptionsMax = 40;
constexpr size_t kLengthMax = 65535;
constexpr uint8_t kProtocolFragment = 44;

bool is_fragment(const IpHeader& ip) {
  return ip.more_fragments || ip.fragment_offset > 0;
}

uint8_t protocol_of(const Packet& packet) {
  if (packet.tcp) return kProtocolTcp;
  if (packet.udp) return kProtocolUdp;
  if (packet.icmp) return packet.ip.source.is_v6() ? kProtocolIcmpV6 : kProtocolIcmp;
  return packet.ip.protocol;
}

void store_checksum(Bytes& segment, size_t at, const Packet& packet) {
  const bool has_pseudo_header = !packet.icmp || packet.ip.source.is_v6();  // RFC 792, RFC 4443 2.3
  const uint32_t initial =
      has_pseudo_header
          ? pseudo_header_sum(packet.ip.source, packet.ip.destination, protocol_of(packet),
                              static_cast<uint32_t>(segment.size()))
          : 0;
  uint16_t checksum = internet_checksum(segment, initial);
  if (packet.udp && checksum == 0) checksum = 0xFFFF;  // RFC 768: zero means that none was made
  store_be16(segment, at, checksum);
}

Bytes encode_tcp(const Packet& packet) {
  const TcpHeader& tcp = *packet.tcp;
  NETRIG_REQUIRE(tcp.options.size() <= kTcpOptionsMax);
  Bytes options = tcp.options;
  options.resize((options.size() + 3) / 4 * 4, '\0');  // RFC 9293 section 3.1: padded with zeros
  Bytes segment;
  segment.reserve(kTcpHeader + options.size() + packet.payload.size());
  append_be16(segment, tcp.source_port);
  append_be16(segment, tcp.destination_port);
  append_be32(segment, tcp.sequence);
  append_be32(segment, tcp.acknowledgement);
  const uint32_t data_offset = static_cast<uint32_t>((kTcpHeader + options.size()) / 4);
  append_be16(segment, data_offset << 12 | tcp.flags);
  append_be16(segment, tcp.window);
  append_be16(segment, 0);
  append_be16(segment, tcp.urgent_pointer);
  segment += options;
  segment += packet.payload;
  store_checksum(segment, 16, packet);
  return segment;
}

Bytes encode_udp(const Packet& packet) {
  Bytes segment;
  append_be16(segment, packet.udp->source_port);
  append_be16(segment, packet.udp->destination_port);
  append_be16(segment, static_cast<uint32_t>(8 + packet.payload.size()));
  append_be16(segment, 0);
  segment += packet.payload;
  store_checksum(segment, 6, packet);
  return segment;
}

Bytes encode_icmp(const Packet& packet) {
  Bytes message;
  append_be16(message, static_cast<uint32_t>(packet.icmp->type << 8 | packet.icmp->code));
  append_be16(message, 0);
  append_be32(message, packet.icmp->rest);
  message += packet.payload;
  store_checksum(message, 2, packet);
  return message;
}

void append_address(Bytes& octets, const IpAddress& address) {
  for (size_t i = 0; i < (address.is_v6() ? 16 : 4); ++i) {
    octets += static_cast<char>(address.octets()[i]);
  }
}

// RFC 791 section 3.1, without options.
Bytes encode_v4_header(const IpHeader& ip, uint8_t protocol, size_t carried) {
  const size_t total_length = kIpV4Header + carried;
  NETRIG_REQUIRE(total_length <= kLengthMax);
  NETRIG_REQUIRE(ip.fragment_offset % 8 == 0);
  Bytes header;
  append_be16(header, 0x4500U | ip.traffic_class);
  append_be16(header, static_cast<uint32_t>(total_length));
  append_be16(header, ip.identification);
  append_be16(header, (ip.dont_fragment ? 0x4000U : 0U) | (ip.more_fragments ? 0x2000U : 0U) |
                          ip.fragment_offset / 8U);
  append_be16(header, static_cast<uint32_t>(ip.hop_limit << 8 | protocol));
  append_be16(header, 0);
  append_address(header, ip.source);
  append_address(header, ip.destination);
  store_be16(header, 10, internet_checksum(header));
  return header;
}

// RFC 8200 section 3, and 4.5 for the fragment header.
Bytes encode_v6_header(const IpHeader& ip, uint8_t protocol, size_t carried) {
  const size_t payload_length = carried + (is_fragment(ip) ? 8 : 0);
  NETRIG_REQUIRE(payload_length <= kLengthMax);
  NETRIG_REQUIRE(ip.fragment_offset % 8 == 0);
  Bytes header;
  header.reserve(kIpV6Header + 8);
  append_be32(header, 6U << 28 | static_cast<uint32_t>(ip.traffic_class) << 20);
  append_be16(header, static_cast<uint32_t>(payload_length));
  const uint32_t next_header = is_fragment(ip) ? kProtocolFragment : protocol;
  append_be16(header, next_header << 8 | ip.hop_limit);
  append_address(header, ip.source);
  append_address(header, ip.destination);
  if (is_fragment(ip)) {
    append_be16(header, static_cast<uint32_t>(protocol << 8));
    append_be16(header, ip.fragment_offset | (ip.more_fragments ? 1U : 0U));
    append_be32(header, ip.identification);
  }
  return header;
}

}  // namespace

Endpoint Packet::source() const {
  return Endpoint(ip.source, tcp ? tcp->source_port : udp ? udp->source_port : uint16_t{0});
}

Endpoint Packet::destination() const {
  return Endpoint(ip.destination, tcp   ? tcp->destination_port
                                  : udp ? udp->destination_port
                                        : uint16_t{0});
}

Bytes encode_packet(const Packet& packet) {
  NETRIG_REQUIRE(packet.ip.source.is_v6() == packet.ip.destination.is_v6());
  NETRIG_REQUIRE(packet.tcp.has_value() + packet.udp.has_value() + packet.icmp.has_value() <= 1);
  const bool has_header = packet.tcp || packet.udp || packet.icmp;
  NETRIG_REQUIRE(!has_header || packet.ip.fragment_offset == 0);
  const Bytes carried = packet.tcp    ? encode_tcp(packet)
                        : packet.udp  ? encode_udp(packet)
                        : packet.icmp ? encode_icmp(packet)
                                      : packet.payload;
  const uint8_t protocol = protocol_of(packet);
  Bytes octets = packet.ip.source.is_v6() ? encode_v6_header(packet.ip, protocol, carried.size())
                                          : encode_v4_header(packet.ip, protocol, carried.size());
  return octets += carried;
}

std::string format_tcp_flags(uint8_t flags) {
  constexpr std::string_view kLetters = "FSRP.UEW";  // from the lowest bit, tcpdump's order
  std::string text;
  for (size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((flags >> bit & 1) != 0) text += kLetters[bit];
  }
  return text.empty() ? "none" : text;
}

std::string format_packet(const Packet& packet) {
  const bool has_ports = packet.tcp || packet.udp;
  auto name = [&](const Endpoint& end) {
    return has_ports ? end.to_string() : end.address().to_string();
  };
  std::string text = fmt::format("{} > {} ", name(packet.source()), name(packet.destination()));
  auto out = std::back_inserter(text);
  if (packet.tcp) {
    const TcpHeader& tcp = *packet.tcp;
    fmt::format_to(out, "tcp [{}] seq {}", format_tcp_flags(tcp.flags), tcp.sequence);
    if ((tcp.flags & kTcpAck) != 0) fmt::format_to(out, " ack {}", tcp.acknowledgement);
    fmt::format_to(out, " win {}", tcp.window);
  } else if (packet.udp) {
    text += "udp";
  } else if (packet.icmp) {
    fmt::format_to(out, "{} type {} code {}", packet.ip.source.is_v6() ? "icmp6" : "icmp",
                   packet.icmp->type, packet.icmp->code);
  } else {
    fmt::format_to(out, "protocol {}", packet.ip.protocol);
  }
  fmt::format_to(out, " length {}", packet.payload_length);
  if (is_fragment(packet.ip)) {
    fmt::format_to(out, " fragment at {}{}", packet.ip.fragment_offset,
                   packet.ip.more_fragments ? ", more follow" : ", the last");
  }
  if (!packet.ip_checksum_ok) text += " (bad IP checksum)";
  if (!packet.transport_checksum_ok) text += " (bad checksum)";
  return text;
}

}  // namespace netrig
