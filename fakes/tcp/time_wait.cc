#include "fakes/tcp/time_wait.h"

namespace netrig::tcp {
namespace {

constexpr Duration kTimestampLife = 24h * 24;     // RFC 7323 5.5
constexpr Duration kTimestampLifeForReset = 60s;  // TCP_PAWS_MSL

}  // namespace

bool TimeWait::paws_rejects(Instant now, const Segment& segment) const {
  if (!state_.timestamps || !segment.timestamps) return false;
  if (static_cast<int32_t>(state_.ts_recent - segment.timestamps->value) <= 0) return false;
  const Duration age = now - state_.ts_recent_at;
  if (age >= kTimestampLife) return false;
  // tcp_paws_reject: a reset counts once the timestamp is old.
  return !(segment.has(kTcpRst) && age >= kTimestampLifeForReset);
}

void TimeWait::remember_timestamp(Instant now, const Segment& segment) {
  if (!segment.timestamps) return;
  state_.ts_recent = segment.timestamps->value;
  state_.ts_recent_at = now;
}

void TimeWait::acknowledge(Instant now) {
  Segment ack;
  ack.flags = kTcpAck;
  ack.seq = state_.snd_nxt;
  ack.ack = state_.rcv_nxt;
  ack.window = static_cast<uint16_t>(std::min(state_.rcv_wnd >> state_.rcv_scale, 65535u));
  ack.relative_seq = state_.relative_snd_nxt;
  if (state_.timestamps) {
    ack.timestamps = {timestamp_ticks(now) + state_.ts_offset, state_.ts_recent};
  }
  core_.transmit(tuple, std::move(ack), "");
}

TimeWait::Verdict TimeWait::answer_odd(Instant now, const Segment& segment) {
  if (odd_.allows(now, segment)) acknowledge(now);
  return {};
}

TimeWait::Verdict TimeWait::process_fin_wait_2(Instant now, const Segment& segment,
                                               bool paws_reject) {
  using What = Verdict::What;
  const SeqNum end = segment.seq + segment.length();
  const SeqNum window_end = state_.rcv_nxt + state_.rcv_wnd;
  // tcp_in_window
  const bool inside = segment.seq == state_.rcv_nxt ||
                      (end > state_.rcv_nxt && segment.seq < window_end) ||
                      (segment.seq == window_end && segment.seq == end);
  if (paws_reject || !inside) return answer_odd(now, segment);
  if (segment.has(kTcpRst)) return {What::kDelete, {}};
  if (segment.has(kTcpSyn) && segment.seq >= state_.rcv_nxt) return {What::kReset, {}};
  if (!segment.has(kTcpAck) || end <= state_.rcv_nxt || segment.length() == 0) return {};
  // RFC 1122 4.2.2.13: data for a user that has gone is answered with a reset.
  if (!segment.has(kTcpFin) || end != state_.rcv_nxt + 1) return {What::kReset, {}};
  state_.fin_received = true;
  state_.rcv_nxt = end;
  remember_timestamp(now, segment);
  core_.schedule(*this, now + core_.options().time_wait);
  acknowledge(now);
  return {};
}

TimeWait::Verdict TimeWait::process(Instant now, const Segment& segment) {
  using What = Verdict::What;
  const bool paws_reject = paws_rejects(now, segment);
  if (!state_.fin_received) return process_fin_wait_2(now, segment, paws_reject);

  if (!paws_reject && segment.seq == state_.rcv_nxt &&
      (segment.length() == 0 || segment.has(kTcpRst))) {
    // RFC 1337: Linux, with tcp_rfc1337 off, lets a reset end TIME_WAIT.
    if (segment.has(kTcpRst)) return {What::kDelete, {}};
    core_.schedule(*this, now + core_.options().time_wait);
    remember_timestamp(now, segment);
    return {};
  }
  // RFC 6191 section 2 and RFC 1122 4.2.2.13: a SYN with a later timestamp or sequence number.
  const bool newer = segment.seq > state_.rcv_nxt ||
                     (state_.timestamps && segment.timestamps &&
                      static_cast<int32_t>(state_.ts_recent - segment.timestamps->value) < 0);
  if (segment.has(kTcpSyn) && !segment.has(kTcpRst) && !segment.has(kTcpAck) && !paws_reject &&
      newer) {
    return {What::kNewSyn, next_iss()};
  }
  if (segment.has(kTcpRst)) return {};
  // RFC 9293 3.10.7.4: acknowledge, and wait anew; not for a SYN, which may be a new one.
  if (paws_reject || segment.has(kTcpAck)) {
    core_.schedule(*this, now + core_.options().time_wait);
  }
  return answer_odd(now, segment);
}

}  // namespace netrig::tcp
