#pragma once
// The timers of a Loop, in the order (time, creation): a heap of places that are used over and
// over, so that setting a timer and taking it back costs no allocation. It has no clock.

#include <cstdint>
#include <functional>
#include <vector>

#include "harness/base/time.h"

namespace netrig {

using TimerId = uint64_t;  // never 0; a later timer has a higher one

class TimerQueue {
 public:
  // `awaited` false: nobody would wait for it (a watchdog). One at Instant::max() never fires.
  TimerId add(Instant when, bool awaited, std::function<void()> callback);
  bool cancel(TimerId timer);  // false if it is not there (any more)

  // When the first of all is due; Instant::max(): there is none.
  Instant first() const { return heap_.empty() ? Instant::max() : timers_[heap_.front()].when; }
  // The same, but Instant::max() if nobody would wait for any.
  Instant first_awaited() const { return awaited_ == 0 ? Instant::max() : first(); }

  // A round: timers that are added while it lasts are not of it, even if they come first.
  void begin_round() { in_round_ = true; }
  std::function<void()> take_first();  // there must be one
  void end_round();

 private:
  static constexpr unsigned kPlaceBits = 24;  // the lower bits of an id; the upper ones count
  static constexpr uint32_t kNowhere = 0xffffffff;
  struct Timer {
    TimerId id = 0;  // 0: the place is free
    Instant when{};
    std::function<void()> callback;
    uint32_t index = kNowhere;  // in heap_; kNowhere: among added_
    bool awaited = true;
  };

  bool before(uint32_t a, uint32_t b) const;
  void put(size_t index, uint32_t place);
  void sift_up(size_t index);
  void sift_down(size_t index);
  void insert(uint32_t place);
  void remove(uint32_t place);
  void free(uint32_t place);

  std::vector<Timer> timers_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> heap_;   // places in timers_
  std::vector<uint32_t> added_;  // in this round
  uint64_t made_ = 0;
  size_t awaited_ = 0;
  bool in_round_ = false;
};

}  // namespace netrig
