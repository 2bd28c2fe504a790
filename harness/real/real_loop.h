#pragma once
// The loop on wall-clock time: epoll, and deadlines on CLOCK_MONOTONIC to the nanosecond. It also
// decides when everybody waits for something that can no longer come. It knows descriptors, no
// sockets.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "harness/base/fd.h"
#include "harness/sockets/loop.h"

namespace netrig {

class RealLoop final : public Loop {
 public:
  // How long nothing may happen, without a timer, before the predicates of might_happen_if are
  // asked.
  static constexpr Duration kQuietPeriod = 40ms;

  // Requires that epoll can be made. Sets the calling thread's timer slack to 1 ns.
  RealLoop();
  ~RealLoop() override;

  Instant now() const override { return now_; }
  // The time as it is, not as it was when the turn began.
  Instant clock() const;
  // For timers and packets that must not wait for the scheduler: so long before the next timer, and
  // so long after the last event, the loop does not sleep but asks again and again. 0 (as at
  // first): it sleeps at once.
  void set_spin(Duration spin) { spin_ = spin; }

  // From inside a fiber: suspends until one of `epoll_events` (EPOLLIN, ...; EPOLLERR and EPOLLHUP
  // always count) holds for `fd`, or until the deadline. kWoken may be spurious: try the call
  // again. A descriptor that epoll cannot watch (a regular file) is always ready.
  Woken wait_ready(int fd, uint32_t epoll_events, Instant deadline = Instant::max());
  struct Interest {
    int fd = -1;
    uint32_t epoll_events = 0;
  };
  // The same for any of several.
  Woken wait_ready_any(const std::vector<Interest>& interests, Instant deadline);
  // The descriptor is about to be closed: whoever waits for it is woken and it is forgotten.
  void forget(int fd);

  // Calls back, outside any fiber, whenever `fd` is readable (level-triggered), until unwatch. A
  // watched descriptor alone does not keep the loop from being stuck.
  void watch(int fd, std::function<void()> callback);
  void unwatch(int fd);

  // Adds a predicate that answers true while something outside may still happen by itself (octets
  // under way in the kernel, a process that runs): asked only after a quiet period.
  void might_happen_if(std::function<bool()> predicate);
  // Called at the end of each turn.
  void each_turn(std::function<void()> callback);

 protected:
  Advance advance(Instant next_timer) override;
  void begin_turn() override;
  void end_turn() override;

 private:
  struct Waiter {
    FiberId fiber = 0;
  };
  struct Waiting {
    const Waiter* waiter = nullptr;  // in the frame of wait_ready_any
    uint32_t events = 0;
  };
  struct Descriptor {
    uint32_t registered = 0;  // what epoll was told; may be more than anyone still waits for
    bool in_epoll = false;
    std::vector<Waiting> waiting;
    std::function<void()> callback;  // watch()
    uint32_t wanted() const;
  };
  class WaitScope;

  bool ensure_registered(int fd, Descriptor& descriptor);
  bool collect(std::optional<Duration> patience);
  bool collect_spinning(Instant until);
  void dispatch(int fd, uint32_t events);
  Fd epoll_;
  int64_t start_ns_ = 0;
  Duration spin_{0};
  Instant now_{};
  bool collected_ = false;  // since the last turn began
  std::map<int, Descriptor> descriptors_;
  std::vector<std::function<bool()>> predicates_;
  std::vector<std::function<void()>> each_turn_;
};

}  // namespace netrig
