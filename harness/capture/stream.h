#pragma once
// TCP byte streams of a recording, put together again: per conversation and direction, the octets
// in order, first write wins, with gaps told. For complete captures; the finer analysis of damaged
// ones (CAPTURES: overlaps, who delivered what) builds on it later. Unix stream frames read the
// same way.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/capture/captured_packet.h"
#include "harness/net/endpoint.h"

namespace netrig {

struct StreamDirection {
  Bytes octets;           // up to the first gap
  bool gap = false;       // something after `octets` is missing
  bool finished = false;  // a FIN stands right after the octets
  bool reset = false;
};

struct Conversation {
  Endpoint client;  // who sent the SYN (or the first packet, if the start was not seen)
  Endpoint server;
  bool start_seen = false;
  StreamDirection from_client;
  StreamDirection from_server;
  std::vector<size_t> packets;  // indices into the recording
};

// In order of the first packet. The same ports with a new SYN of another ISN are a new
// conversation.
std::vector<Conversation> reassemble(const Recording& recording);

}  // namespace netrig
