#pragma once
// For tests: a loop in virtual time. Time jumps to the next timer; without one nothing can happen,
// unless `outside` makes it.

#include <algorithm>
#include <functional>

#include "harness/sockets/loop.h"

namespace netrig {

class TestLoop final : public Loop {
 public:
  ~TestLoop() override { destroy_fibers(); }
  Instant now() const override { return now_; }
  std::function<bool()> outside;
  int turns = 0;

 protected:
  Advance advance(Instant next_timer) override {
    if (next_timer != Instant::max()) {
      now_ = std::max(now_, next_timer);
      return Advance::kHappened;
    }
    return outside && outside() ? Advance::kHappened : Advance::kIdle;
  }
  void begin_turn() override { ++turns; }

 private:
  Instant now_{};
};

}  // namespace netrig
