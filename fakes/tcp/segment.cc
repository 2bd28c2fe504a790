#include "fakes/tcp/segment.h"

#include <algorithm>

#include "harness/net/big_endian.h"

namespace netrig::tcp {
namespace {

// IANA TCP option kinds.
constexpr uint8_t kEnd = 0;
constexpr uint8_t kNop = 1;
constexpr uint8_t kMss = 2;            // RFC 9293 3.7.1
constexpr uint8_t kWindowScale = 3;    // RFC 7323 2.2
constexpr uint8_t kSackPermitted = 4;  // RFC 2018 section 2
constexpr uint8_t kSack = 5;           // RFC 2018 section 3
constexpr uint8_t kTimestamps = 8;     // RFC 7323 3.2

constexpr size_t kOptionsMax = 40;  // RFC 9293 3.1: the data offset counts to 15 words

// What stands before SACK blocks.
size_t fixed_options_size(const Segment& segment) {
  size_t size = segment.mss ? 4 : 0;
  // Linux's tcp_options_write: SACK-permitted stands in the padding of the timestamps.
  size += segment.timestamps ? 12 : segment.sack_permitted ? 4 : 0;
  return size + (segment.window_scale ? 4 : 0);
}

size_t sack_blocks_that_fit(const Segment& segment) {
  const size_t count = std::min<size_t>(segment.sack_count, Segment::kSackBlocksMax);
  const size_t room = kOptionsMax - fixed_options_size(segment);
  return room < 12 ? 0 : std::min(count, (room - 4) / 8);
}

void append_octets(Bytes& options, std::initializer_list<uint8_t> octets) {
  for (const uint8_t octet : octets) options += static_cast<char>(octet);
}

// One option without its kind and length octets.
void understand(uint8_t kind, ByteView body, Segment& segment) {
  switch (kind) {
    case kMss:
      if (body.size() == 2) segment.mss = load_be16(body, 0);
      return;
    case kWindowScale:
      if (body.size() == 1) segment.window_scale = octet_at(body, 0);
      return;
    case kSackPermitted:
      if (body.empty()) segment.sack_permitted = true;
      return;
    case kSack:
      if (body.empty() || body.size() % 8 != 0) return;
      segment.sack_count = 0;
      while (!body.empty() && segment.sack_count < Segment::kSackBlocksMax) {
        segment.sacks[segment.sack_count++] = {SeqNum(load_be32(body, 0)),
                                               SeqNum(load_be32(body, 4))};
        body.remove_prefix(8);
      }
      return;
    case kTimestamps:
      if (body.size() == 8) segment.timestamps = {load_be32(body, 0), load_be32(body, 4)};
      return;
    default:
      return;  // RFC 9293 3.1, MUST-6: unknown options are skipped
  }
}

}  // namespace

size_t options_size(const Segment& segment) {
  const size_t blocks = sack_blocks_that_fit(segment);
  return fixed_options_size(segment) + (blocks > 0 ? 4 + 8 * blocks : 0);
}

TcpHeader to_header(const Segment& segment) {
  TcpHeader header;
  header.source_port = segment.source_port;
  header.destination_port = segment.destination_port;
  header.sequence = segment.seq.value();
  header.acknowledgement = segment.ack.value();
  header.flags = segment.flags;
  header.window = segment.window;
  header.urgent_pointer = segment.urgent_pointer;

  Bytes& options = header.options;
  options.reserve(options_size(segment));
  if (segment.mss) {
    append_octets(options, {kMss, 4});
    append_be16(options, *segment.mss);
  }
  if (segment.timestamps) {
    if (segment.sack_permitted) {
      append_octets(options, {kSackPermitted, 2});
    } else {
      append_octets(options, {kNop, kNop});
    }
    append_octets(options, {kTimestamps, 10});
    append_be32(options, segment.timestamps->value);
    append_be32(options, segment.timestamps->echo);
  } else if (segment.sack_permitted) {
    append_octets(options, {kNop, kNop, kSackPermitted, 2});
  }
  if (segment.window_scale) {
    append_octets(options, {kNop, kWindowScale, 3, *segment.window_scale});
  }
  if (const size_t blocks = sack_blocks_that_fit(segment); blocks > 0) {
    append_octets(options, {kNop, kNop, kSack, static_cast<uint8_t>(2 + 8 * blocks)});
    for (size_t i = 0; i < blocks; ++i) {
      append_be32(options, segment.sacks[i].left.value());
      append_be32(options, segment.sacks[i].right.value());
    }
  }
  return header;
}

Segment from_header(const TcpHeader& header, SharedBytes payload) {
  Segment segment;
  segment.source_port = header.source_port;
  segment.destination_port = header.destination_port;
  segment.seq = SeqNum(header.sequence);
  segment.ack = SeqNum(header.acknowledgement);
  segment.flags = header.flags;
  segment.window = header.window;
  segment.urgent_pointer = header.urgent_pointer;
  segment.payload = std::move(payload);

  ByteView rest = header.options;
  while (!rest.empty()) {
    const uint8_t kind = octet_at(rest, 0);
    if (kind == kEnd) break;
    if (kind == kNop) {
      rest.remove_prefix(1);
      continue;
    }
    // Linux's tcp_parse_options: a length that cannot be ends the parsing.
    if (rest.size() < 2) break;
    const size_t length = octet_at(rest, 1);
    if (length < 2 || length > rest.size()) break;
    understand(kind, rest.substr(2, length - 2), segment);
    rest.remove_prefix(length);
  }
  return segment;
}

}  // namespace netrig::tcp
