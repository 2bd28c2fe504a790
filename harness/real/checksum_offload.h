#pragma once
// lo computes no TCP and UDP checksums: a capture there holds the sum over the pseudo-header alone
// (CHECKSUM_PARTIAL), which Wireshark calls wrong. Here such packets get the checksum that a
// network card would have sent, also where an ICMP error quotes them. A packet whose checksum is
// wrong in any other way is left as it is.

#include "harness/base/bytes.h"

namespace netrig {

// `packet` from the IP header on. Fragments and cut-off packets stay as they are.
void complete_checksum(Bytes& packet);

}  // namespace netrig
