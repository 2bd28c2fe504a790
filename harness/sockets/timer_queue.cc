#include "harness/sockets/timer_queue.h"

#include <algorithm>
#include <utility>

#include "harness/base/require.h"

namespace netrig {

TimerId TimerQueue::add(Instant when, bool awaited, std::function<void()> callback) {
  if (free_.empty()) {
    NETRIG_REQUIRE(timers_.size() < (size_t{1} << kPlaceBits));
    free_.push_back(static_cast<uint32_t>(timers_.size()));
    timers_.emplace_back();
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  Timer& timer = timers_[place];
  timer.id = ++made_ << kPlaceBits | place;
  timer.when = when;
  timer.callback = std::move(callback);
  timer.awaited = awaited;
  awaited_ += awaited ? 1 : 0;
  if (in_round_) {
    added_.push_back(place);
  } else {
    insert(place);
  }
  return timer.id;
}

bool TimerQueue::cancel(TimerId timer) {
  const auto place = static_cast<uint32_t>(timer & ((TimerId{1} << kPlaceBits) - 1));
  if (timer == 0 || place >= timers_.size() || timers_[place].id != timer) return false;
  if (timers_[place].index == kNowhere) {
    std::erase(added_, place);
  } else {
    remove(place);
  }
  free(place);
  return true;
}

std::function<void()> TimerQueue::take_first() {
  const uint32_t place = heap_.front();
  std::function<void()> callback = std::move(timers_[place].callback);
  remove(place);
  free(place);
  return callback;
}

void TimerQueue::end_round() {
  in_round_ = false;
  for (const uint32_t place : added_) insert(place);
  added_.clear();
}

void TimerQueue::free(uint32_t place) {
  Timer& timer = timers_[place];
  awaited_ -= timer.awaited ? 1 : 0;
  timer.id = 0;
  timer.index = kNowhere;
  timer.callback = nullptr;
  free_.push_back(place);
}

// The id's upper bits are the order of creation.
bool TimerQueue::before(uint32_t a, uint32_t b) const {
  const Timer& first = timers_[a];
  const Timer& second = timers_[b];
  return first.when != second.when ? first.when < second.when : first.id < second.id;
}

void TimerQueue::put(size_t index, uint32_t place) {
  heap_[index] = place;
  timers_[place].index = static_cast<uint32_t>(index);
}

void TimerQueue::sift_up(size_t index) {
  const uint32_t moving = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!before(moving, heap_[parent])) break;
    put(index, heap_[parent]);
    index = parent;
  }
  put(index, moving);
}

void TimerQueue::sift_down(size_t index) {
  const uint32_t moving = heap_[index];
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], moving)) break;
    put(index, heap_[child]);
    index = child;
  }
  put(index, moving);
}

void TimerQueue::insert(uint32_t place) {
  heap_.push_back(place);
  sift_up(heap_.size() - 1);
}

void TimerQueue::remove(uint32_t place) {
  const size_t index = timers_[place].index;
  const uint32_t last = heap_.back();
  heap_.pop_back();
  if (last == place) return;
  put(index, last);
  sift_up(index);
  sift_down(timers_[last].index);
}

}  // namespace netrig
