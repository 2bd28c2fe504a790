#include "fakes/host/tcp_info.h"

#include <algorithm>
#include <cstring>
#include <linux/tcp.h>

namespace netrig {
namespace {

constexpr size_t kLinuxSize = 256;  // of Linux 6.18; headers may be older

// include/net/tcp_states.h.
uint8_t kernel_state(tcp::State state) {
  switch (state) {
    case tcp::State::kEstablished:
      return 1;
    case tcp::State::kSynSent:
      return 2;
    case tcp::State::kSynReceived:
      return 3;
    case tcp::State::kFinWait1:
      return 4;
    case tcp::State::kFinWait2:
      return 5;
    case tcp::State::kTimeWait:
      return 6;
    case tcp::State::kClosed:
      return 7;
    case tcp::State::kCloseWait:
      return 8;
    case tcp::State::kLastAck:
      return 9;
    case tcp::State::kListen:
      return 10;
    case tcp::State::kClosing:
      return 11;
  }
  return 7;
}

uint32_t microseconds(Duration duration) {
  return static_cast<uint32_t>(duration / 1us);
}

}  // namespace

Bytes tcp_info_octets(const tcp::ConnectionInfo& info, size_t size) {
  struct tcp_info layout{};
  layout.tcpi_state = kernel_state(info.state);
  layout.tcpi_ca_state = static_cast<uint8_t>(info.congestion_state);
  layout.tcpi_retransmits = static_cast<uint8_t>(std::min(info.retransmits, 255u));
  layout.tcpi_backoff = static_cast<uint8_t>(std::min(info.backoff, 255u));
  if (info.timestamps) layout.tcpi_options |= TCPI_OPT_TIMESTAMPS;
  if (info.sack) layout.tcpi_options |= TCPI_OPT_SACK;
  if (info.ecn) layout.tcpi_options |= TCPI_OPT_ECN;
  if (info.send_scale && info.receive_scale) {
    layout.tcpi_options |= TCPI_OPT_WSCALE;
    layout.tcpi_snd_wscale = *info.send_scale & 15;
    layout.tcpi_rcv_wscale = *info.receive_scale & 15;
  }
  layout.tcpi_rto = microseconds(info.rto);
  layout.tcpi_snd_mss = info.mss;
  layout.tcpi_rcv_mss = info.receive_mss;
  layout.tcpi_unacked = info.unacknowledged_segments;
  layout.tcpi_rtt = microseconds(info.srtt);
  layout.tcpi_rttvar = microseconds(info.rttvar);
  layout.tcpi_snd_ssthresh = info.ssthresh;
  layout.tcpi_snd_cwnd = info.cwnd;
  layout.tcpi_reordering = 3;
  layout.tcpi_total_retrans = static_cast<uint32_t>(info.sent.retransmitted_segments);
  layout.tcpi_bytes_received = info.octets_received;
  layout.tcpi_segs_in = static_cast<uint32_t>(info.segments_received);
  layout.tcpi_segs_out = static_cast<uint32_t>(info.sent.segments_sent);
  layout.tcpi_bytes_sent = info.sent.octets_sent;
  Bytes octets(sizeof(layout), '\0');
  std::memcpy(octets.data(), &layout, sizeof(layout));
  octets.resize(std::max(octets.size(), kLinuxSize), '\0');
  octets.resize(std::min(size, octets.size()));
  return octets;
}

}  // namespace netrig
