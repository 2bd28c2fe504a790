#pragma once
// Packets: headers of IPv4, IPv6, TCP, UDP and ICMP as plain structs, encoded with right checksums
// and decoded from untrusted octets. Decoding never reads outside its input and never trusts a
// length field. No fragments are put together here, no state is kept, no socket and no capture is
// known.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/net/checksum.h"
#include "harness/net/endpoint.h"

namespace netrig {

// IANA protocol numbers.
inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint8_t kProtocolIcmpV6 = 58;

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  uint8_t protocol = 0;       // the transport's, after IPv6 extension headers
  uint8_t hop_limit = 64;     // IPv4: TTL
  uint8_t traffic_class = 0;  // IPv4: TOS; the low two bits are ECN (RFC 3168)
  uint16_t identification = 0;
  bool dont_fragment = true;
  bool more_fragments = false;
  uint16_t fragment_offset = 0;  // octets
};

// TCP flag bits as sent (RFC 9293 section 3.1).
enum TcpFlag : uint8_t {
  kTcpFin = 0x01,
  kTcpSyn = 0x02,
  kTcpRst = 0x04,
  kTcpPsh = 0x08,
  kTcpAck = 0x10,
  kTcpUrg = 0x20,
  kTcpEce = 0x40,
  kTcpCwr = 0x80,
};

struct TcpHeader {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;    // TcpFlag bits
  uint16_t window = 0;  // unscaled, as sent
  uint16_t urgent_pointer = 0;
  Bytes options;  // raw, padded to a multiple of four by encode
};

struct UdpHeader {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
};

struct IcmpHeader {
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t rest = 0;  // octets 4..7, host order
};

// One packet from the IP header on. Exactly one of tcp, udp, icmp is set if the transport header
// was whole; none for a later fragment, an unknown protocol or a header that was cut.
struct Packet {
  IpHeader ip;
  std::optional<TcpHeader> tcp;
  std::optional<UdpHeader> udp;
  std::optional<IcmpHeader> icmp;
  Bytes payload;  // what was captured of it
  uint32_t payload_length =
      0;                       // by the length fields; larger than payload.size() if cut by snaplen
  bool ip_checksum_ok = true;  // IPv6: always true
  // True if it cannot be known: cut off, a fragment, UDP over IPv4 that sent none (RFC 768).
  bool transport_checksum_ok = true;

  Endpoint source() const;  // port 0 without a transport header
  Endpoint destination() const;
};

// Encodes with right lengths and checksums; the octets that IP carries are at most 65535 minus the
// IP header (IPv6: 65535). Both addresses are of one family. A transport header that is set decides
// ip.protocol. IPv6 gets a fragment header if, and only if, the packet is a fragment; a later
// fragment has no transport header. payload_length and the checksum marks are not looked at.
Bytes encode_packet(const Packet& packet);
// The same, behind what `out` holds, with `payload` in place of packet.payload.
void append_packet(Bytes& out, const Packet& packet, ByteView payload);
// The error says what is malformed, in Wireshark's terms where there is one. Octets beyond the IP
// length (Ethernet padding) are left out. A total length of 0, which segmentation offload leaves in
// captures, and an IPv6 jumbogram count as long as they were captured.
std::expected<Packet, std::string> decode_packet(ByteView octets);

// "S", "S.", "P.", "F.", "R" as tcpdump(8) prints flags; "none".
std::string format_tcp_flags(uint8_t flags);
// One line as tcpdump prints it, relative sequence numbers not attempted:
// "10.0.0.2:40000 > 10.0.0.1:80 tcp [S] seq 1 win 65535 length 0"; fragments and wrong checksums
// say so.
std::string format_packet(const Packet& packet);

}  // namespace netrig
