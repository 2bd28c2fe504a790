#pragma once
// What a WirePath is made of. Private to wire_path.cc and wire_emission.cc.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/net/packet.h"
#include "harness/wire/wire_path.h"

namespace netrig {

// A handle of the link: slot and, in the low bits, segment. A packet has at most 65535 octets.
inline constexpr unsigned kIndexBits = 16;
inline constexpr uint64_t kIndexMask = (uint64_t{1} << kIndexBits) - 1;

// One direction between two hosts.
struct WirePath::Lane {
  Lane(size_t sender, size_t receiver, uint64_t seed, const std::string& direction,
       const LinkConfig& config)
      : from(sender),
        to(receiver),
        link(seed, direction, config),
        faulty(!config.is_transparent()),
        other_stream(flow_stream(direction, "icmp")) {}

  size_t from;
  size_t to;
  Link link;
  bool faulty;
  uint64_t other_stream;  // of packets without a flow
  uint64_t other_packets = 0;
  std::optional<TimerId> timer;
  Instant timer_at{};
  std::optional<uint32_t> interface;  // in the capture
};

// A packet that is being decided on, or of which segments are under way.
struct WirePath::Held {
  WirePacket packet;
  virtio_net_hdr offload{};
  ByteView octets;  // in the port's buffer, or in `storage`
  Bytes storage;
  std::optional<FragmentGatherer::Datagram> datagram;  // that came in fragments: in place of octets
  uint64_t waiting = 0;                                // octets kept while it waits for its link
  uint32_t left = 0;                                   // segments neither dropped nor let go
  std::vector<Fate> fates;                             // by segment, if somebody wants them
  std::vector<PacketName> names;                       // of datagrams, by segment
  Instant sent_at{};
  SharedText activity;

  bool is_datagram() const { return packet.protocol == kProtocolUdp && packet.has_transport; }
  // Of segment `index`, or of the whole datagram.
  uint32_t payload_size(uint32_t index) const {
    return datagram ? datagram->payload_size : packet.payload_of(index);
  }
};

}  // namespace netrig
