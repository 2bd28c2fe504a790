#pragma once
// ICMP and ICMPv6 errors about a packet (RFC 792, RFC 4443), and the numbers of their kinds. What
// an error means to a socket is fakes/host's business.

#include <cstdint>

#include "fakes/network/fake_packet.h"

namespace netrig {

// RFC 792, RFC 1122 3.2.2.
inline constexpr uint8_t kIcmpUnreachable = 3;
inline constexpr uint8_t kIcmpPortUnreachable = 3;      // a code of it
inline constexpr uint8_t kIcmpFragmentationNeeded = 4;  // another
inline constexpr uint8_t kIcmpTimeExceeded = 11;
inline constexpr uint8_t kIcmpParameterProblem = 12;
// RFC 4443.
inline constexpr uint8_t kIcmpV6Unreachable = 1;
inline constexpr uint8_t kIcmpV6PortUnreachable = 4;  // a code of it
inline constexpr uint8_t kIcmpV6PacketTooBig = 2;
inline constexpr uint8_t kIcmpV6TimeExceeded = 3;
inline constexpr uint8_t kIcmpV6ParameterProblem = 4;

enum class IcmpProblem : uint8_t { kPortUnreachable, kPacketTooBig };

// The answer to `about`, a segment or a UDP datagram, from the host that it went to. `rest` is the
// next-hop MTU of kPacketTooBig. `quotes`: with its first octets, which only a capture shows.
FakePacket icmp_error(IcmpProblem problem, const FakePacket& about, uint32_t rest, bool quotes);

}  // namespace netrig
