#pragma once
// How much the peer may send: Linux's tcp_select_initial_window, __tcp_select_window,
// tcp_grow_window and tcp_rcv_space_adjust (RFC 9293 3.8.6, RFC 7323 section 2, receiver's silly
// window avoidance of RFC 1122 4.2.3.3). It counts octets and knows nothing of segments. Owned by
// one connection.

#include <cstddef>
#include <cstdint>

#include "fakes/tcp/seq_num.h"
#include "harness/base/time.h"

namespace netrig::tcp {

class ReceiveWindow {
 public:
  struct Setup {
    size_t buffer = 131072;  // octets of sk_rcvbuf
    bool buffer_fixed = false;
    size_t buffer_max = 1048576;
    uint32_t clamp = 0;       // TCP_WINDOW_CLAMP
    uint32_t segment = 1460;  // the initial window is a multiple of it
    bool scaling = true;
  };
  // tcp_select_initial_window: sets window() and scale().
  void start(const Setup& setup);
  // The peer answered without window scaling.
  void disable_scaling();
  // tcp_init_buffer_space. `advmss`: a full segment of the peer, without options.
  void established(Instant now, SeqNum rcv_nxt, uint32_t advmss);
  void set_buffer(size_t octets, bool fixed);
  void set_buffer_max(size_t octets) { buffer_max_ = octets; }
  size_t buffer() const { return buffer_; }
  uint32_t clamp() const { return clamp_; }

  uint8_t scale() const { return scale_; }
  uint32_t window() const { return window_; }  // as last told; rcv_wnd
  SeqNum rcv_wup() const { return rcv_wup_; }  // rcv_nxt when it was told
  void set_rcv_wup(SeqNum rcv_nxt) { rcv_wup_ = rcv_nxt; }
  // What is left of what was told: tcp_receive_window.
  uint32_t left(SeqNum rcv_nxt) const;

  struct Choice {
    uint32_t window = 0;
    bool tight = false;  // less than half is free: no quick ACKs
  };
  // __tcp_select_window. `memory`: octets of the buffer in use.
  Choice choose(uint32_t rcv_mss, size_t memory) const;
  // tcp_select_window: the header's field for a segment that is sent now; never shrinks.
  uint16_t advertise(SeqNum rcv_nxt, const Choice& choice);
  // The field of a SYN: never scaled.
  uint16_t advertise_in_syn() const {
    return static_cast<uint16_t>(window_ < 65535 ? window_ : 65535);
  }

  // tcp_measure_rcv_mss: how much of a packet with `size` octets is payload (scaling_ratio).
  void measure_overhead(uint32_t size);
  // tcp_grow_window; true if the offer grows.
  bool grow(uint32_t size, size_t memory);
  // tcp_rcv_rtt_measure and tcp_rcv_rtt_measure_ts.
  void measure_rtt_by_window(Instant now, SeqNum rcv_nxt);
  void measure_rtt(Duration sample);
  Duration rtt() const { return rtt8_ / 8; }
  // tcp_rcv_space_adjust, after the application read.
  void read_up_to(Instant now, SeqNum copied_seq);

 private:
  uint32_t window_of(size_t buffer) const;  // tcp_win_from_space
  uint32_t space(size_t memory) const;      // tcp_space
  void update_rtt(Duration sample, bool by_window);

  size_t buffer_ = 131072;
  bool buffer_fixed_ = false;
  size_t buffer_max_ = 1048576;
  uint32_t ratio_ = 128;  // of 256 octets of buffer, those for payload
  uint32_t clamp_ = 0;
  uint32_t window_ = 0;
  SeqNum rcv_wup_;
  uint8_t scale_ = 0;
  uint32_t advmss_ = 536;
  uint32_t ssthresh_ = 0;  // rcv_ssthresh: what is offered at most for now

  Duration rtt8_{0};  // eight times the round trip, as Linux keeps it
  bool rtt_started_ = false;
  SeqNum rtt_seq_;
  Instant rtt_since_;

  uint32_t round_space_ = 0;  // octets read in a round trip
  SeqNum round_seq_;
  Instant round_since_;
};

}  // namespace netrig::tcp
