#pragma once
// Words in the transcripts of socket programs, and the options that they set and ask for.

#include <span>
#include <string>

#include "harness/base/bytes.h"

namespace netrig {

std::string poll_words(short events);       // "IN|OUT", "-"
std::string message_flag_words(int flags);  // "TRUNC|CTRUNC", "-"
std::string run_lengths(ByteView octets);   // "A5B100": runs of one letter

struct SocketOption {
  const char* name;
  int level;
  int option;
  bool settable;
};
// Not SO_RCVBUF, which tunes itself by time, nor anything that makes timers matter.
std::span<const SocketOption> program_options();

}  // namespace netrig
