// FakeHost: ICMP and ICMPv6 errors (RFC 792, RFC 4443): told to the sender of a datagram that
// nobody wanted, and what an error that arrives means to the socket it is about.

#include <cerrno>

#include "fakes/host/host_parts.h"
#include "fakes/host/udp_socket.h"
#include "fakes/network/icmp_error.h"

namespace netrig {
namespace {

struct Meaning {
  Errno error;
  bool hard = false;  // a connected UDP socket is told of it (icmp_err_convert's fatal)
  bool names_mtu = false;
};

// icmp_err_convert and icmp_unreach of Linux, icmpv6_err_convert.
std::optional<Meaning> meaning_v4(const FakeIcmpError& error) {
  if (error.type == kIcmpTimeExceeded) return Meaning{Errno(EHOSTUNREACH), false};
  if (error.type == kIcmpParameterProblem) return Meaning{Errno(EPROTO), true};
  if (error.type != kIcmpUnreachable) return std::nullopt;
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
    case kIcmpPortUnreachable:
      return Meaning{Errno(ECONNREFUSED), true};
    case kIcmpFragmentationNeeded:
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
    case kIcmpV6PacketTooBig:
      return Meaning{Errno(EMSGSIZE), false, true};
    case kIcmpV6TimeExceeded:
      return Meaning{Errno(EHOSTUNREACH), false};
    case kIcmpV6ParameterProblem:
      return Meaning{Errno(EPROTO), true};
    case kIcmpV6Unreachable:
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
    case kIcmpV6PortUnreachable:
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
  network.send(icmp_error(IcmpProblem::kPortUnreachable, about, 0, network.captures()));
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
