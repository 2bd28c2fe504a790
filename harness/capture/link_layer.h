#pragma once
// Where in a link-layer frame the IP packet is, and how long it says it is. See capture_reader.h
// for the link types. Headers are walked, nothing is checked beyond what finding IP needs.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/base/bytes.h"

namespace netrig {

struct IpInFrame {
  size_t offset = 0;  // of the IP header; inside the frame
  // Octets of the packet by its own length field, where the link may have padded it (RFC 894:
  // Ethernet to 46); nothing where it has not, or the field makes no sense.
  std::optional<size_t> length;
};

// Nothing if the frame carries no IP or the link type is not known.
std::optional<IpInFrame> find_ip(uint16_t link_type, ByteView frame);

}  // namespace netrig
