#include "fakes/network/fake_loop.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig {

void FakeLoop::run_events(Instant limit, const std::function<bool()>& done) {
  NETRIG_REQUIRE(!inside_fiber());
  while (!events_.empty() && events_.next() <= limit && !done()) {
    now_ = std::max(now_, events_.next());
    events_.fire_next();
  }
}

void FakeLoop::begin_turn() {
  if (++turns_ % kPulseTurns == 0 && pulse_) pulse_();
}

// Events of one instant are fired in one go as long as no fiber became runnable; then the turn, so
// that whoever runs the loop until something is done is asked before time moves on.
Loop::Advance FakeLoop::advance(Instant next_timer) {
  const Instant timer = first_timer();  // a watchdog, too, while events keep coming
  if (events_.empty() || timer < events_.next()) {
    // Without events a watchdog is no reason to wait.
    if (events_.empty() && next_timer == Instant::max()) return Advance::kIdle;
    now_ = std::max(now_, timer);
    return Advance::kHappened;
  }
  now_ = std::max(now_, events_.next());
  do {
    events_.fire_next();
  } while (!anything_ready() && !events_.empty() && events_.next() <= now_);
  return Advance::kHappened;
}

bool FakeLoop::may_fire(Instant when) const {
  return when < now_ || (when == now_ && (events_.empty() || events_.next() > now_));
}

}  // namespace netrig
