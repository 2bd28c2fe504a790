#pragma once
// A socket program: calls in any order on a few sockets of two hosts, hardly waiting, and the
// transcript of what each answered. Run on two worlds, the transcripts must be equal. It holds
// nothing that differs by nature: chosen ports and names are written as such, and every call of a
// TCP socket is one whose outcome no timer decides.

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "harness/sockets/world.h"

namespace netrig {

enum class SocketCall : uint8_t {
  kSocket,
  kBind,
  kListen,
  kConnect,
  kAccept,
  kSend,
  kSendTo,
  kReceive,
  kReceiveFrom,
  kShutdown,
  kClose,
  kLocalName,
  kPeerName,
  kGetOption,
  kSetOption,
  kPoll,
  kReadable,
  kPair,
  kConnectedTcp,  // listener, client and accepted socket at once, so that programs get somewhere
  kConnectedUnix,
  kBoundUdp,     // two bound UDP sockets, the second connected to the first
  kSendMessage,  // of Unix sockets, with descriptors and credentials
  kReceiveMessage,
  kWait,       // a blocking call with a time-out
  kLargeSend,  // of TCP sockets, once each
  kCrowd,      // three clients for a listener's short queue
};
inline constexpr int kSocketCalls = 26;

// Small numbers that a program's runner takes modulo what there is: sockets, addresses, sizes.
struct SocketStep {
  SocketCall call = SocketCall::kSocket;
  uint8_t socket = 0;
  uint8_t choice = 0;
  uint8_t detail = 0;
};

enum class SocketFamilies : uint8_t { kAll, kUnix, kInet };

struct SocketProgram {
  SocketFamilies families = SocketFamilies::kAll;
  bool one_host = false;  // with loopback and wildcard addresses, which hosts on `real` share
  std::vector<SocketStep> steps;
};
std::ostream& operator<<(std::ostream& out, const SocketProgram& program);

// The places that a program may use; another for each run of it on one kernel, since connections in
// TIME_WAIT and paths stay behind.
struct SocketPlaces {
  uint16_t first_port = 5001;  // three from here
  std::string unix_prefix = "p";
};

// Hosts "a" and "b" of the world. One line a call: "3 s1 = accept s0 -> b:eph". Runs the world's
// loop; at the end every socket is closed.
std::vector<std::string> run_program(World& world, const SocketProgram& program,
                                     const SocketPlaces& places);

}  // namespace netrig
