#include "harness/sockets/socket_kind.h"

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

namespace netrig {

Result<Transport> transport_of(int domain, int type) {
  if (domain == AF_UNIX) {
    if (type == SOCK_STREAM) return Transport::kUnixStream;
    if (type == SOCK_DGRAM) return Transport::kUnixDgram;
    if (type == SOCK_SEQPACKET) return Transport::kUnixSeqpacket;
  } else if (domain == AF_INET || domain == AF_INET6) {
    if (type == SOCK_STREAM) return Transport::kTcp;
    if (type == SOCK_DGRAM) return Transport::kUdp;
  } else {
    return fail_with(EAFNOSUPPORT);
  }
  return fail_with(ESOCKTNOSUPPORT);
}

bool protocol_allowed(Transport transport, int protocol) {
  if (protocol == 0) return true;
  if (transport == Transport::kTcp) return protocol == IPPROTO_TCP;
  if (transport == Transport::kUdp) return protocol == IPPROTO_UDP;
  return protocol == AF_UNIX;
}

}  // namespace netrig
