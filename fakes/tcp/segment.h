#pragma once
// A TCP segment as the simulated stacks hand it to each other: header fields, options already
// understood, payload shared. Octets exist only where somebody wants to see them: to_header() for a
// capture or another program, from_header() for segments that came as octets and may be hostile.

#include <array>
#include <cstdint>
#include <optional>

#include "fakes/tcp/seq_num.h"
#include "harness/base/shared_bytes.h"
#include "harness/net/packet.h"

namespace netrig::tcp {

// RFC 2018: [left, right).
struct SackBlock {
  SeqNum left;
  SeqNum right;
  friend bool operator==(SackBlock, SackBlock) = default;
};

// RFC 7323 section 3; in ticks of a millisecond, as Linux counts.
struct Timestamps {
  uint32_t value = 0;
  uint32_t echo = 0;
};

// IP's ECN codepoints (RFC 3168 section 5).
enum class Ecn : uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

struct Segment {
  static constexpr size_t kSackBlocksMax = 4;

  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  SeqNum seq;
  SeqNum ack;
  uint8_t flags = 0;    // TcpFlag bits
  uint16_t window = 0;  // unscaled, as sent
  uint16_t urgent_pointer = 0;
  Ecn ecn = Ecn::kNotEct;

  std::optional<uint16_t> mss;
  std::optional<uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps;
  uint8_t sack_count = 0;
  std::array<SackBlock, kSackBlocksMax> sacks{};

  SharedBytes payload;

  // Not on the wire: what names the segment to the link, independent of addresses and runs. Octets
  // of sequence space before `seq` on this connection (SYN at 0, first data octet at 1), and how
  // often this place was sent before, so 0 the first time.
  uint64_t relative_seq = 0;
  uint32_t times_sent = 0;
  // The flip of a bit on the way was seen by the checksum: whoever gets it drops it.
  bool checksum_ok = true;

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
  // Octets of sequence space: payload, SYN, FIN.
  uint32_t length() const {
    return static_cast<uint32_t>(payload.size()) + (has(kTcpSyn) ? 1u : 0u) +
           (has(kTcpFin) ? 1u : 0u);
  }
};

// Octets of options as to_header() writes them, 0..40.
size_t options_size(const Segment& segment);
// Options in Linux's order: mss,sackOK,TS,nop,wscale; without timestamps mss,nop,nop,sackOK,
// nop,wscale; afterwards nop,nop,TS and nop,nop,SACK.
TcpHeader to_header(const Segment& segment);
// Options that are cut short, loop or lie about their length end the parsing; what came before them
// counts (as Linux does). SACK blocks beyond four are not looked at. `payload` is what follows.
Segment from_header(const TcpHeader& header, SharedBytes payload);

}  // namespace netrig::tcp
