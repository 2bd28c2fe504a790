#include "harness/real/packet_comments.h"

#include <algorithm>

namespace netrig {
namespace {

void add_line(std::string& comment, const std::string& line) {
  if (line.empty() || comment.ends_with(line)) return;
  if (!comment.empty()) comment += '\n';
  comment += line;
}

bool same_datagram(const IpHeader& a, const IpHeader& b) {
  return a.source == b.source && a.destination == b.destination &&
         a.identification == b.identification && a.protocol == b.protocol;
}

}  // namespace

void PacketComments::tcp_listening(const Endpoint& local, const std::string& activity) {
  listeners_[local] = activity;
  port_used(local.port());
}

void PacketComments::tcp_connecting(const Endpoint& local, const Endpoint& peer,
                                    const std::string& activity) {
  directions_.erase({peer, local});
  Direction& direction = directions_[{local, peer}] = Direction();
  direction.opening = activity;
  port_used(local.port());
}

void PacketComments::tcp_wrote(const Endpoint& local, const Endpoint& peer, uint64_t octets,
                               const std::string& activity) {
  Direction& direction = directions_[{local, peer}];
  direction.written += octets;
  if (!direction.writes.empty() && direction.writes.back().activity == activity) {
    direction.writes.back().end = direction.written;
  } else {
    direction.writes.push_back({direction.written, activity});
  }
  if (direction.writes.size() > kWritesMax) direction.writes.pop_front();
}

void PacketComments::tcp_closing(const Endpoint& local, const Endpoint& peer,
                                 const std::string& activity) {
  Direction& direction = directions_[{local, peer}];
  if (direction.closing.empty()) direction.closing = activity;
}

void PacketComments::udp_emitted(uint16_t source_port, const Endpoint& destination,
                                 std::string comment) {
  auto& waiting = datagrams_[{source_port, destination}];
  waiting.push_back(std::move(comment));
  if (waiting.size() > kDatagramsMax) waiting.pop_front();
  port_used(source_port);
}

bool PacketComments::farewells_missing() const {
  return std::ranges::any_of(directions_, [this](const auto& entry) {
    const Direction& direction = entry.second;
    const auto other = directions_.find({entry.first.second, entry.first.first});
    // A connection that never stood is given up without a farewell.
    if (direction.closing.empty() || !direction.isn || other == directions_.end()) return false;
    const Direction& reverse = other->second;
    if (!reverse.isn || direction.reset || reverse.reset) return false;
    if (!direction.after_fin || !reverse.acknowledged) return true;
    return static_cast<int32_t>(*reverse.acknowledged - *direction.after_fin) < 0;
  });
}

bool PacketComments::connection_known(const Endpoint& local, const Endpoint& peer) const {
  return directions_.contains({local, peer}) || directions_.contains({peer, local});
}

bool PacketComments::concerns(const Packet& packet) const {
  if (packet.tcp || packet.udp) {
    return ports_.contains(packet.source().port()) || ports_.contains(packet.destination().port());
  }
  return packet.icmp || same_datagram(packet.ip, fragmented_.first);
}

std::string PacketComments::comment_for(const Packet& packet) {
  if (packet.tcp) return tcp_comment(packet);
  if (packet.udp) {
    std::string comment = udp_comment(packet);
    if (packet.ip.more_fragments) fragmented_ = {packet.ip, comment};
    return comment;
  }
  // RFC 1122 3.2.2.1: a host answers a datagram to a port where nobody is with port unreachable.
  if (packet.icmp) return "answer of the kernel";
  if (packet.ip.fragment_offset > 0 && same_datagram(packet.ip, fragmented_.first)) {
    return fragmented_.second;
  }
  return {};
}

std::string PacketComments::tcp_comment(const Packet& packet) {
  const Endpoint source = packet.source();
  const Endpoint destination = packet.destination();
  const TcpHeader& tcp = *packet.tcp;
  const bool syn = (tcp.flags & kTcpSyn) != 0;
  const bool ack = (tcp.flags & kTcpAck) != 0;
  if (syn && !ack) {
    // Another initial sequence number is another connection, of a process that did not tell us.
    Direction& first = directions_[{source, destination}];
    if (first.isn && *first.isn != tcp.sequence) {
      first = {};
      directions_.erase({destination, source});
    }
  }
  Direction& direction = directions_[{source, destination}];
  std::string comment;
  uint32_t sequence = tcp.sequence;
  if (syn) {
    direction.isn = sequence;
    ++sequence;  // RFC 9293 3.4: a SYN takes one sequence number
    const std::string* listening = ack ? listener(source) : nullptr;
    add_line(comment, listening != nullptr ? *listening : direction.opening);
  }
  if (direction.isn && packet.payload_length > 0) {
    const auto near = static_cast<uint32_t>(*direction.isn + 1 + direction.seen);
    const int64_t begin =
        static_cast<int64_t>(direction.seen) + static_cast<int32_t>(sequence - near);
    const int64_t end = begin + packet.payload_length;
    direction.seen = std::max(direction.seen, static_cast<uint64_t>(std::max<int64_t>(end, 0)));
    auto write = std::ranges::partition_point(direction.writes, [begin](const Write& earlier) {
      return static_cast<int64_t>(earlier.end) <= begin;
    });
    for (; write != direction.writes.end(); ++write) {
      add_line(comment, write->activity);
      if (static_cast<int64_t>(write->end) >= end) break;
    }
  }
  if (ack) direction.acknowledged = tcp.acknowledgement;
  if ((tcp.flags & kTcpFin) != 0) {
    direction.after_fin = sequence + packet.payload_length + 1;
    add_line(comment, direction.closing);
  }
  if ((tcp.flags & kTcpRst) != 0) {
    direction.reset = true;
    add_line(comment, direction.closing.empty() ? "answer of the kernel" : direction.closing);
  }
  return comment;
}

std::string PacketComments::udp_comment(const Packet& packet) {
  const auto found = datagrams_.find({packet.udp->source_port, packet.destination()});
  if (found == datagrams_.end()) return {};
  std::string comment = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) datagrams_.erase(found);
  return comment;
}

const std::string* PacketComments::listener(const Endpoint& local) const {
  for (const IpAddress& address : {local.address(), IpAddress(), IpAddress::v6({})}) {
    const auto found = listeners_.find(Endpoint(address, local.port()));
    if (found != listeners_.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace netrig
