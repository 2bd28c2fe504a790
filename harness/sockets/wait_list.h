#pragma once
// Fibers that wait for something that their loop cannot see, such as room at the other end of a
// Unix socket.

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/sockets/loop.h"

namespace netrig {

class WaitList {
 public:
  // Adds the current fiber while it is in scope; several lists at once are possible (poll).
  class Entry {
   public:
    Entry(WaitList& list, FiberId fiber) : list_(&list), fiber_(fiber) {
      list.waiting_.push_back(fiber);
    }
    Entry(Entry&& other) noexcept
        : list_(std::exchange(other.list_, nullptr)), fiber_(other.fiber_) {}
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (list_ == nullptr) return;
      const auto found = std::find(list_->waiting_.begin(), list_->waiting_.end(), fiber_);
      if (found != list_->waiting_.end()) list_->waiting_.erase(found);
    }

   private:
    WaitList* list_;
    FiberId fiber_;
  };

  // Parks the current fiber until wake_all or the deadline.
  Loop::Woken wait(Loop& loop, Instant deadline) {
    if (loop.unwinding()) return Loop::Woken::kDeadline;
    const Entry entry(*this, loop.current());
    return loop.park(deadline);
  }
  // In the order in which they came.
  void wake_all(Loop& loop) {
    for (const FiberId fiber : waiting_) loop.wake(fiber);
  }
  bool empty() const { return waiting_.empty(); }

 private:
  std::vector<FiberId> waiting_;
};

}  // namespace netrig
