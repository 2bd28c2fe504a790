#pragma once
// Takes one message from a socket: a datagram, or as much of a stream as the matcher's framing
// says, and not an octet more, so that call-by-call verbs can go on from there. It loops over
// partial reads and judges nothing but where the message ends.

#include <optional>
#include <string>
#include <vector>

#include "harness/run/verbs.h"

namespace netrig {

struct Framed {
  Bytes message;                     // what came, whole or not
  std::optional<Endpoint> from;      // datagrams
  std::optional<Errno> error;        // why it is not whole: EOF, TIMEOUT, ECONNRESET, ...
  std::optional<Mismatch> mismatch;  // it cannot become what was expected
  std::vector<std::string> details;  // about `error`: how much was there
};

Framed read_message(Branch& branch, OpenSocket& socket, const Matcher& matcher, int flags);

}  // namespace netrig
