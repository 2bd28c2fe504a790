#pragma once
// The loop of virtual time: when no fiber can run, time jumps to the next event or timer. Nothing
// waits, nothing reads a clock. Events of one instant come before the loop's timers of that
// instant.

#include <functional>
#include <utility>

#include "fakes/network/event_queue.h"
#include "harness/sockets/loop.h"

namespace netrig {

class FakeLoop final : public Loop {
 public:
  explicit FakeLoop(StackPool* stacks = nullptr) : Loop(stacks) {}
  ~FakeLoop() override { destroy_fibers(); }
  Instant now() const override { return now_; }
  EventQueue& events() { return events_; }
  // Called from time to time while it runs (each kPulseTurns turns), for those who must look at the
  // outside, such as at signals.
  void set_pulse(std::function<void()> pulse) { pulse_ = std::move(pulse); }
  // Fires events up to `limit` until `done` answers true, which is asked before each. No fiber runs
  // and no timer of the loop fires: for what follows the end of a run. Not from inside a fiber.
  void run_events(Instant limit, const std::function<bool()>& done);

 protected:
  // Fires events of the next instant one by one until a fiber can run; idle if there is neither
  // event nor timer.
  Advance advance(Instant next_timer) override;
  void begin_turn() override;
  bool may_fire(Instant when) const override;

 private:
  static constexpr uint32_t kPulseTurns = 1024;

  Instant now_{};
  std::function<void()> pulse_;
  uint32_t turns_ = 0;
  EventQueue events_;
};

}  // namespace netrig
