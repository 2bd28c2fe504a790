#pragma once
// When to acknowledge: Linux's inet_connection_sock.icsk_ack and the functions around it (RFC 1122
// 4.2.3.2, RFC 5681 4.2). At once in quick-ACK mode, for every second full segment, and where the
// protocol wants it; else after 40 ms or more, or with data that goes the other way. It sends
// nothing and knows no windows: connection_impl.h asks it. Owned by one connection.

#include <cstdint>

#include "harness/base/time.h"

namespace netrig::tcp {

class AckPolicy {
 public:
  static constexpr Duration kAtoMin = 40ms;     // TCP_ATO_MIN, TCP_DELACK_MIN
  static constexpr Duration kDelayMax = 200ms;  // TCP_DELACK_MAX
  static constexpr uint32_t kQuickMax = 16;     // TCP_MAX_QUICKACKS

  // tcp_initialize_rcv_mss.
  void start(uint32_t rcv_mss) { rcv_mss_ = rcv_mss; }
  uint32_t rcv_mss() const { return rcv_mss_; }

  // ---- events
  struct Arrival {
    Instant now;
    uint32_t size = 0;          // payload
    uint32_t header_size = 0;   // TCP header with options
    uint32_t full_header = 20;  // without SACK blocks: 20, or 32 with timestamps
    bool remnant = false;       // PSH, FIN, URG or SYN: the end of something
    uint32_t advmss = 0;
    uint32_t rcv_wnd = 0;
    Duration rto{0};
  };
  void data_arrived(const Arrival& arrival);               // tcp_event_data_recv
  void enter_quick(uint32_t quick_max, uint32_t rcv_wnd);  // tcp_enter_quickack_mode
  void data_sent(Instant now);                             // tcp_event_data_sent
  void ack_sent();                                         // tcp_event_ack_sent
  void window_tight() { quick_ = 0; }                      // __tcp_select_window
  void window_grew() { quick_ |= 1; }                      // tcp_grow_window
  // Also TCP_QUICKACK 0 and 1 (tcp_sock_set_quickack's two ways).
  void enter_pingpong() { pingpong_ = true; }
  void leave_pingpong() { pingpong_ = false; }
  void schedule() { scheduled_ = true; }
  void demand() { scheduled_ = now_ = true; }

  // ---- questions
  bool scheduled() const { return scheduled_; }
  bool at_once() const { return now_ || (quick_ > 0 && !pingpong_); }
  bool pingpong() const { return pingpong_; }
  // Reading emptied the queue and a short segment was in it (tcp_cleanup_rbuf).
  bool pushed() const { return pushed_twice_ || (pushed_ && !pingpong_); }
  Instant last_data() const { return last_data_; }

  // ---- the timer
  // Sets it, or answers that the ACK is better sent at once. `srtt` 0: none.
  enum class Delay { kWait, kSendNow };
  Delay delay(Instant now, Duration srtt);  // tcp_send_delayed_ack
  Instant deadline() const { return deadline_; }
  // The timer ran out; true if an ACK is to be sent (tcp_delack_timer_handler).
  bool expire(Duration rto);
  // The handshake's last ACK may wait for data (tcp_rcv_synsent_state_process).
  void delay_handshake(Instant now, uint32_t rcv_wnd);

 private:
  void measure_mss(const Arrival& arrival);
  void add_quick(uint32_t quick_max, uint32_t rcv_wnd);

  uint32_t rcv_mss_ = 536;
  uint32_t last_segment_size_ = 0;
  uint32_t quick_ = 0;  // ACKs to be sent at once
  Duration ato_{0};     // 0: no data yet
  bool pingpong_ = false;
  bool scheduled_ = false;
  bool now_ = false;
  bool pushed_ = false;
  bool pushed_twice_ = false;
  Instant last_data_;
  Instant deadline_ = Instant::max();
};

}  // namespace netrig::tcp
