// What a connection sends: headers around what the sender decides, acknowledgements, resets.
#include <algorithm>

#include "fakes/tcp/connection_impl.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kTimestampSize = 12;
constexpr uint32_t kMssSmallest = 48;  // net.ipv4.tcp_min_snd_mss

}  // namespace

// RFC 6691: what the peer takes and the path carries, less the options of every segment
// (tcp_current_mss). Half the peer's window as a limit is the sender's affair.
uint32_t ConnectionImpl::sending_mss() const {
  uint32_t mss = std::min(mss_clamp_, core_.mss(tuple));
  if (path_mss_ != 0) mss = std::min(mss, path_mss_);
  if (options_.max_segment != 0) mss = std::min<uint32_t>(mss, options_.max_segment);
  mss = std::max(mss, kMssSmallest);
  return timestamps_ok_ ? mss - kTimestampSize : mss;
}

ReceiveWindow::Choice ConnectionImpl::choose_window() {
  const ReceiveWindow::Choice choice = window_.choose(acks_.rcv_mss(), queue_.memory());
  if (choice.tight) acks_.window_tight();
  return choice;
}

void ConnectionImpl::add_window(Segment& segment) {
  segment.window = window_.advertise(queue_.rcv_nxt(), choose_window());
}

void ConnectionImpl::add_options(Instant now, Segment& segment) {
  uint32_t used = 0;
  if (timestamps_ok_) {
    segment.timestamps = {timestamp_ticks(now) + ts_offset_, ts_recent_};
    used = kTimestampSize;
  }
  if (!sack_ok_ || report_.empty()) return;
  // RFC 2018 section 3: as many blocks as options have room for. A full segment has no room for
  // any: unlike Linux, which sends shorter ones, the blocks wait for the next pure ACK.
  size_t room = (40 - used - 4) / 8;
  const uint32_t full = sending_mss();
  if (!segment.payload.empty()) {
    const size_t size = segment.payload.size();
    room = size + 12 > full ? 0 : std::min(room, (full - size - 4) / 8);
  }
  report_.write(segment, room);
}

// RFC 9293 3.8.5 with RFC 6093's meaning, as tcp_transmit_skb: the pointer is behind the octet.
void ConnectionImpl::add_urgent(Segment& segment) {
  if (!snd_up_) return;
  if (sender_->snd_una() >= *snd_up_) {
    snd_up_.reset();
    return;
  }
  if (segment.seq >= *snd_up_) return;
  segment.flags |= kTcpUrg;
  segment.urgent_pointer = static_cast<uint16_t>(
      std::min<uint32_t>(static_cast<uint32_t>(*snd_up_ - segment.seq), 0xFFFF));
}

void ConnectionImpl::transmit(Instant now, Transmission&& transmission) {
  Segment segment;
  segment.seq = transmission.seq;
  segment.ack = queue_.rcv_nxt();
  segment.flags = kTcpAck;
  segment.payload = std::move(transmission.payload);
  if (transmission.fin) segment.flags |= kTcpFin;
  if (transmission.push) segment.flags |= kTcpPsh;
  if (ecn_ok_) {
    if (transmission.cwr) segment.flags |= kTcpCwr;
    if (transmission.ect) segment.ecn = Ecn::kEct0;  // RFC 3168 6.1.2, 6.1.5
    if (ece_wanted_) segment.flags |= kTcpEce;       // 6.1.3: until CWR comes
  }
  segment.relative_seq = sender_->relative(transmission.seq);
  segment.times_sent = transmission.times_sent;
  if (snd_up_) add_urgent(segment);
  add_options(now, segment);
  add_window(segment);
  if (!segment.payload.empty()) acks_.data_sent(now);
  acks_.ack_sent();
  queue_.acknowledged();
  core_.transmit(tuple, std::move(segment), activity_);
}

void ConnectionImpl::push(Instant now) {
  if (!sender_) return;
  while (auto transmission = sender_->next(now)) transmit(now, std::move(*transmission));
}

// Linux's tcp_send_ack; its sequence number is tcp_acceptable_seq's.
void ConnectionImpl::send_ack(Instant now) {
  if (state_ == State::kClosed) return;
  Segment ack;
  ack.flags = kTcpAck;
  ack.seq = sender_ ? sender_->snd_nxt() : iss_ + 1;
  ack.ack = queue_.rcv_nxt();
  ack.relative_seq = sender_ ? sender_->relative(ack.seq) : 1;
  if (ecn_ok_ && ece_wanted_) ack.flags |= kTcpEce;
  if (snd_up_) add_urgent(ack);
  add_options(now, ack);
  add_window(ack);
  acks_.ack_sent();
  queue_.acknowledged();
  core_.transmit(tuple, std::move(ack), {});
}

// tcp_send_active_reset.
void ConnectionImpl::send_reset(Instant now) {
  Segment reset;
  reset.flags = kTcpRst | kTcpAck;
  reset.ack = queue_.rcv_nxt();
  if (sender_) {
    reset.seq = sender_->snd_nxt();
    reset.relative_seq = sender_->relative(reset.seq);
  } else {
    reset.seq = iss_ + 1;
    reset.relative_seq = 1;
  }
  if (timestamps_ok_) {
    reset.timestamps = {timestamp_ticks(now) + ts_offset_, ts_recent_};
  }
  core_.transmit(tuple, std::move(reset), activity_);
}

// tcp_xmit_probe_skb: an octet that the peer has, so it answers.
void ConnectionImpl::send_keepalive(Instant now) {
  Segment probe;
  probe.flags = kTcpAck;
  probe.seq = sender_->snd_una() - 1;
  probe.ack = queue_.rcv_nxt();
  probe.relative_seq = sender_->relative(probe.seq);
  probe.times_sent = keepalive_probes_;
  add_options(now, probe);
  add_window(probe);
  core_.transmit(tuple, std::move(probe), {});
}

// __tcp_ack_snd_check.
void ConnectionImpl::check_ack(Instant now) {
  if (!acks_.scheduled()) return;
  const SeqNum rcv_nxt = queue_.rcv_nxt();
  bool at_once = acks_.at_once();
  if (!at_once && rcv_nxt - window_.rcv_wup() > static_cast<int32_t>(acks_.rcv_mss())) {
    // RFC 9293 3.8.6.3: every second full segment; but if the window did not move, reading will.
    at_once = queue_.readable() < options_.receive_low_water ||
              choose_window().window >= window_.window();
  }
  // RFC 5681 4.2: at once as long as a gap is open. Linux would thin out such ACKs on a fast path.
  if (at_once || queue_.has_gap()) {
    send_ack(now);
    return;
  }
  if (acks_.delay(now, sender_ ? sender_->srtt() : Duration(0)) == AckPolicy::Delay::kSendNow)
    send_ack(now);
}

}  // namespace netrig::tcp
