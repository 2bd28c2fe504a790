#include "fakes/network/icmp_error.h"

#include <algorithm>
#include <utility>

namespace netrig {
namespace {

// What an error quotes at most: RFC 1812 4.3.2.3 (576 octets in all), RFC 4443 3.1 (1280 in all).
constexpr size_t kQuotedMaxV4 = 576 - 28;
constexpr size_t kQuotedMaxV6 = 1280 - 48;

struct Kind {
  uint8_t type = 0;
  uint8_t code = 0;
};

Kind kind_of(IcmpProblem problem, bool v6) {
  if (problem == IcmpProblem::kPacketTooBig) {
    return v6 ? Kind{kIcmpV6PacketTooBig, 0} : Kind{kIcmpUnreachable, kIcmpFragmentationNeeded};
  }
  return v6 ? Kind{kIcmpV6Unreachable, kIcmpV6PortUnreachable}
            : Kind{kIcmpUnreachable, kIcmpPortUnreachable};
}

}  // namespace

FakePacket icmp_error(IcmpProblem problem, const FakePacket& about, uint32_t rest, bool quotes) {
  const bool v6 = about.source.is_v6();
  const Kind kind = kind_of(problem, v6);
  FakeIcmpError error;
  error.type = kind.type;
  error.code = kind.code;
  error.rest = rest;
  if (const auto* segment = std::get_if<tcp::Segment>(&about.body)) {
    error.tcp = true;
    error.source = Endpoint(about.source, segment->source_port);
    error.destination = Endpoint(about.destination, segment->destination_port);
    error.seq = segment->seq;
  } else if (const auto* datagram = std::get_if<FakeUdp>(&about.body)) {
    error.source = Endpoint(about.source, datagram->source_port);
    error.destination = Endpoint(about.destination, datagram->destination_port);
  }
  if (quotes) {
    error.quoted = to_octets(about);
    error.quoted.resize(std::min(error.quoted.size(), v6 ? kQuotedMaxV6 : kQuotedMaxV4));
  }
  FakePacket packet;
  packet.from = about.to;
  packet.to = about.from;
  packet.source = about.destination;
  packet.destination = about.source;
  packet.dont_fragment = false;
  packet.body = std::move(error);
  return packet;
}

}  // namespace netrig
