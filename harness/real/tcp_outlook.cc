#include "harness/real/tcp_outlook.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace netrig {
namespace {

// States as the kernel numbers them (include/net/tcp_states.h); <netinet/tcp.h> clashes with
// <linux/tcp.h>.
enum State : int {
  kEstablished = 1,
  kSynSent,
  kSynReceived,
  kFinWait1,
  kFinWait2,
  kTimeWait,
  kClose,
  kCloseWait,
  kLastAck,
  kListen,
  kClosing,
};

bool handshake_or_farewell(int state) {
  return state == kSynSent || state == kSynReceived || state == kFinWait1 || state == kClosing ||
         state == kLastAck;
}

template <typename T>
T option(int fd, int level, int name) {
  T value{};
  socklen_t length = sizeof(value);
  ::getsockopt(fd, level, name, &value, &length);
  return value;
}

}  // namespace

bool tcp_may_move(int fd) {
  if (option<int>(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) return false;
  const auto info = option<tcp_info>(fd, IPPROTO_TCP, TCP_INFO);
  if (info.tcpi_state == kListen || info.tcpi_state == kClose) return false;
  if (handshake_or_farewell(info.tcpi_state)) return true;
  if (info.tcpi_unacked > 0) return true;
  if (info.tcpi_notsent_bytes > 0 && info.tcpi_snd_wnd > 0) return true;
  return option<int>(fd, SOL_SOCKET, SO_KEEPALIVE) != 0 ||
         option<int>(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) != 0;
}

}  // namespace netrig
