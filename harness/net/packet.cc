#include "harness/net/packet.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/require.h"
#include "harness/net/big_endian.h"
#include "harness/net/extension_header.h"

namespace netrig {

namespace {

constexpr size_t kIpV4Header = 20;
constexpr size_t kIpV6Header = 40;
constexpr size_t kIpV6Fragment = 8;
constexpr size_t kTcpHeader = 20;
constexpr size_t kUdpHeader = 8;
constexpr size_t kIcmpHeader = 8;
constexpr size_t kTcpOptionsMax = 40;
constexpr size_t kLengthMax = 65535;

bool is_fragment(const IpHeader& ip) {
  return ip.more_fragments || ip.fragment_offset > 0;
}

uint8_t protocol_of(const Packet& packet) {
  if (packet.tcp) return kProtocolTcp;
  if (packet.udp) return kProtocolUdp;
  if (packet.icmp) return packet.ip.source.is_v6() ? kProtocolIcmpV6 : kProtocolIcmp;
  return packet.ip.protocol;
}

size_t tcp_header_size(const TcpHeader& tcp) {
  NETRIG_REQUIRE(tcp.options.size() <= kTcpOptionsMax);
  return kTcpHeader + (tcp.options.size() + 3) / 4 * 4;
}

size_t transport_header_size(const Packet& packet) {
  if (packet.tcp) return tcp_header_size(*packet.tcp);
  return packet.udp ? kUdpHeader : packet.icmp ? kIcmpHeader : 0;
}

// The following write into zeros.

// Options are padded with zeros (RFC 9293 section 3.1). Answers where the checksum belongs.
size_t store_tcp(Bytes& out, size_t at, const TcpHeader& tcp) {
  store_be16(out, at, tcp.source_port);
  store_be16(out, at + 2, tcp.destination_port);
  store_be32(out, at + 4, tcp.sequence);
  store_be32(out, at + 8, tcp.acknowledgement);
  const auto data_offset = static_cast<uint32_t>(tcp_header_size(tcp) / 4);
  store_be16(out, at + 12, static_cast<uint16_t>(data_offset << 12 | tcp.flags));
  store_be16(out, at + 14, tcp.window);
  store_be16(out, at + 18, tcp.urgent_pointer);
  std::copy(tcp.options.begin(), tcp.options.end(),
            out.begin() + static_cast<std::ptrdiff_t>(at + kTcpHeader));
  return at + 16;
}

size_t store_udp(Bytes& out, size_t at, const UdpHeader& udp, size_t length) {
  store_be16(out, at, udp.source_port);
  store_be16(out, at + 2, udp.destination_port);
  store_be16(out, at + 4, static_cast<uint16_t>(length));
  return at + 6;
}

size_t store_icmp(Bytes& out, size_t at, const IcmpHeader& icmp) {
  store_be16(out, at, static_cast<uint16_t>(icmp.type << 8 | icmp.code));
  store_be32(out, at + 4, icmp.rest);
  return at + 2;
}

void store_address(Bytes& out, size_t at, const IpAddress& address) {
  const auto& octets = address.octets();
  std::copy_n(octets.begin(), address.is_v6() ? 16 : 4,
              out.begin() + static_cast<std::ptrdiff_t>(at));
}

// RFC 791 section 3.1, without options.
void store_v4_header(Bytes& out, size_t at, const IpHeader& ip, uint8_t protocol, size_t carried) {
  const size_t total_length = kIpV4Header + carried;
  NETRIG_REQUIRE(total_length <= kLengthMax);
  store_be16(out, at, static_cast<uint16_t>(0x4500U | ip.traffic_class));
  store_be16(out, at + 2, static_cast<uint16_t>(total_length));
  store_be16(out, at + 4, ip.identification);
  store_be16(out, at + 6,
             static_cast<uint16_t>((ip.dont_fragment ? 0x4000U : 0U) |
                                   (ip.more_fragments ? 0x2000U : 0U) | ip.fragment_offset / 8U));
  store_be16(out, at + 8, static_cast<uint16_t>(ip.hop_limit << 8 | protocol));
  store_address(out, at + 12, ip.source);
  store_address(out, at + 16, ip.destination);
  store_be16(out, at + 10, internet_checksum(ByteView(out).substr(at, kIpV4Header)));
}

// RFC 8200 section 3, and 4.5 for the fragment header.
void store_v6_header(Bytes& out, size_t at, const IpHeader& ip, uint8_t protocol, size_t carried) {
  const size_t payload_length = carried + (is_fragment(ip) ? kIpV6Fragment : 0);
  NETRIG_REQUIRE(payload_length <= kLengthMax);
  store_be32(out, at, 6U << 28 | static_cast<uint32_t>(ip.traffic_class) << 20);
  store_be16(out, at + 4, static_cast<uint16_t>(payload_length));
  const uint32_t next_header = is_fragment(ip) ? kProtocolFragment : protocol;
  store_be16(out, at + 6, static_cast<uint16_t>(next_header << 8 | ip.hop_limit));
  store_address(out, at + 8, ip.source);
  store_address(out, at + 24, ip.destination);
  if (is_fragment(ip)) {
    store_be16(out, at + 40, static_cast<uint16_t>(protocol << 8));
    store_be16(out, at + 42,
               static_cast<uint16_t>(ip.fragment_offset | (ip.more_fragments ? 1U : 0U)));
    store_be32(out, at + 44, ip.identification);
  }
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
  Bytes octets;
  append_packet(octets, packet, packet.payload);
  return octets;
}

void append_packet(Bytes& out, const Packet& packet, ByteView payload) {
  const IpHeader& ip = packet.ip;
  const bool v6 = ip.source.is_v6();
  NETRIG_REQUIRE(v6 == ip.destination.is_v6());
  NETRIG_REQUIRE(packet.tcp.has_value() + packet.udp.has_value() + packet.icmp.has_value() <= 1);
  const bool has_header = packet.tcp || packet.udp || packet.icmp;
  NETRIG_REQUIRE(!has_header || ip.fragment_offset == 0);
  NETRIG_REQUIRE(ip.fragment_offset % 8 == 0);
  const uint8_t protocol = protocol_of(packet);
  const size_t carried = transport_header_size(packet) + payload.size();

  const size_t start = out.size();
  const size_t transport =
      start + (v6 ? kIpV6Header + (is_fragment(ip) ? kIpV6Fragment : 0) : kIpV4Header);
  out.reserve(transport + carried);
  out.resize(transport + carried - payload.size(), '\0');
  out.append(payload);
  if (v6) {
    store_v6_header(out, start, ip, protocol, carried);
  } else {
    store_v4_header(out, start, ip, protocol, carried);
  }
  if (!has_header) return;
  const size_t place = packet.tcp   ? store_tcp(out, transport, *packet.tcp)
                       : packet.udp ? store_udp(out, transport, *packet.udp, carried)
                                    : store_icmp(out, transport, *packet.icmp);
  const bool has_pseudo_header = !packet.icmp || v6;  // RFC 792, RFC 4443 2.3
  const uint32_t initial =
      has_pseudo_header
          ? pseudo_header_sum(ip.source, ip.destination, protocol, static_cast<uint32_t>(carried))
          : 0;
  uint16_t checksum = internet_checksum(ByteView(out).substr(transport), initial);
  if (packet.udp && checksum == 0) checksum = 0xFFFF;  // RFC 768: zero means that none was made
  store_be16(out, place, checksum);
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
