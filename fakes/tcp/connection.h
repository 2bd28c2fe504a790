#pragma once
// One TCP connection, sans I/O: calls, segments and the passing of time go in; segments and changes
// come out through Output. All eleven states of RFC 9293, with the receive side, options, ACK
// policy, handshake, keep-alive, closing and TIME_WAIT; what is sent and retransmitted is decided
// by sender.h. It knows no socket, no loop, no link. Its owner is a Stack (stack.h), which finds
// the connection for a segment and calls expire() at deadlines.
//
// Results are those of Linux's calls on a non-blocking socket: EAGAIN where a blocking one would
// wait. A pending error is answered once, then forgotten (SO_ERROR).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "fakes/tcp/segment.h"
#include "fakes/tcp/sender.h"
#include "harness/base/errno.h"
#include "harness/base/time.h"
#include "harness/net/endpoint.h"

namespace netrig::tcp {

enum class State : uint8_t {  // RFC 9293 section 3.3.2
  kClosed,
  kListen,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
};
const char* state_name(State state);  // "ESTABLISHED", ...

// What a socket may set before or after connecting; names are tcp(7)'s and socket(7)'s. Defaults
// are those of netrig's sandbox (reno, tcp_rmem 4096 131072 1048576, tcp_wmem 4096 16384 1048576).
struct ConnectionOptions {
  size_t receive_buffer = 131072;     // octets of sk_rcvbuf; half is window (tcp_adv_win_scale 1)
  bool receive_buffer_fixed = false;  // SO_RCVBUF was set: no autotuning
  size_t receive_buffer_max = 1048576;
  size_t send_buffer = 16384;
  bool send_buffer_fixed = false;
  size_t send_buffer_max = 1048576;
  CongestionKind congestion = CongestionKind::kReno;
  bool nodelay = false;
  bool cork = false;
  bool quickack = true;  // TCP_QUICKACK
  bool timestamps = true;
  bool sack = true;
  bool window_scaling = true;
  bool ecn = false;            // ask for it when connecting, accept it when asked (tcp_ecn 1)
  bool ecn_when_asked = true;  // tcp_ecn 2, Linux's default
  uint16_t max_segment = 0;    // TCP_MAXSEG; 0: from the MTU
  bool keepalive = false;
  Duration keepalive_idle = 7200s;
  Duration keepalive_interval = 75s;
  uint32_t keepalive_count = 9;
  Duration user_timeout{0};
  uint32_t syn_retries = 6;          // TCP_SYNCNT
  uint32_t syn_linear_timeouts = 4;  // further ones, 1 s apart, before doubling (Linux 6.5)
  bool urgent_inline = false;        // SO_OOBINLINE
  uint32_t synack_retries = 5;
  Duration linger2 = 60s;  // FIN_WAIT_2 of an orphan, tcp_fin_timeout
  uint32_t window_clamp = 0;
  uint32_t receive_low_water = 1;
  uint32_t notsent_low_water = 0xffffffff;
  // shutdown() of the socket before it connected or listened: Linux's sk_shutdown stays, and a
  // listener's connections inherit it.
  bool receive_shutdown = false;
  bool send_shutdown = false;
};

// What poll(2) and the socket's owner want to know.
struct Readiness {
  bool readable = false;      // octets, EOF or an error wait
  bool writable = false;      // room by Linux's rule: free space >= a third of what is used
  bool read_closed = false;   // RCV_SHUTDOWN: FIN received or shutdown for reading (POLLRDHUP)
  bool write_closed = false;  // SEND_SHUTDOWN
  bool error = false;         // sk_err is set (POLLERR)
  bool urgent = false;        // POLLPRI
};

// Linux's tcp_info where a field of it exists, and more.
struct ConnectionInfo {
  State state = State::kClosed;
  SenderCounters sent;
  uint64_t segments_received = 0;
  uint64_t octets_received = 0;     // in order, payload
  uint64_t duplicate_segments = 0;  // wholly old data
  uint64_t out_of_order_segments = 0;
  Duration srtt{0}, rttvar{0}, rto{0};
  uint32_t cwnd = 0, ssthresh = 0, mss = 0, receive_mss = 0;
  uint32_t unacknowledged_segments = 0, backoff = 0, retransmits = 0;
  CongestionState congestion_state = CongestionState::kOpen;
  bool timestamps = false, sack = false, ecn = false;
  std::optional<uint8_t> send_scale, receive_scale;
};

class Connection;

// Whom a connection tells; called during calls into it. It must not call back into the connection
// from there.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;
  // Readiness, state or an error may have changed: whoever waits looks again.
  virtual void connection_changed(Connection& connection) = 0;
};

// The socket's side of a connection. Handles are made by Stack only.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual const Endpoint& local() const = 0;
  virtual const Endpoint& peer() const = 0;
  virtual State state() const = 0;
  virtual Readiness readiness() const = 0;
  virtual ConnectionInfo info() const = 0;
  virtual void set_observer(ConnectionObserver* observer) = 0;  // null: none

  // Octets taken, 1.. for non-empty data. EAGAIN: no room, or the handshake is not over. EPIPE: the
  // sending side is closed. ECONNRESET, ETIMEDOUT, ...: the pending error. `more`: MSG_MORE.
  virtual Result<size_t> send(Instant now, std::span<const ByteView> parts, bool more) = 0;
  // Octets copied; 0 at EOF (or for an empty buffer when octets wait). EAGAIN: nothing yet, also
  // during the handshake. `peek` leaves them.
  virtual Result<size_t> receive(Instant now, std::span<const std::span<char>> parts,
                                 bool peek) = 0;
  // TCP's urgent octet for MSG_OOB (RFC 6093): EINVAL if there is none, EAGAIN if under way,
  // Errno::eof() where recv() answers 0.
  virtual Result<char> receive_urgent(Instant now, bool peek) = 0;
  virtual Result<size_t> send_urgent(Instant now, std::span<const ByteView> parts) = 0;
  virtual size_t readable_octets() const = 0;

  virtual Result<void> shutdown(Instant now, bool read, bool write) = 0;  // ENOTCONN
  // close(2): the socket lets go. `linger_zero`: SO_LINGER with 0 seconds, a RST. Unread data makes
  // a RST too (RFC 2525 2.17). The stack keeps the connection as long as TCP needs it; the
  // reference must not be used afterwards. `activity` as in set_activity.
  virtual void close(Instant now, bool linger_zero) = 0;
  // True when a lingering close() (SO_LINGER > 0) may return: all data and the FIN acknowledged.
  virtual bool lingered() const = 0;

  virtual std::optional<Errno> take_error() = 0;  // SO_ERROR
  virtual const ConnectionOptions& options() const = 0;
  // Options that changed take effect at once where Linux's do (nodelay and uncork push, ...).
  virtual void set_options(Instant now, const ConnectionOptions& options) = 0;

  // Words for captures: who caused what is sent next ("client step 2 (send)").
  virtual void set_activity(const std::string& activity) = 0;
};

}  // namespace netrig::tcp
