#include "harness/capture/builtin_filters.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "harness/base/require.h"
#include "harness/capture/sequence_space.h"

namespace netrig {
namespace {

using Matches = bool (*)(const Packet&);

bool has_flags(const Packet& packet, uint8_t wanted, uint8_t unwanted) {
  return packet.tcp && (packet.tcp->flags & wanted) == wanted &&
         (packet.tcp->flags & unwanted) == 0;
}

const std::map<std::string, Matches, std::less<>>& stateless() {
  static const std::map<std::string, Matches, std::less<>> kMatches = {
      {"syn", [](const Packet& p) { return has_flags(p, kTcpSyn, kTcpAck); }},
      {"syn_ack", [](const Packet& p) { return has_flags(p, kTcpSyn | kTcpAck, 0); }},
      {"fin", [](const Packet& p) { return has_flags(p, kTcpFin, 0); }},
      {"reset", [](const Packet& p) { return has_flags(p, kTcpRst, 0); }},
      {"data", [](const Packet& p) { return (p.tcp || p.udp) && p.payload_length > 0; }},
      {"ack",
       [](const Packet& p) {
         return has_flags(p, kTcpAck, kTcpSyn | kTcpFin | kTcpRst) && p.payload_length == 0;
       }},
      {"tcp", [](const Packet& p) { return p.ip.protocol == kProtocolTcp; }},
      {"udp", [](const Packet& p) { return p.ip.protocol == kProtocolUdp; }},
      {"icmp",
       [](const Packet& p) {
         return p.ip.protocol == kProtocolIcmp || p.ip.protocol == kProtocolIcmpV6;
       }},
  };
  return kMatches;
}

// What one direction of the conversations between two endpoints has sent so far.
struct Sent {
  bool any = false;
  std::optional<uint32_t> initial_sequence;
  int64_t reference = 0;
  PositionSet positions;
};

class RetransmissionFinder {
 public:
  bool is_retransmission(uint32_t scope, const Packet& packet) {
    // RFC 9293 3.5.2: a reset takes no sequence space, whatever it carries.
    if (!packet.tcp || (packet.tcp->flags & kTcpRst) != 0) return false;
    const TcpHeader& tcp = *packet.tcp;
    const bool syn = (tcp.flags & kTcpSyn) != 0;
    const bool fin = (tcp.flags & kTcpFin) != 0;
    Sent& sent = sent_[{scope, packet.source(), packet.destination()}];
    if (syn && sent.any && sent.initial_sequence != tcp.sequence) {
      sent = {};  // the ports are used again
      if ((tcp.flags & kTcpAck) == 0) {
        sent_[{scope, packet.destination(), packet.source()}] = {};
      }
    }
    if (syn) sent.initial_sequence = tcp.sequence;
    const int64_t begin =
        sent.any ? position_near(tcp.sequence, sent.reference) : first_position(tcp.sequence);
    const int64_t end = begin + packet.payload_length + (syn ? 1 : 0) + (fin ? 1 : 0);
    if (end == begin) return false;
    const bool seen = sent.positions.overlaps(begin, end);
    sent.positions.insert(begin, end);
    sent.reference = sent.any ? std::max(sent.reference, end) : end;
    sent.any = true;
    return seen;
  }

 private:
  std::map<std::tuple<uint32_t, Endpoint, Endpoint>, Sent> sent_;
};

}  // namespace

uint32_t address_scope(const Recording& recording, const CapturedPacket& packet) {
  if (packet.interface >= recording.interfaces.size()) return 0;
  const bool is_unix = recording.interfaces[packet.interface].name.starts_with("unix:");
  return is_unix ? packet.interface + 1 : 0;
}

const std::vector<std::string>& builtin_filter_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names = {"retransmission"};
    for (const auto& [name, matches] : stateless()) names.push_back(name);
    std::ranges::sort(names);
    return names;
  }();
  return kNames;
}

std::vector<size_t> select_builtin(std::string_view name, const Recording& recording) {
  const auto found = stateless().find(name);
  NETRIG_REQUIRE(found != stateless().end() || name == "retransmission");
  RetransmissionFinder finder;
  std::vector<size_t> chosen;
  for (size_t i = 0; i < recording.packets.size(); ++i) {
    const auto packet = decode_packet(recording.packets[i].data);
    if (!packet) continue;
    const bool matches =
        found != stateless().end()
            ? found->second(*packet)
            : finder.is_retransmission(address_scope(recording, recording.packets[i]), *packet);
    if (matches) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace netrig
