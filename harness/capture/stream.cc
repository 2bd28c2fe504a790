#include "harness/capture/stream.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "harness/capture/builtin_filters.h"
#include "harness/capture/sequence_space.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

// One direction while packets still come. Nothing is judged before the end: octets, FIN and what
// the peer acknowledged are positions in sequence space, whatever order they came in.
class DirectionBuilder {
 public:
  bool seen() const { return seen_; }
  bool is_other_start(uint32_t initial_sequence) const;
  void add(const Packet& packet);
  void acknowledged_by_peer(const TcpHeader& tcp);
  StreamDirection finish() &&;

 private:
  int64_t locate(uint32_t sequence);
  void store(int64_t begin, ByteView octets);

  bool seen_ = false;  // sent something that takes a place in sequence space or names one
  bool placed_ = false;
  int64_t reference_ = 0;  // the highest position so far
  int64_t first_ = 0;      // of the first packet
  std::optional<uint32_t> initial_sequence_;
  std::optional<int64_t> start_;  // of the first octet, where SYN or the peer's SYN-ACK told it
  std::optional<int64_t> fin_;
  std::optional<int64_t> acknowledged_;
  int64_t data_end_ = 0;  // behind the last octet sent, captured or not
  bool reset_ = false;
  std::map<int64_t, Bytes> pieces_;  // by position, not overlapping
};

// "The same ports with a new SYN of another ISN". A SYN that was merely recorded late stands right
// before what is known already.
bool DirectionBuilder::is_other_start(uint32_t initial_sequence) const {
  if (initial_sequence_) return *initial_sequence_ != initial_sequence;
  if (!seen_) return false;
  const int64_t distance = first_ - (position_near(initial_sequence, first_) + 1);
  return distance < 0 || distance > 65535;
}

void DirectionBuilder::add(const Packet& packet) {
  const TcpHeader& tcp = *packet.tcp;
  if ((tcp.flags & kTcpRst) != 0) {
    reset_ =
        true;  // RFC 9293 3.5.3: its sequence number may be made up; text in it is no stream data
    return;
  }
  const bool syn = (tcp.flags & kTcpSyn) != 0;
  int64_t begin = locate(tcp.sequence);
  if (!seen_) first_ = begin;
  seen_ = true;
  if (syn) {
    ++begin;  // the SYN itself takes one number
    if (!initial_sequence_) {
      initial_sequence_ = tcp.sequence;
      start_ = begin;
    }
  }
  store(begin, packet.payload);
  const int64_t end = begin + packet.payload_length;
  if (packet.payload_length > 0) data_end_ = std::max(data_end_, end);
  if ((tcp.flags & kTcpFin) != 0 && !fin_) fin_ = end;
  reference_ = std::max(reference_, end);
}

void DirectionBuilder::acknowledged_by_peer(const TcpHeader& tcp) {
  if ((tcp.flags & kTcpAck) == 0 || (tcp.flags & kTcpRst) != 0) return;
  const int64_t position = locate(tcp.acknowledgement);
  if ((tcp.flags & kTcpSyn) != 0 && !start_) start_ = position;
  acknowledged_ = std::max(acknowledged_.value_or(position), position);
}

StreamDirection DirectionBuilder::finish() && {
  StreamDirection direction;
  direction.reset = reset_;
  if (!start_ && !pieces_.empty()) start_ = pieces_.begin()->first;
  if (!start_) start_ = fin_;
  if (!start_) return direction;  // it never sent an octet, and where it would have is not known
  int64_t end = *start_;
  for (auto& [begin, octets] : pieces_) {
    if (begin > end) break;
    const int64_t piece_end = begin + static_cast<int64_t>(octets.size());
    if (piece_end <= end) continue;
    if (direction.octets.empty() && begin == end) {
      direction.octets = std::move(octets);
    } else {
      direction.octets.append(octets, static_cast<size_t>(end - begin));
    }
    end = piece_end;
  }
  if (fin_ && *fin_ >= *start_ && *fin_ <= end) {
    // What lies beyond a FIN is not part of the stream: RFC 9293 3.10.7.4, "this should not occur".
    direction.octets.resize(static_cast<size_t>(*fin_ - *start_));
    direction.finished = true;
    return direction;
  }
  direction.gap = data_end_ > end || (fin_ && *fin_ > end) || acknowledged_.value_or(end) > end;
  return direction;
}

int64_t DirectionBuilder::locate(uint32_t sequence) {
  if (!placed_) {
    placed_ = true;
    reference_ = first_position(sequence);
    return reference_;
  }
  return position_near(sequence, reference_);
}

// First write wins: only what fills a hole is kept.
void DirectionBuilder::store(int64_t begin, ByteView octets) {
  const int64_t end = begin + static_cast<int64_t>(octets.size());
  auto next = pieces_.upper_bound(begin);
  if (next != pieces_.begin()) {
    auto before = std::prev(next);
    const int64_t before_end = before->first + static_cast<int64_t>(before->second.size());
    if (before_end > begin) begin = std::min(before_end, end);
  }
  while (begin < end) {
    const int64_t hole_end = next == pieces_.end() ? end : std::min(end, next->first);
    if (hole_end > begin) {
      const size_t length = static_cast<size_t>(hole_end - begin);
      const ByteView part = octets.substr(octets.size() - static_cast<size_t>(end - begin), length);
      auto before = next == pieces_.begin() ? pieces_.end() : std::prev(next);
      if (before != pieces_.end() &&
          before->first + static_cast<int64_t>(before->second.size()) == begin) {
        before->second.append(part);  // the usual case, in order: one growing piece
      } else {
        pieces_.emplace_hint(next, begin, part);
      }
      begin = hole_end;
    }
    if (begin < end) {
      begin = std::min(end, next->first + static_cast<int64_t>(next->second.size()));
      ++next;
    }
  }
}

struct ConversationBuilder {
  Conversation told;
  DirectionBuilder from_client;
  DirectionBuilder from_server;
};

class Reassembler {
 public:
  void add(uint32_t scope, size_t index, const Packet& packet);
  std::vector<Conversation> finish() &&;

 private:
  size_t conversation_of(uint32_t scope, const Packet& packet);

  std::vector<ConversationBuilder> conversations_;
  // The current conversation between two endpoints, the smaller one first.
  std::map<std::tuple<uint32_t, Endpoint, Endpoint>, size_t> current_;
};

void Reassembler::add(uint32_t scope, size_t index, const Packet& packet) {
  ConversationBuilder& conversation = conversations_[conversation_of(scope, packet)];
  const bool from_client = packet.source() == conversation.told.client;
  if ((packet.tcp->flags & kTcpSyn) != 0) conversation.told.start_seen = true;
  conversation.told.packets.push_back(index);
  (from_client ? conversation.from_client : conversation.from_server).add(packet);
  (from_client ? conversation.from_server : conversation.from_client)
      .acknowledged_by_peer(*packet.tcp);
}

size_t Reassembler::conversation_of(uint32_t scope, const Packet& packet) {
  const Endpoint source = packet.source();
  const Endpoint destination = packet.destination();
  const bool syn = (packet.tcp->flags & kTcpSyn) != 0;
  const bool opens = syn && (packet.tcp->flags & kTcpAck) == 0;
  const auto [place, is_new] = current_.try_emplace(
      {scope, std::min(source, destination), std::max(source, destination)}, size_t{0});
  if (!is_new) {
    const ConversationBuilder& known = conversations_[place->second];
    const bool from_client = source == known.told.client;
    const DirectionBuilder& sender = from_client ? known.from_client : known.from_server;
    if (!opens || !sender.is_other_start(packet.tcp->sequence)) return place->second;
  }
  place->second = conversations_.size();
  ConversationBuilder& fresh = conversations_.emplace_back();
  // A SYN-ACK that comes first still tells who sent the SYN.
  const bool answers = syn && !opens;
  fresh.told.client = answers ? destination : source;
  fresh.told.server = answers ? source : destination;
  return place->second;
}

std::vector<Conversation> Reassembler::finish() && {
  std::vector<Conversation> all;
  all.reserve(conversations_.size());
  for (ConversationBuilder& conversation : conversations_) {
    conversation.told.from_client = std::move(conversation.from_client).finish();
    conversation.told.from_server = std::move(conversation.from_server).finish();
    all.push_back(std::move(conversation.told));
  }
  return all;
}

}  // namespace

std::vector<Conversation> reassemble(const Recording& recording) {
  Reassembler reassembler;
  for (size_t i = 0; i < recording.packets.size(); ++i) {
    const auto packet = decode_packet(recording.packets[i].data);
    if (!packet || !packet->tcp) continue;
    reassembler.add(address_scope(recording, recording.packets[i]), i, *packet);
  }
  return std::move(reassembler).finish();
}

}  // namespace netrig
