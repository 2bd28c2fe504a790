#pragma once
// A connection that is over for its user, while old segments may still be under way: TIME_WAIT, or
// an orphan's FIN_WAIT_2, as Linux keeps both in a small socket of their own (RFC 9293 3.6.1, RFC
// 1337, RFC 6191; Linux's tcp_timewait_state_process). A stack owns it.

#include "fakes/tcp/stack_core.h"

namespace netrig::tcp {

class TimeWait final : public Participant {
 public:
  TimeWait(StackCore& core, const TimeWaitState& state)
      : Participant(Kind::kTimeWait), core_(core), state_(state) {}

  const TimeWaitState& state() const { return state_; }

  struct Verdict {
    enum class What : uint8_t {
      kDone,    // nothing more to do
      kDelete,  // the TIME_WAIT ends
      kReset,   // answer with a RST, and it ends
      kNewSyn,  // a new incarnation may begin: for the listener, if there is one
    };
    What what = What::kDone;
    SeqNum iss;  // kNewSyn: for the new incarnation
  };
  Verdict process(Instant now, const Segment& segment);
  // The acknowledgement of what was received last.
  void acknowledge(Instant now);
  // What a new connection from here starts from: beyond all that was sent (RFC 9293 3.6.1).
  SeqNum next_iss() const { return state_.snd_nxt + 65537; }
  // tcp_twsk_unique: connect() may take the endpoints over.
  bool reusable(Instant now) const { return state_.timestamps && now - state_.ts_recent_at >= 1s; }

 private:
  Verdict process_fin_wait_2(Instant now, const Segment& segment, bool paws_reject);
  Verdict answer_odd(Instant now, const Segment& segment);
  bool paws_rejects(Instant now, const Segment& segment) const;
  void remember_timestamp(Instant now, const Segment& segment);

  StackCore& core_;
  TimeWaitState state_;
  OddRateLimit odd_;
};

}  // namespace netrig::tcp
