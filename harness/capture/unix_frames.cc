#include "harness/capture/unix_frames.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "harness/net/packet.h"

namespace netrig {
namespace {

constexpr size_t kSegmentBytes = size_t{16} << 10;
constexpr size_t kUdpPayloadMax = 65507;  // 65535 less the headers of IPv4 and UDP
constexpr uint64_t kUdpHeaderBytes = 28;
constexpr uint32_t kPeerPortFirst = 32768;
constexpr uint32_t kPeerPorts = 32768;
constexpr uint32_t kServicePorts = 32767;
// Unacknowledged octets up to which one direction runs on alone; the window is a gigabyte.
constexpr uint32_t kAcknowledgeBytes = uint32_t{512} << 20;
// MSS 16384 and window scale 14 (RFC 9293 3.7.1, RFC 7323 2.2), so that no analysis finds a full
// window.
constexpr char kSynOptions[] = "\x02\x04\x40\x00\x01\x03\x03\x0e";

}  // namespace

struct UnixFrames::Service {
  uint32_t interface = 0;
  uint16_t port = 0;
  uint32_t connections = 0;
  std::map<uint64_t, uint16_t> datagram_peers;
};

struct UnixFrames::Connection {
  struct Side {
    uint32_t next = 0;          // sequence number of its next octet
    uint32_t acknowledged = 0;  // by the other side, as last told
    bool finished = false;
  };
  uint32_t interface = 0;
  uint16_t client_port = 0;
  uint16_t service_port = 0;
  Side client;
  Side service;

  Side& side(bool is_client) { return is_client ? client : service; }
  CapturedPacket segment(bool from_client, uint8_t flags, ByteView payload, int64_t time_ns,
                         const std::string& comment);
};

UnixFrames::UnixFrames(std::function<uint32_t(const std::string& name)> add_interface,
                       std::function<void(CapturedPacket&&)> emit)
    : add_interface_(std::move(add_interface)), emit_(std::move(emit)) {}
UnixFrames::~UnixFrames() = default;

void UnixFrames::connected(uint64_t connection, const std::string& service, int64_t time_ns,
                           const std::string& comment) {
  Service& known = service_of(service);
  const uint32_t number = known.connections++;
  Connection fresh;
  fresh.interface = known.interface;
  fresh.client_port = static_cast<uint16_t>(kPeerPortFirst + number % kPeerPorts);
  fresh.service_port = known.port;
  // When the ports have gone round, another initial sequence number makes it another conversation.
  fresh.client.next = fresh.client.acknowledged = number / kPeerPorts;
  Connection& made = connections_[connection] = fresh;
  emit_(made.segment(true, kTcpSyn, {}, time_ns, comment));
  emit_(made.segment(false, kTcpSyn | kTcpAck, {}, time_ns, {}));
  emit_(made.segment(true, kTcpAck, {}, time_ns, {}));
}

void UnixFrames::stream_data(uint64_t connection, bool from_client, ByteView data, int64_t time_ns,
                             const std::string& comment) {
  const auto found = connections_.find(connection);
  if (found == connections_.end() || found->second.side(from_client).finished) return;
  Connection& known = found->second;
  while (!data.empty()) {
    const ByteView part = data.substr(0, kSegmentBytes);
    data.remove_prefix(part.size());
    const auto flags = static_cast<uint8_t>(kTcpAck | (data.empty() ? kTcpPsh : 0));
    emit_(known.segment(from_client, flags, part, time_ns, comment));
    const Connection::Side& side = known.side(from_client);
    if (side.next - side.acknowledged >= kAcknowledgeBytes) {
      emit_(known.segment(!from_client, kTcpAck, {}, time_ns, {}));
    }
  }
}

void UnixFrames::finished(uint64_t connection, bool from_client, int64_t time_ns,
                          const std::string& comment) {
  const auto found = connections_.find(connection);
  if (found == connections_.end() || found->second.side(from_client).finished) return;
  Connection& known = found->second;
  emit_(known.segment(from_client, kTcpFin | kTcpAck, {}, time_ns, comment));
  known.side(from_client).finished = true;
  if (!known.side(!from_client).finished) return;
  emit_(known.segment(!from_client, kTcpAck, {}, time_ns, {}));
  connections_.erase(found);
}

void UnixFrames::reset(uint64_t connection, bool from_client, int64_t time_ns,
                       const std::string& comment) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  emit_(found->second.segment(from_client, kTcpRst | kTcpAck, {}, time_ns, comment));
  connections_.erase(found);
}

void UnixFrames::datagram(const std::string& service, uint64_t peer, bool to_service, ByteView data,
                          int64_t time_ns, const std::string& comment) {
  Service& known = service_of(service);
  const auto next_port =
      static_cast<uint16_t>(kPeerPortFirst + known.datagram_peers.size() % kPeerPorts);
  const uint16_t peer_port = known.datagram_peers.try_emplace(peer, next_port).first->second;
  Packet packet;
  packet.ip.source = packet.ip.destination = IpAddress::v4(127, 0, 0, 1);
  packet.ip.protocol = kProtocolUdp;
  packet.udp = UdpHeader{.source_port = to_service ? peer_port : known.port,
                         .destination_port = to_service ? known.port : peer_port};
  packet.payload = data.substr(0, kUdpPayloadMax);
  packet.payload_length = static_cast<uint32_t>(packet.payload.size());
  CapturedPacket out;
  out.time_ns = time_ns;
  out.interface = known.interface;
  out.data = encode_packet(packet);
  out.original_length = static_cast<uint32_t>(
      std::min<uint64_t>(data.size() + kUdpHeaderBytes, std::numeric_limits<uint32_t>::max()));
  out.comment = comment;
  emit_(std::move(out));
}

UnixFrames::Service& UnixFrames::service_of(const std::string& name) {
  const auto number = static_cast<uint32_t>(services_.size());
  const auto [place, is_new] = services_.try_emplace(name);
  if (is_new) {
    // Readers know synthetic packets by this prefix.
    place->second.interface = add_interface_(name.starts_with("unix:") ? name : "unix:" + name);
    place->second.port = static_cast<uint16_t>(1 + number % kServicePorts);
  }
  return place->second;
}

CapturedPacket UnixFrames::Connection::segment(bool from_client, uint8_t flags, ByteView payload,
                                               int64_t time_ns, const std::string& comment) {
  Side& sender = side(from_client);
  Side& receiver = side(!from_client);
  Packet packet;
  packet.ip.source = packet.ip.destination = IpAddress::v4(127, 0, 0, 1);
  packet.ip.protocol = kProtocolTcp;
  TcpHeader tcp;
  tcp.source_port = from_client ? client_port : service_port;
  tcp.destination_port = from_client ? service_port : client_port;
  tcp.sequence = sender.next;
  tcp.flags = flags;
  tcp.window = 65535;
  if ((flags & kTcpAck) != 0) {
    tcp.acknowledgement = receiver.next;
    receiver.acknowledged = receiver.next;
  }
  if ((flags & kTcpSyn) != 0) tcp.options.assign(kSynOptions, sizeof(kSynOptions) - 1);
  packet.tcp = std::move(tcp);
  packet.payload = payload;
  packet.payload_length = static_cast<uint32_t>(payload.size());
  sender.next += static_cast<uint32_t>(payload.size()) + ((flags & kTcpSyn) != 0 ? 1 : 0) +
                 ((flags & kTcpFin) != 0 ? 1 : 0);
  CapturedPacket out;
  out.time_ns = time_ns;
  out.interface = interface;
  out.data = encode_packet(packet);
  out.original_length = static_cast<uint32_t>(out.data.size());
  out.comment = comment;
  return out;
}

}  // namespace netrig
