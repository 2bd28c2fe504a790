#pragma once
// One recorded packet, from the IP header on, and a whole recording in memory. Plain values.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/bytes.h"

namespace netrig {

struct CapturedPacket {
  int64_t time_ns = 0;           // since 1970-01-01T00:00:00Z
  uint32_t interface = 0;        // index into Recording::interfaces
  Bytes data;                    // from the IP header on, possibly cut by the snap length
  uint32_t original_length = 0;  // of the whole packet, from the IP header on
  std::string comment;           // opt_comment; several are joined by '\n'
};

struct CaptureInterface {
  std::string name;          // if_name; "unix:/run/app.sock" for synthetic Unix frames
  uint16_t link_type = 101;  // as in the file; data is always stripped to the IP header
};

struct Recording {
  std::vector<CaptureInterface> interfaces;
  std::vector<CapturedPacket> packets;
  uint64_t skipped = 0;  // packets that carry no IP (ARP, unknown link types)
  std::vector<std::string>
      notes;  // "the last packet is cut off", "link type 147 is not known: 3 packets"
};

}  // namespace netrig
