#pragma once
// The sending half of a synchronised connection: the octets that wait or are in flight, which were
// lost, and what may be sent now. Windows, congestion control, loss detection (RFC 5681, 6582,
// 6675, 3042, 8985 RACK-TLP, 6937 PRR, 2883 DSACK undo), retransmission timer (RFC 6298 with
// Linux's 200 ms), Nagle and cork, zero-window probes. It knows no state machine, no receive side,
// no handshake and no addresses: connection.h feeds it acknowledgements and carries out what it
// says.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "fakes/tcp/congestion.h"
#include "fakes/tcp/segment.h"
#include "fakes/tcp/seq_num.h"
#include "harness/base/shared_bytes.h"
#include "harness/base/time.h"

namespace netrig::tcp {

struct SenderConfig {
  uint32_t mss = 1460;  // payload octets of a full segment, options already deducted
  bool sack = true;
  bool timestamps = true;
  bool ecn = false;
  CongestionKind congestion = CongestionKind::kReno;
  uint32_t initial_window_segments = 10;  // RFC 6928
  Duration rto_min = 200ms;
  Duration rto_max = 120s;
  size_t buffer_octets = 16384;  // sk_sndbuf: what waits or is unacknowledged, with its packets
  std::optional<Duration> handshake_rtt;  // first sample of RFC 6298, from SYN and SYN-ACK
  bool syn_retransmitted = false;         // RFC 5681 3.1: then the initial window is one segment
  uint32_t retries2 = 15;                 // tcp_retries2
};

// What a segment with ACK says to the sender; the caller has checked that it is acceptable
// (RFC 9293 3.10.7.4: snd_una - max.snd_wnd <= ack <= snd_nxt).
struct Acknowledgement {
  SeqNum seq;  // of the segment that carries it, for RFC 9293's SND.WL1 and WL2
  SeqNum ack;
  uint32_t window = 0;  // octets, scaled
  // RFC 7323 TSecr without the connection's offset: milliseconds of the run's clock when the
  // segment it answers was sent, mod 2^32 (compared with `now` for Eifel, RFC 3522).
  std::optional<uint32_t> ts_echo;
  std::span<const SackBlock> sacks;  // the first may be a DSACK (RFC 2883)
  bool has_length = false;           // it carries data, SYN or FIN: never a duplicate ACK
  bool ece = false;
};

// One segment to send. The connection adds ports, acknowledgement, window and options.
struct Transmission {
  SeqNum seq;
  SharedBytes payload;
  bool fin = false;
  bool push = false;
  bool cwr = false;         // RFC 3168 6.1.2
  bool ect = false;         // may be marked: new data on an ECN connection, never a retransmission
  uint32_t times_sent = 0;  // 0: the first time
};

struct SenderCounters {
  uint64_t segments_sent = 0;
  uint64_t octets_sent = 0;
  uint64_t retransmitted_segments = 0;  // all of them, those after a timeout included
  uint64_t fast_retransmits = 0;        // recoveries entered by SACK, dupACK or RACK
  uint64_t timeouts = 0;                // RTO expiries that retransmitted
  uint64_t tail_loss_probes = 0;
  uint64_t zero_window_probes = 0;
  uint64_t spurious_retransmissions = 0;  // told by DSACK
  uint64_t undone_recoveries = 0;
  uint64_t duplicate_acks = 0;
};

class Sender {
 public:
  // The first octet of data is iss + 1; the SYN is acknowledged already. `window`: the peer's,
  // octets. `pool` must outlive it.
  Sender(Instant now, SeqNum iss, uint32_t window, SeqNum window_seq, const SenderConfig& config,
         BytePool& pool);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // ---- from the application
  // A write under way. `more`: MSG_MORE, hold the last partial segment.
  struct Write {
    std::span<const ByteView> parts;
    bool more = false;
    size_t done = 0;  // octets taken
  };
  // tcp_sendmsg: takes what goes into one packet (packet_memory.h); what waits may be sent then.
  // False if there was nothing left to take or no room; a new packet needs memory() to be less than
  // the buffer, and `may_open`.
  bool append_packet(Write& write, bool may_open = true);
  // All that there is room for; octets taken.
  size_t append(std::span<const ByteView> parts, bool more);
  size_t memory() const;  // sk_wmem_queued
  size_t buffer() const;
  void finish();  // a FIN follows the last octet; append takes nothing any more
  void set_nodelay(bool on);
  void set_cork(bool on);
  void set_buffer(size_t octets);
  void set_congestion(CongestionKind kind);
  void set_user_timeout(Duration timeout);  // RFC 5482 / TCP_USER_TIMEOUT; 0: none
  void set_mss(uint32_t mss);               // after path MTU discovery
  void set_orphan();  // the socket let go: fewer retries (Linux's tcp_orphan_retries)

  // ---- from the network
  struct Outcome {
    uint32_t newly_acknowledged = 0;  // octets of sequence space, FIN included
    bool fin_acknowledged = false;
    bool window_opened = false;
    bool room_grew = false;
  };
  Outcome acknowledge(Instant now, const Acknowledgement& acknowledgement);
  // RFC 1191: segments above the new mss are sent again.
  void path_mtu_shrunk(Instant now, uint32_t mss);

  // The next segment that may go out now, until there is none: retransmissions first, then new
  // data as window, congestion window, Nagle and cork allow, probes when a timer asked for them.
  // Counted as sent.
  std::optional<Transmission> next(Instant now);
  // When expire() wants to be called: RTO, TLP, RACK's reordering timer, persist timer, cork's
  // 200 ms. Instant::max(): never.
  Instant next_deadline() const;
  enum class Expiry { kContinue, kGiveUp };  // kGiveUp: retries or user timeout are used up
  Expiry expire(Instant now);

  // ---- state
  SeqNum iss() const;
  SeqNum snd_una() const;
  SeqNum snd_nxt() const;
  uint32_t snd_wnd() const;
  uint64_t relative(SeqNum seq) const;  // octets of sequence space since iss, not wrapped
  size_t unsent_octets() const;
  size_t unacknowledged_octets() const;  // in the buffer, sent or not (SIOCOUTQ)
  bool fin_sent() const;
  bool all_acknowledged() const;     // FIN included if there is one
  bool probing_zero_window() const;  // the persist timer runs (a cork's does too)
  uint32_t packets_out() const;      // segments sent and not acknowledged
  uint32_t mss() const;
  uint32_t cwnd_segments() const;
  uint32_t ssthresh_segments() const;
  CongestionKind congestion() const;
  CongestionState congestion_state() const;
  Duration srtt() const;  // 0: no sample yet
  Duration rttvar() const;
  Duration rto() const;
  uint32_t backoff() const;
  const SenderCounters& counters() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace netrig::tcp
