#pragma once
// Connection as a stack makes it. Cut by what enters: calls (connection_calls.cc,
// connection_options.cc), segments (connection_input.cc, connection_data.cc; the handshake in
// connection_handshake.cc), time (connection_timers.cc); what leaves is in connection_output.cc.
// Private to fakes/tcp; the stack owns it, also when its socket is gone.

#include <optional>
#include <string>

#include "fakes/tcp/ack_policy.h"
#include "fakes/tcp/receive_queue.h"
#include "fakes/tcp/receive_window.h"
#include "fakes/tcp/stack_core.h"

namespace netrig::tcp {

// What two SYNs agreed on, when a listener's handshake ends.
struct Agreement {
  SeqNum iss;
  SeqNum irs;
  uint32_t mss_clamp = 536;  // of the peer
  bool timestamps = false;
  uint32_t ts_offset = 0;
  uint32_t ts_recent = 0;
  bool sack = false;
  std::optional<uint8_t> send_scale;
  bool ecn = false;
  ReceiveWindow receive_window;
  uint32_t last_window = 0;  // of the SYN
  std::optional<Duration> rtt;
  bool retransmitted = false;
};

class ConnectionImpl final : public Connection, public Participant {
 public:
  ConnectionImpl(StackCore& core, const ConnectionOptions& options, const Endpoint& local,
                 const Endpoint& peer);

  // ---- Connection
  const Endpoint& local() const override { return local_; }
  const Endpoint& peer() const override { return peer_; }
  State state() const override { return state_; }
  Readiness readiness() const override;
  ConnectionInfo info() const override;
  void set_observer(ConnectionObserver* observer) override { observer_ = observer; }
  Result<size_t> send(Instant now, std::span<const ByteView> parts, bool more) override;
  Result<size_t> receive(Instant now, std::span<const std::span<char>> parts, bool peek) override;
  Result<char> receive_urgent(Instant now, bool peek) override;
  Result<size_t> send_urgent(Instant now, std::span<const ByteView> parts) override;
  size_t readable_octets() const override;
  Result<void> shutdown(Instant now, bool read, bool write) override;
  void close(Instant now, bool linger_zero) override;
  bool lingered() const override;
  std::optional<Errno> take_error() override;
  const ConnectionOptions& options() const override { return options_; }
  void set_options(Instant now, const ConnectionOptions& options) override;
  void set_activity(const std::string& activity) override { activity_ = activity; }

  // ---- the stack's side. After each of these the stack asks finished().
  // `iss` is the stack's choice.
  void open(Instant now, SeqNum iss, uint32_t ts_offset);
  // RFC 9293 3.10.7.4, SYN-RECEIVED to ESTABLISHED: a listener's handshake ends with `ack`, which
  // process() is to be called with next.
  void accept_handshake(Instant now, const Agreement& agreement, const Segment& ack);
  void process(Instant now, Segment&& segment);
  void icmp(Instant now, SeqNum seq, Errno error, std::optional<uint32_t> mtu);
  void expire(Instant now);
  // The socket is gone and TCP needs it no more.
  bool finished() const { return orphan_ && state_ == State::kClosed; }
  // A listener closes before anybody accepted it.
  void abandon(Instant now);
  std::optional<SenderCounters> sender_counters() const;

 private:
  friend class CallEnd;

  // ---- connection_handshake.cc
  void process_syn_sent(Instant now, const Segment& segment);
  void handshake_done(Instant now, const Segment& segment);
  void learn_options(const Segment& segment);
  void remember_syn(Instant now, const Segment& segment);
  void establish(Instant now, const Segment& segment, std::optional<Duration> rtt,
                 bool retransmitted);
  void send_syn(Instant now);
  bool give_up_handshake(Instant now) const;
  void syn_timeout(Instant now);

  // ---- connection_input.cc
  bool acceptable(Instant now, const Segment& segment);
  bool accept_reset(Instant now, const Segment& segment);
  bool paws_rejects(Instant now, const Segment& segment) const;
  bool is_disordered_ack(const Segment& segment) const;
  // Null: go on; otherwise the segment is done with.
  enum class AckVerdict : uint8_t { kGoOn, kDrop };
  AckVerdict process_ack(Instant now, const Segment& segment);
  AckVerdict after_ack(Instant now, const Segment& segment, bool fin_acknowledged);
  AckVerdict enter_fin_wait_2(Instant now, const Segment& segment);
  void process_text(Instant now, Segment&& segment);
  void reset_by_peer(Instant now);
  void send_challenge(Instant now);
  void answer_duplicate(Instant now, const Segment& segment);

  // ---- connection_data.cc
  void queue_data(Instant now, Segment&& segment);
  void queue_in_order(Instant now, Segment&& segment, SharedBytes payload);
  void queue_early(Instant now, Segment&& segment);
  void data_arrived(Instant now, const Segment& segment);
  void refuse_data();
  void process_fin(Instant now);
  void check_urgent(const Segment& segment);
  void take_urgent_octet();
  void check_ecn(const Segment& segment);
  // tcp_can_ingest
  bool memory_full(size_t octets) const { return queue_.memory() + octets > window_.buffer(); }

  // ---- connection_output.cc
  void push(Instant now);  // all that the sender may send
  void transmit(Instant now, Transmission&& transmission);
  void send_ack(Instant now);
  void send_reset(Instant now);
  void check_ack(Instant now);
  void send_keepalive(Instant now);
  void add_options(Instant now, Segment& segment);
  void add_window(Segment& segment);
  void add_urgent(Segment& segment);
  ReceiveWindow::Choice choose_window();
  uint32_t sending_mss() const;

  // ---- connection_timers.cc
  void update_deadline();
  void keepalive_timeout(Instant now);
  Instant last_received() const;
  Duration fin_timeout() const;

  // ---- connection_calls.cc
  bool send_fin_state();
  void set_state(State state);
  void fail(Errno error);  // an error for the socket, and the end
  void end();              // tcp_done
  void enter_time_wait(Instant now, bool fin_received, Duration lasting);
  void disconnect(Instant now);
  void orphan_fin_wait_2(Instant now);
  void after_read(Instant now, size_t copied);
  void grow_send_buffer();
  void apply_sender_options();
  void finish_call();  // deadline, and whoever waits
  void changed() { changed_ = true; }

  StackCore& core_;
  ConnectionOptions options_;     // with buffers as autotuning has made them
  size_t send_buffer_asked_ = 0;  // as last set from outside
  size_t receive_buffer_asked_ = 0;
  Endpoint local_;
  Endpoint peer_;
  ConnectionObserver* observer_ = nullptr;
  std::string activity_;
  State state_ = State::kClosed;
  bool changed_ = false;

  bool orphan_ = false;              // SOCK_DEAD
  bool read_shut_ = false;           // RCV_SHUTDOWN
  bool write_shut_ = false;          // SEND_SHUTDOWN
  bool fin_received_ = false;        // SOCK_DONE
  std::optional<Errno> error_;       // sk_err
  std::optional<Errno> soft_error_;  // sk_err_soft

  // Handshake.
  SeqNum iss_;
  SeqNum irs_;
  uint32_t syn_sent_ = 0;  // times
  Instant syn_first_at_;
  Instant syn_deadline_ = Instant::max();
  Duration syn_rto_{0};

  // What was agreed on.
  uint32_t mss_clamp_ = 536;  // RFC 9293 3.7.1: without an MSS option
  uint32_t path_mss_ = 0;     // of the path's MTU, 0: not narrowed
  bool timestamps_ok_ = false;
  bool sack_ok_ = false;
  bool ecn_ok_ = false;
  std::optional<uint8_t> send_scale_;
  std::optional<uint8_t> receive_scale_;
  uint32_t ts_offset_ = 0;
  uint32_t ts_recent_ = 0;  // RFC 7323 4.3
  bool ts_recent_known_ = false;
  Instant ts_recent_at_;
  uint32_t ts_echo_measured_ = 0;

  // Sending.
  std::optional<Sender> sender_;  // from ESTABLISHED on
  uint32_t max_window_ = 0;
  bool fin_queued_ = false;
  std::optional<SeqNum> snd_up_;  // behind the urgent octet
  bool room_wanted_ = false;      // SOCK_NOSPACE
  bool ece_wanted_ = false;       // TCP_ECN_DEMAND_CWR
  bool ect_seen_ = false;

  // Receiving.
  ReceiveQueue queue_;
  SackReport report_;
  ReceiveWindow window_;
  AckPolicy acks_;
  uint32_t advmss_ = 536;
  enum class Urgent : uint8_t { kNone, kNotYet, kValid, kRead };
  Urgent urgent_ = Urgent::kNone;
  SeqNum urgent_seq_;
  char urgent_octet_ = 0;

  OddRateLimit odd_;
  Instant ack_received_at_;
  Instant keepalive_deadline_ = Instant::max();
  uint32_t keepalive_probes_ = 0;
  Instant linger_deadline_ = Instant::max();  // an orphan's FIN_WAIT_2

  uint64_t segments_received_ = 0;
  uint64_t octets_received_ = 0;
  uint64_t duplicate_segments_ = 0;
  uint64_t early_segments_ = 0;
};

}  // namespace netrig::tcp
