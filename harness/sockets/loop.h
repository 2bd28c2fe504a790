#pragma once
// Time, timers and fibers: what runs when. A Loop owns the fibers spawned on it and runs one at a
// time on the calling thread; straight-line blocking code suspends in park() and nothing else. The
// base class holds the run queue and the timers; a world's loop adds how to wait (epoll, or a jump
// to the next event). No socket is known here. Within one turn now() does not change.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/ring.h"
#include "harness/base/shared_text.h"
#include "harness/base/time.h"
#include "harness/sockets/fiber.h"
#include "harness/sockets/timer_queue.h"

namespace netrig {

using FiberId = uint64_t;

class Loop {
 public:
  enum class Ended {
    kFinished,  // run: every fiber ended; run_until: `done`, or no fiber is left and nothing can
                // happen
    kStuck,     // fibers are parked for ever: no timer, nothing that could come
    kStopped,   // stop() was called
  };

  // Fibers get their stacks from `stacks`, which must outlive the loop; null: from a pool of its
  // own. Loops of one thread that follow each other share a pool, so that mapping stacks is not
  // most of what a short run costs.
  explicit Loop(StackPool* stacks = nullptr);
  // Whoever derives calls destroy_fibers() in its own destructor: unwinding fibers may still ask
  // now().
  virtual ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The instant of this turn.
  virtual Instant now() const = 0;

  // ---- from anywhere on the loop's thread
  // The body starts in the next turn. Exceptions must not leave it. `name` is for messages.
  FiberId spawn(std::string name, std::function<void()> body);
  // Timers of one instant fire in order of creation. A callback runs outside any fiber and must not
  // park.
  TimerId at(Instant when, std::function<void()> callback);
  // The same, but it is no reason to wait: if nothing else can happen any more, the loop is stuck
  // before `when`. For a run's overall time limit. May fire late (by RealLoop::kQuietPeriod at
  // most).
  TimerId watchdog(Instant when, std::function<void()> callback);
  bool cancel(TimerId timer);  // false if it fired already
  // Makes a parked fiber runnable; no effect on one that is not parked or has ended.
  void wake(FiberId fiber);
  bool alive(FiberId fiber) const;
  size_t fiber_count() const;
  void stop();
  // Unwinds and forgets every fiber (not from inside one).
  void destroy_fibers();

  // Runs turns until every fiber has ended (then pending timers do not matter), or as Ended says.
  Ended run();
  // Runs turns, timers included, until `done` answers true (asked once a turn) or nothing can
  // happen.
  Ended run_until(const std::function<bool()>& done);

  // ---- from inside a fiber
  bool inside_fiber() const { return current_ != nullptr; }
  FiberId current() const;
  // True in destructors that run because the current fiber is being destroyed: nothing waits then.
  bool unwinding() const;
  enum class Woken { kWoken, kDeadline };
  // Suspends until wake(current()), `deadline`, or the fiber's own deadline, whichever is first.
  // Answers kDeadline at once, without suspending, if the deadline has passed or the fiber is
  // unwinding. When the fiber is destroyed it does not return (it throws); whatever was told to
  // wake the fiber must be made to forget it by a destructor in the caller's frame.
  Woken park(Instant deadline = Instant::max());
  Woken sleep_until(
      Instant when);          // kWoken: slept to the end; kDeadline: the fiber's own came first
  void yield();               // lets every other runnable fiber run once
  Woken join(FiberId fiber);  // until that fiber has ended

  // The current fiber's deadline, for every park until it is changed. Instant::max(): none.
  Instant deadline() const;
  void set_deadline(Instant deadline);
  // What the current fiber is doing, in words for captures and reports ("client step 2 (send)"); a
  // new fiber inherits its maker's. Empty outside fibers.
  const SharedText& activity() const;
  void set_activity(std::string activity);

 protected:
  enum class Advance {
    kHappened,  // time may have passed, something may be ready
    kIdle,      // no timer was given and nothing outside can happen any more
  };
  // Called when no fiber is runnable: waits until `next_timer` (Instant::max(): none) or something
  // outside.
  virtual Advance advance(Instant next_timer) = 0;
  // Called at the start of each turn, so that now() moves.
  virtual void begin_turn() = 0;
  // Called once per turn after runnable fibers ran, for work that must keep up (a capture's ring).
  virtual void end_turn() {}
  // Whether timers of `when` may fire in this turn.
  virtual bool may_fire(Instant when) const { return when <= now(); }
  // For advance(): a turn would do something, or stop() was called.
  bool anything_ready() const { return !ready_.empty() || stopped_; }
  // The first of all timers, watchdogs included; Instant::max(): none.
  Instant first_timer() const { return timers_.first(); }

 private:
  struct Task;
  Task* find(FiberId fiber) const;  // null if it has ended
  void run_ready();
  void fire_timers();
  void enter(Task& task);
  void end(Task& task);
  Ended run_while(const std::function<bool()>* done);

  std::map<FiberId, std::unique_ptr<Task>> tasks_;
  // Those of tasks_ by place: the lower bits of a FiberId. The upper ones count fibers.
  std::vector<Task*> places_;
  std::vector<uint32_t> free_places_;
  Ring<FiberId> ready_;
  TimerQueue timers_;
  StackPool own_stacks_;
  StackPool& stacks_;
  Task* current_ = nullptr;
  uint64_t fibers_made_ = 0;
  bool stopped_ = false;
};

// Sets the current fiber's deadline for a scope, never later than an outer one.
class DeadlineScope {
 public:
  DeadlineScope(Loop& loop, Instant deadline) : loop_(loop), outer_(loop.deadline()) {
    loop_.set_deadline(std::min(outer_, deadline));
  }
  ~DeadlineScope() { loop_.set_deadline(outer_); }
  DeadlineScope(const DeadlineScope&) = delete;
  DeadlineScope& operator=(const DeadlineScope&) = delete;

 private:
  Loop& loop_;
  Instant outer_;
};

}  // namespace netrig
