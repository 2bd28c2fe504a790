#pragma once
// All TCP of one simulated host, sans I/O: connections by their four-tuple, listeners with their
// SYN queue and accept queue, TIME_WAIT, and the answers to segments that belong to nobody. Ports
// are chosen by the caller (bind's rules are the socket layer's). Deterministic: it iterates in
// order of creation or of endpoints, and initial sequence numbers come from the options' seed.
//
// Sources: RFC 9293 3.10.7 (arrival of segments), RFC 5961 (challenge ACKs, at most 1000 a second),
// RFC 6191 (TIME_WAIT reuse), RFC 1122 4.2.3.9 (ICMP), Linux for what RFCs leave open.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fakes/tcp/connection.h"
#include "fakes/tcp/segment.h"

namespace netrig::tcp {

// Where segments go and what is known of the way.
class Output {
 public:
  virtual ~Output() = default;
  // `activity`: what caused it, for captures; "" for the stack's own acknowledgements and answers.
  virtual void transmit(const IpAddress& source, const IpAddress& destination, Segment&& segment,
                        const std::string& activity) = 0;
  virtual uint32_t mtu(const IpAddress& source, const IpAddress& destination) const = 0;
};

struct StackOptions {
  uint64_t seed = 1;         // for initial sequence numbers and timestamp offsets
  Duration time_wait = 60s;  // Linux: TCP_TIMEWAIT_LEN
  size_t somaxconn = 4096;
  size_t syn_backlog_max = 1024;
  size_t connections_max = 200'000;
  bool syn_cookies = false;  // netrig has none: a full SYN queue drops
};

class Listener;
class ListenerObserver {
 public:
  virtual ~ListenerObserver() = default;
  virtual void connection_waits(Listener& listener) = 0;  // accept() may succeed now
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual const Endpoint& local() const = 0;  // may be a wildcard address
  virtual bool waiting() const = 0;           // accept() would succeed
  // A connection whose handshake ended (or that was reset meanwhile, as Linux hands it out), or
  // null. It belongs to the stack, until Connection::close.
  virtual Connection* accept(ConnectionObserver* observer) = 0;
  virtual void set_backlog(size_t backlog) = 0;
  virtual void set_options(const ConnectionOptions& options) = 0;  // inherited by connections
};

struct StackCounters {
  uint64_t segments_received = 0, segments_sent = 0;
  uint64_t checksum_errors = 0;
  uint64_t resets_sent = 0, challenge_acks = 0;
  uint64_t handshake_retransmissions = 0;  // segments with SYN that were sent before
  uint64_t listen_overflows = 0;
  // Octets that came and were in order, of all connections, and when the first and the last did.
  uint64_t octets_in_order = 0;
  Instant first_octet_at;
  Instant last_octet_at;
};

class Stack {
 public:
  // Both references must outlive it.
  Stack(Output& output, BytePool& pool, const StackOptions& options);
  ~Stack();  // nothing is sent
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // ---- sockets
  // Sends the SYN. EADDRNOTAVAIL if the pair of endpoints is taken by a live connection (one in
  // TIME_WAIT is reused if RFC 6191 and tcp_tw_reuse's rule allow: its last timestamp is a second
  // or more ago).
  Result<Connection*> connect(Instant now, const Endpoint& local, const Endpoint& peer,
                              const ConnectionOptions& options, ConnectionObserver* observer);
  // A wildcard local address listens on all of the host's addresses of its family (`dual`: an IPv6
  // wildcard on IPv4 too). EADDRINUSE if another listener has the endpoint, unless it is `shared`
  // (SO_REUSEPORT, which the caller has judged): then a hash of the four-tuple chooses one of them.
  Result<Listener*> listen(const Endpoint& local, bool dual, size_t backlog,
                           const ConnectionOptions& options, ListenerObserver* observer,
                           bool shared = false);
  // Connections in its queues are reset.
  void close_listener(Instant now, Listener* listener);
  // connect() of a socket that was never going to be one: aborts a handshake under way.
  enum class PortUse { kFree, kTimeWait, kConnected, kListening };
  // What a bind to the local endpoint would collide with (wildcards included), the strongest.
  PortUse port_use(const Endpoint& local) const;
  // Whether there is a connection between the two, in whatever state.
  bool holds(const Endpoint& local, const Endpoint& peer) const;

  // ---- network
  void process(Instant now, const IpAddress& source, const IpAddress& destination,
               Segment&& segment);
  // An ICMP error about a segment that was sent from `local` to `peer` with `seq`. `error` as
  // icmp(7) maps it (ECONNREFUSED, EHOSTUNREACH, ...); `mtu` set for "fragmentation needed" and
  // "packet too big".
  void icmp(Instant now, const Endpoint& local, const Endpoint& peer, SeqNum seq, Errno error,
            bool hard, std::optional<uint32_t> mtu);
  Instant next_deadline() const;  // Instant::max(): never
  void expire(Instant now);

  // ---- for results and tests
  const StackCounters& counters() const;
  size_t connection_count() const;  // all states, TIME_WAIT included
  // In order of creation, those that have ended included only as long as kept.
  void for_each(const std::function<void(const Connection&)>& visit) const;
  SenderCounters total_sent() const;  // over all connections that ever were

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig::tcp
