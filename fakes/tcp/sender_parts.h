#pragma once
// What a Sender is made of; included by sender*.cc only. The protocol is Linux's tcp_input.c,
// tcp_output.c and tcp_timer.c cut into files: sender_write.cc (what the application writes),
// sender_ack.cc (what an ACK says), sender_recovery.cc (what a loss means), sender_undo.cc (when it
// was none), sender_output.cc (what goes out), sender_timers.cc (what time does).

#include <array>
#include <memory>
#include <optional>

#include "fakes/tcp/congestion.h"
#include "fakes/tcp/packet_memory.h"
#include "fakes/tcp/rack.h"
#include "fakes/tcp/rtt_estimator.h"
#include "fakes/tcp/scoreboard.h"
#include "fakes/tcp/send_buffer.h"
#include "fakes/tcp/sender.h"

namespace netrig::tcp {

struct PositionRange {
  uint64_t left = 0;
  uint64_t right = 0;
};

// What one ACK turned out to mean (Linux's FLAG_*).
struct AckFindings {
  Instant now;
  std::optional<uint32_t> ts_echo;
  uint64_t prior_una = 0;
  uint64_t prior_highest_sacked = 0;
  uint32_t prior_sacked_out = 0;
  uint64_t lowest_reordered = UINT64_MAX;          // start of a segment that came later than others
  std::optional<Instant> first_acked, last_acked;  // send times of what was sent once
  std::optional<Instant> first_sacked, last_sacked;
  std::optional<Duration> rtt;
  bool una_advanced = false;
  bool not_duplicate = false;  // data, a window update, or it acknowledges something
  bool acked = false;          // segments left the queue
  bool retransmitted_acked = false;
  bool sacked = false;
  bool dsack = false;
  bool dsack_of_probe = false;
  bool original_acked = false;  // FLAG_ORIG_SACK_ACKED: of a segment that was never retransmitted
  bool ece = false;
  bool reneging = false;
  bool set_timer = false;
  bool retransmission_lost = false;
  bool alert() const { return sacked || ece || dsack; }
};

struct Sender::Parts {
  static constexpr uint32_t kMssDefault = 536;  // RFC 9293 3.7.1
  enum class Timer : uint8_t { kNone, kRetransmit, kLossProbe, kReordering, kPersist };
  enum class Probe : uint8_t { kNone, kTail, kWindow };
  enum class Resend : uint8_t { kNone, kLost, kNewFirst };

  Parts(Instant now, SeqNum iss, uint32_t window, SeqNum window_seq, const SenderConfig& config,
        BytePool& pool);

  // ---- positions and sizes
  uint64_t position(SeqNum seq) const {
    return static_cast<uint64_t>(static_cast<int64_t>(una) + (seq - seq_at(una)));
  }
  SeqNum seq_at(uint64_t at) const { return iss + static_cast<uint32_t>(at); }
  // tcp_bound_to_half_wnd: half of the largest window the peer offered, if that is not tiny.
  uint32_t half_window() const { return max_window > kMssDefault ? max_window / 2 : max_window; }
  uint64_t window_end() const { return una + snd_wnd; }
  bool fin_waits() const { return fin_queued && !fin_sent; }
  bool has_unsent() const { return !buffer.empty() || fin_waits(); }
  uint32_t effective_mss() const;
  size_t segments_max() const;

  size_t memory() const { return buffer.size() + in_flight_octets + written.overhead(); }

  // ---- sender_write.cc
  bool append_packet(Write& write, bool may_open);
  size_t packet_goal() const;

  // ---- sender_ack.cc
  Outcome acknowledge(Instant now, const Acknowledgement& ack);
  void old_acknowledgement(const Acknowledgement& ack, AckFindings& findings);
  void nothing_in_flight(const AckFindings& findings);
  void update_window(const Acknowledgement& ack, AckFindings& findings);
  void read_sacks(const Acknowledgement& ack, AckFindings& findings);
  bool check_dsack(const Acknowledgement& ack, AckFindings& findings);
  bool sack_valid(const PositionRange& block, bool dsack) const;
  void tag_sacked(const PositionRange& block, AckFindings& findings);
  void tag_segment(uint64_t id, AckFindings& findings);
  void tag_duplicates(const PositionRange& block, AckFindings& findings);
  void clean_queue(AckFindings& findings, Outcome& outcome);
  void account_head(AckFindings& findings);
  void update_rtt(AckFindings& findings);
  void control_window(const AckFindings& findings, uint64_t delivered_now, uint64_t lost_now);
  bool cwnd_limited() const;
  uint64_t highest_sacked() const {
    return board.sacked_out() == 0 ? una : std::max(board.highest_sacked(), una);
  }

  // ---- sender_recovery.cc
  void alert(AckFindings& findings, uint32_t duplicates);
  bool leave_state_at_high_seq();  // true: the ACK needs no more attention
  bool recovering(AckFindings& findings, uint32_t duplicates);
  void process_loss(AckFindings& findings, uint32_t duplicates);
  void identify_losses(AckFindings& findings);
  bool time_to_recover() const;
  void try_to_open(const AckFindings& findings);
  void keep_open();
  void enter_recovery(bool ece);
  void enter_loss(Instant now);
  void enter_cwr();
  void init_undo();
  void init_reduction();
  void end_reduction();
  void reduce_window(uint64_t delivered_now, uint64_t lost_now, bool una_advanced);
  bool in_reduction() const {
    return state == CongestionState::kCwr || state == CongestionState::kRecovery;
  }
  uint32_t current_ssthresh() const;
  bool any_retransmission_done() const;
  void check_reordering(uint64_t low);
  void process_tail_probe_ack(const AckFindings& findings);
  void add_reno_sacks(uint32_t duplicates);
  void remove_reno_sacks(uint32_t acked);
  void limit_reno_sacks(uint32_t addend);

  // ---- sender_undo.cc
  void undo_reduction(bool unmark_losses);
  bool may_undo() const;
  bool packet_delayed() const;
  bool try_undo_recovery();
  bool try_undo_partial(AckFindings& findings);  // true: the ACK asks for nothing more
  bool try_undo_dsack();
  bool try_undo_loss(bool frto_undo);
  bool reno_holds_state();

  // ---- sender_output.cc
  std::optional<Transmission> next(Instant now);
  std::optional<Transmission> next_probe(Instant now);
  std::optional<Transmission> next_retransmission(Instant now);
  std::optional<Transmission> next_new(Instant now, bool force);
  std::optional<Transmission> tail_probe(Instant now);
  std::optional<Transmission> window_probe(Instant now);
  Transmission send_new(Instant now, uint32_t size, bool fin);
  Transmission transmission_of(const SentSegment& segment);
  bool push_wanted(uint64_t start, uint64_t end);
  bool nagle_holds(uint32_t size, uint32_t mss, bool fin) const;
  void burst_ended(Instant now);
  void validate_window(Instant now, bool window_full);
  void restart_after_idle(Instant now);

  // ---- sender_timers.cc
  Expiry expire(Instant now);
  Expiry retransmit_timeout(Instant now);
  Expiry persist_timeout(Instant now);
  void reordering_timeout(Instant now);
  void set_timer(Timer kind, Instant at);
  void clear_timer() { set_timer(Timer::kNone, Instant::max()); }
  void rearm_rto(Instant now);
  void set_transmit_timer(Instant now);
  bool schedule_loss_probe(Instant now, bool advancing);
  Duration until_rto(Instant now) const;
  Duration retransmit_interval(Instant now) const;
  Duration persist_base() const;
  Duration persist_interval(Instant now) const;
  bool retransmitted_too_long(Instant now, uint32_t boundary, Duration timeout) const;

  SenderConfig config;
  SeqNum iss;
  Duration user_timeout{0};
  bool orphan = false;

  // RFC 9293 3.3.1, as positions.
  uint64_t una = 1;
  uint64_t nxt = 1;
  uint32_t snd_wnd = 0;
  uint32_t max_window = 0;
  SeqNum wl1;
  Instant call_at;  // when the call under way began
  Instant last_ack_at;
  Instant last_sent_at;

  SendBuffer buffer;
  SendPackets written;
  size_t in_flight_octets = 0;  // payload of the scoreboard
  bool fin_queued = false;
  bool fin_sent = false;
  bool nodelay = false;
  bool cork = false;
  bool more = false;       // the last append() held its end back
  bool push_now = false;   // Linux's TCP_NAGLE_PUSH: what waits goes, until more is written
  uint64_t small_end = 0;  // end of the last short segment (Minshall)
  uint64_t push_mark = 0;  // end of the last write that asks for PSH
  uint64_t pushed = 0;     // end of the last segment that carried PSH

  Scoreboard board;
  RttEstimator rtt;
  Rack rack;
  CongestionWindow window;
  std::unique_ptr<Congestion> algorithm;

  CongestionState state = CongestionState::kOpen;
  uint64_t high_seq = 1;  // recovery ends here (RFC 6675's RecoveryPoint)
  uint32_t reordering = 3;
  uint64_t delivered = 0;
  // RFC 6937, RFC 9937
  uint32_t prior_cwnd = 0;
  uint32_t prior_ssthresh = 0;
  uint32_t prr_delivered = 0;
  uint32_t prr_out = 0;
  // Undo: snd_una when the window was reduced; retransmissions not yet told to be needless, -1:
  // none was sent yet.
  std::optional<uint64_t> undo_marker;
  int64_t undo_retransmissions = 0;
  std::optional<Instant> first_retransmission;  // of this episode (Linux's retrans_stamp)
  std::optional<uint32_t> ts_echo;              // of the ACK under way
  bool frto = false;
  bool reneged = false;
  std::optional<uint64_t> probe_end;  // Linux's tlp_high_seq
  bool probe_was_retransmission = false;
  uint64_t dsacked_segments = 0;
  std::array<PositionRange, Segment::kSackBlocksMax> seen{};  // the last ACK's SACK blocks
  uint8_t seen_count = 0;
  bool cwr_waits = false;

  // RFC 2861, RFC 7661 as Linux
  bool limited = false;
  uint64_t usage_end = 0;
  uint32_t packets_out_max = 0;
  uint32_t cwnd_used = 0;
  Instant cwnd_stamp;

  Resend resend = Resend::kNone;
  Probe probe = Probe::kNone;
  uint32_t burst = 0;  // new segments since burst_ended

  Timer timer = Timer::kNone;
  Instant deadline = Instant::max();
  uint32_t timeouts_in_row = 0;  // icsk_retransmits
  uint32_t backoff = 0;
  uint32_t probes_out = 0;
  std::optional<Instant> probing_since;
  uint64_t probe_position = 0;
  uint32_t probes_at_position = 0;

  SenderCounters counters;
};

}  // namespace netrig::tcp
