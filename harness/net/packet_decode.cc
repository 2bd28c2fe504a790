// decode_packet of packet.h: every length field is checked against the octets that are really
// there.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "harness/net/big_endian.h"
#include "harness/net/extension_header.h"
#include "harness/net/packet.h"

namespace netrig {

namespace {

using Problem = std::optional<std::string>;

// Octets that IP carries: what was captured of them, and how many there were by the length fields.
struct Carried {
  ByteView octets;
  size_t length = 0;
  bool cut() const { return octets.size() < length; }

  void remove_prefix(size_t count) {  // count <= octets.size()
    octets.remove_prefix(count);
    length -= count;
  }
};

// A header of `need` octets: whole, cut by the snap length or left to a later fragment, or longer
// than the packet by its own length fields.
enum class Header { kWhole, kCut, kTooLong };

Header look_at_header(const Carried& carried, size_t need, bool fragment) {
  if (carried.octets.size() >= need) return Header::kWhole;
  return carried.length >= need || fragment ? Header::kCut : Header::kTooLong;
}

std::string too_long(std::string_view header, size_t need, const Carried& carried) {
  return fmt::format("the {} of {} bytes exceeds the {} bytes that IP carries", header, need,
                     carried.length);
}

bool is_fragment(const IpHeader& ip) {
  return ip.more_fragments || ip.fragment_offset > 0;
}

bool checksum_ok(const Packet& packet, ByteView octets) {
  const uint32_t initial =
      packet.ip.protocol == kProtocolIcmp
          ? 0
          : pseudo_header_sum(packet.ip.source, packet.ip.destination, packet.ip.protocol,
                              static_cast<uint32_t>(octets.size()));
  return internet_checksum(octets, initial) == 0;
}

void set_payload(Packet& packet, const Carried& carried) {
  packet.payload = Bytes(carried.octets);
  packet.payload_length = static_cast<uint32_t>(carried.length);
}

// RFC 9293 section 3.1.
Problem decode_tcp(Packet& packet, Carried carried) {
  const bool fragment = is_fragment(packet.ip);
  size_t header_length = 20;
  Header header = look_at_header(carried, header_length, fragment);
  if (header == Header::kWhole) {
    header_length = static_cast<size_t>(octet_at(carried.octets, 12) >> 4) * 4;
    if (header_length < 20) {
      return fmt::format("bogus TCP header length ({}, must be at least 20)", header_length);
    }
    header = look_at_header(carried, header_length, fragment);
  }
  if (header == Header::kTooLong) return too_long("TCP header", header_length, carried);
  if (header == Header::kCut) return std::nullopt;

  const ByteView octets = carried.octets;
  if (!carried.cut() && !fragment) packet.transport_checksum_ok = checksum_ok(packet, octets);
  packet.tcp = TcpHeader{.source_port = load_be16(octets, 0),
                         .destination_port = load_be16(octets, 2),
                         .sequence = load_be32(octets, 4),
                         .acknowledgement = load_be32(octets, 8),
                         .flags = octet_at(octets, 13),
                         .window = load_be16(octets, 14),
                         .urgent_pointer = load_be16(octets, 18),
                         .options = Bytes(octets.substr(20, header_length - 20))};
  carried.remove_prefix(header_length);
  set_payload(packet, carried);
  return std::nullopt;
}

// RFC 768.
Problem decode_udp(Packet& packet, Carried carried) {
  const bool fragment = is_fragment(packet.ip);
  const Header header = look_at_header(carried, 8, fragment);
  if (header == Header::kTooLong) return too_long("UDP header", 8, carried);
  if (header == Header::kCut) return std::nullopt;

  const size_t udp_length = load_be16(carried.octets, 4);
  if (udp_length < 8) return fmt::format("bad UDP length {} < 8", udp_length);
  if (udp_length > carried.length && !fragment) {
    return fmt::format("bad UDP length {} > IP payload length {}", udp_length, carried.length);
  }
  carried.length = std::min(carried.length, udp_length);
  carried.octets = carried.octets.substr(0, carried.length);

  if (!carried.cut() && !fragment) {
    // RFC 768: 0 means that none was made. RFC 8200 section 8.1: IPv6 does not allow that.
    const bool none_made = load_be16(carried.octets, 6) == 0;
    packet.transport_checksum_ok =
        none_made ? !packet.ip.source.is_v6() : checksum_ok(packet, carried.octets);
  }
  packet.udp = UdpHeader{.source_port = load_be16(carried.octets, 0),
                         .destination_port = load_be16(carried.octets, 2)};
  carried.remove_prefix(8);
  set_payload(packet, carried);
  return std::nullopt;
}

// RFC 792, RFC 4443 section 2.1.
Problem decode_icmp(Packet& packet, Carried carried) {
  const bool fragment = is_fragment(packet.ip);
  const Header header = look_at_header(carried, 8, fragment);
  if (header == Header::kTooLong) return too_long("ICMP header", 8, carried);
  if (header == Header::kCut) return std::nullopt;

  if (!carried.cut() && !fragment) {
    packet.transport_checksum_ok = checksum_ok(packet, carried.octets);
  }
  packet.icmp = IcmpHeader{.type = octet_at(carried.octets, 0),
                           .code = octet_at(carried.octets, 1),
                           .rest = load_be32(carried.octets, 4)};
  carried.remove_prefix(8);
  set_payload(packet, carried);
  return std::nullopt;
}

Problem decode_transport(Packet& packet, const Carried& carried) {
  set_payload(packet, carried);  // stays so if there is no whole transport header
  if (packet.ip.fragment_offset > 0) return std::nullopt;
  switch (packet.ip.protocol) {
    case kProtocolTcp:
      return decode_tcp(packet, carried);
    case kProtocolUdp:
      return decode_udp(packet, carried);
    case kProtocolIcmp:
      return packet.ip.source.is_v6() ? std::nullopt : decode_icmp(packet, carried);
    case kProtocolIcmpV6:
      return packet.ip.source.is_v6() ? decode_icmp(packet, carried) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// RFC 791 section 3.1.
Problem decode_v4(Packet& packet, ByteView octets) {
  if (octets.size() < 20) return fmt::format("IPv4 header cut off after {} bytes", octets.size());
  const size_t header_length = static_cast<size_t>(octet_at(octets, 0) & 0xF) * 4;
  if (header_length < 20) {
    return fmt::format("bogus IP header length ({}, must be at least 20)", header_length);
  }
  if (octets.size() < header_length) {
    return fmt::format("IPv4 header of {} bytes cut off after {}", header_length, octets.size());
  }
  size_t total_length = load_be16(octets, 2);
  if (total_length == 0) total_length = octets.size();
  if (total_length < header_length) {
    return fmt::format("bogus IP length ({}, less than header length {})", total_length,
                       header_length);
  }
  IpHeader& ip = packet.ip;
  ip.traffic_class = octet_at(octets, 1);
  ip.identification = load_be16(octets, 4);
  const uint16_t fragment = load_be16(octets, 6);
  ip.dont_fragment = (fragment & 0x4000) != 0;
  ip.more_fragments = (fragment & 0x2000) != 0;
  ip.fragment_offset = static_cast<uint16_t>((fragment & 0x1FFF) * 8);
  ip.hop_limit = octet_at(octets, 8);
  ip.protocol = octet_at(octets, 9);
  ip.source = IpAddress::v4(load_be32(octets, 12));
  ip.destination = IpAddress::v4(load_be32(octets, 16));
  packet.ip_checksum_ok = internet_checksum(octets.substr(0, header_length)) == 0;

  const size_t length = total_length - header_length;
  return decode_transport(packet, {octets.substr(header_length, length), length});
}

bool is_extension(uint8_t protocol) {
  constexpr std::array<char, 2> kShortest{};
  return extension_length(protocol, ByteView(kShortest.data(), kShortest.size())) > 0;
}

// Walks the extension headers; afterwards ip.protocol says what `carried` starts with.
Problem skip_extensions(Packet& packet, Carried& carried) {
  IpHeader& ip = packet.ip;
  while (is_extension(ip.protocol) && ip.fragment_offset == 0) {
    size_t need = 8;
    Header header = look_at_header(carried, need, is_fragment(ip));
    if (header == Header::kWhole) {
      need = extension_length(ip.protocol, carried.octets);
      header = look_at_header(carried, need, is_fragment(ip));
    }
    if (header == Header::kTooLong) {
      return too_long(fmt::format("IPv6 extension header {}", ip.protocol), need, carried);
    }
    if (header == Header::kCut) return std::nullopt;
    if (ip.protocol == kProtocolFragment) {
      const uint16_t offset = load_be16(carried.octets, 2);
      ip.fragment_offset = offset & 0xFFF8;
      ip.more_fragments = (offset & 1) != 0;
      ip.identification = load_be16(carried.octets, 6);
    }
    ip.protocol = octet_at(carried.octets, 0);
    carried.remove_prefix(need);
  }
  return std::nullopt;
}

IpAddress address_v6(ByteView octets, size_t at) {
  std::array<uint8_t, 16> address{};
  for (size_t i = 0; i < address.size(); ++i) address[i] = octet_at(octets, at + i);
  return IpAddress::v6(address);
}

// RFC 8200 section 3.
Problem decode_v6(Packet& packet, ByteView octets) {
  if (octets.size() < 40) return fmt::format("IPv6 header cut off after {} bytes", octets.size());
  IpHeader& ip = packet.ip;
  ip.traffic_class = static_cast<uint8_t>(load_be16(octets, 0) >> 4);
  ip.protocol = octet_at(octets, 6);
  ip.hop_limit = octet_at(octets, 7);
  ip.source = address_v6(octets, 8);
  ip.destination = address_v6(octets, 24);
  size_t length = load_be16(octets, 4);
  // RFC 2675 section 3: a jumbogram says 0 here and its length in a hop-by-hop option.
  if (length == 0 && ip.protocol == 0) length = octets.size() - 40;
  Carried carried{octets.substr(40, length), length};
  if (Problem problem = skip_extensions(packet, carried)) return problem;
  return decode_transport(packet, carried);
}

}  // namespace

std::expected<Packet, std::string> decode_packet(ByteView octets) {
  if (octets.empty()) return std::unexpected("no octets where an IP header should be");
  const int version = octet_at(octets, 0) >> 4;
  if (version != 4 && version != 6) {
    return std::unexpected(fmt::format("bogus IP version ({}, must be 4 or 6)", version));
  }
  Packet packet;
  Problem problem = version == 4 ? decode_v4(packet, octets) : decode_v6(packet, octets);
  if (problem) return std::unexpected(std::move(*problem));
  return packet;
}

}  // namespace netrig
