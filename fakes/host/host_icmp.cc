// FakeHost: ICMP and ICMPv6 errors (RFC 792, RFC 4443): told to the sender of a datagram that
// nobody wanted, and what an error that arrives means to the socket it is about.

#include <algorithm>
#include <cerrno>

#include "fakes/host/host_parts.h"
#include "fakes/host/udp_socket.h"

namespace netrig {
namespace {

constexpr uint8_t kUnreachable = 3;  // RFC 792
constexpr uint8_t kPortUnreachable = 3;
constexpr uint8_t kFragmentationNeeded = 4;
constexpr uint8_t kTimeExceeded = 11;
constexpr uint8_t kParameterProblem = 12;
constexpr uint8_t kUnreachableV6 = 1;  // RFC 4443
constexpr uint8_t kPortUnreachableV6 = 4;
constexpr uint8_t kPacketTooBig = 2;
constexpr uint8_t kTimeExceededV6 = 3;
constexpr uint8_t kParameterProblemV6 = 4;
constexpr size_t kQuotedMaxV4 = 576 - 28;   // RFC 1812 4.3.2.3
constexpr size_t kQuotedMaxV6 = 1280 - 48;  // RFC 4443 3.1

struct Meaning {
  Errno error;
  bool hard = false;  // a connected UDP socket is told of it (icmp_err_convert's fatal)
  bool names_mtu = false;
};

// icmp_err_convert and icmp_unreach of Linux, icmpv6_err_convert.
std::optional<Meaning> meaning_v4(const FakeIcmpError& error) {
  if (error.type == kTimeExceeded) return Meaning{Errno(EHOSTUNREACH), false};
  if (error.type == kParameterProblem) return Meaning{Errno(EPROTO), true};
  if (error.type != kUnreachable) return std::nullopt;
  switch (error.code) {
    case 0:
    case 6:
    case 9:
    case 11:
      return Meaning{Errno(ENETUNREACH), error.code == 6 || error.code == 9};
    case 1:
    case 12:
      return Meaning{Errno(EHOSTUNREACH), false};
    case 2:
      return Meaning{Errno(ENOPROTOOPT), true};
    case kPortUnreachable:
      return Meaning{Errno(ECONNREFUSED), true};
    case kFragmentationNeeded:
      return Meaning{Errno(EMSGSIZE), false, true};
    case 5:
      return Meaning{Errno(EOPNOTSUPP), false};
    case 7:
      return Meaning{Errno(EHOSTDOWN), true};
    case 8:
      return Meaning{Errno(ENONET), true};
    case 10:
    case 13:
    case 14:
    case 15:
      return Meaning{Errno(EHOSTUNREACH), true};
    default:
      return std::nullopt;
  }
}

std::optional<Meaning> meaning_v6(const FakeIcmpError& error) {
  switch (error.type) {
    case kPacketTooBig:
      return Meaning{Errno(EMSGSIZE), false, true};
    case kTimeExceededV6:
      return Meaning{Errno(EHOSTUNREACH), false};
    case kParameterProblemV6:
      return Meaning{Errno(EPROTO), true};
    case kUnreachableV6:
      break;
    default:
      return std::nullopt;
  }
  switch (error.code) {
    case 0:
      return Meaning{Errno(ENETUNREACH), false};
    case 1:
      return Meaning{Errno(EACCES), true};
    case 2:
    case 3:
      return Meaning{Errno(EHOSTUNREACH), false};
    case kPortUnreachableV6:
      return Meaning{Errno(ECONNREFUSED), true};
    case 5:
    case 6:
      return Meaning{Errno(EACCES), true};
    default:
      return std::nullopt;
  }
}

}  // namespace

// RFC 1122 4.1.3.1.
void FakeHost::Parts::send_port_unreachable(const FakePacket& about) {
  const FakeUdp& datagram = std::get<FakeUdp>(about.body);
  const bool v6 = about.source.is_v6();
  FakeIcmpError error;
  error.type = v6 ? kUnreachableV6 : kUnreachable;
  error.code = v6 ? kPortUnreachableV6 : kPortUnreachable;
  error.source = Endpoint(about.source, datagram.source_port);
  error.destination = Endpoint(about.destination, datagram.destination_port);
  if (network.captures()) {
    error.quoted = to_octets(about);
    error.quoted.resize(std::min(error.quoted.size(), v6 ? kQuotedMaxV6 : kQuotedMaxV4));
  }
  FakePacket packet;
  packet.from = id;
  packet.to = about.from;
  packet.source = about.destination;
  packet.destination = about.source;
  packet.dont_fragment = false;
  packet.body = std::move(error);
  network.send(std::move(packet));
}

void FakeHost::Parts::deliver_icmp(const FakePacket& packet, const FakeIcmpError& error) {
  const auto meaning = packet.source.is_v6() ? meaning_v6(error) : meaning_v4(error);
  if (!meaning) return;
  if (error.tcp) {
    const auto mtu = meaning->names_mtu ? std::optional(error.rest & 0xffffu) : std::nullopt;
    stack.icmp(network.loop().now(), error.source, error.destination, error.seq, meaning->error,
               meaning->hard, mtu);
    return;
  }
  // The socket that sent it: the one that would get an answer from there.
  InetSocket* sender = inet.udp_receiver(error.source, error.destination);
  if (sender == nullptr) return;
  static_cast<UdpSocket*>(sender)->told_error(meaning->error, meaning->hard);
}

}  // namespace netrig
