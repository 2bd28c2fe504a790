#pragma once
// Which sockets of certain processes wait for peers: TCP and Unix sockets that listen, UDP and Unix
// datagram sockets that are bound. The kernel's tables (/proc/net) tell of the sockets,
// /proc/PID/fd whose they are: a connect that succeeds would not, somebody else may listen there.

#include <sys/types.h>
#include <vector>

#include "harness/net/endpoint.h"

namespace netrig {

struct ListeningSocket {
  Transport transport = Transport::kTcp;
  Endpoint at;

  friend bool operator==(const ListeningSocket&, const ListeningSocket&) = default;
};

// In order of address. Processes that cannot be looked into (they run as somebody else, and we are
// not root) are taken to have none.
std::vector<ListeningSocket> listening_sockets(const std::vector<pid_t>& processes);

// True if `peer` of the transport would reach that socket: its own address, or any address of the
// family (IPv4 through an IPv6 socket too).
bool reaches(const Endpoint& peer, Transport transport, const ListeningSocket& socket);

}  // namespace netrig
