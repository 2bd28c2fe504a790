#include "fakes/network/event_queue.h"

#include <tuple>
#include <utility>

#include "harness/base/require.h"

namespace netrig {

Alarm::Alarm(EventQueue& queue, EventClass event_class, uint32_t host, std::function<void()> fire)
    : queue_(queue), fire_(std::move(fire)), host_(host), class_(event_class) {}

Alarm::~Alarm() {
  clear();
}

void Alarm::set(Instant when) {
  if (when == Instant::max()) return clear();
  number_ = queue_.next_number(host_);
  when_ = when;
  if (!is_set()) {
    queue_.insert(this);
    return;
  }
  queue_.sift_up(index_);
  queue_.sift_down(index_);
}

void Alarm::clear() {
  if (is_set()) queue_.remove(this);
}

bool Alarm::before(const Alarm& other) const {
  return std::tie(when_, class_, host_, number_) <
         std::tie(other.when_, other.class_, other.host_, other.number_);
}

void EventQueue::fire_next() {
  NETRIG_REQUIRE(!heap_.empty());
  Alarm* alarm = heap_.front();
  remove(alarm);
  alarm->fire_();
}

void EventQueue::insert(Alarm* alarm) {
  heap_.push_back(alarm);
  alarm->index_ = heap_.size() - 1;
  sift_up(alarm->index_);
}

void EventQueue::remove(Alarm* alarm) {
  const size_t index = alarm->index_;
  Alarm* last = heap_.back();
  heap_.pop_back();
  alarm->index_ = Alarm::kUnset;
  if (last == alarm) return;
  place(last, index);
  sift_up(index);
  sift_down(last->index_);
}

void EventQueue::sift_up(size_t index) {
  Alarm* alarm = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!alarm->before(*heap_[parent])) break;
    place(heap_[parent], index);
    index = parent;
  }
  place(alarm, index);
}

void EventQueue::sift_down(size_t index) {
  Alarm* alarm = heap_[index];
  while (true) {
    size_t child = index * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->before(*heap_[child])) ++child;
    if (!heap_[child]->before(*alarm)) break;
    place(heap_[child], index);
    index = child;
  }
  place(alarm, index);
}

void EventQueue::place(Alarm* alarm, size_t index) {
  heap_[index] = alarm;
  alarm->index_ = index;
}

uint64_t EventQueue::next_number(uint32_t host) {
  if (host >= numbers_.size()) numbers_.resize(host + size_t{1});
  return ++numbers_[host];
}

}  // namespace netrig
