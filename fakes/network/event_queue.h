#pragma once
// What happens next in virtual time. An event is an Alarm that its owner sets and moves; the queue
// orders those that are set by (time, class, host, number), where number counts the settings of one
// host, so the order is the same in every run and build. No allocation a setting: the queue is a
// heap of pointers, and an alarm knows its place in it.

#include <cstdint>
#include <functional>
#include <vector>

#include "harness/base/time.h"

namespace netrig {

// The order of what is due at one instant.
enum class EventClass : uint8_t {
  kArrival,  // packets leave links
  kTimer,    // protocol timers of hosts
};

class EventQueue;

// Fires once a setting. Its owner may set it again from inside `fire`. Removed from the queue by
// its destructor.
class Alarm {
 public:
  Alarm(EventQueue& queue, EventClass event_class, uint32_t host, std::function<void()> fire);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(Instant when);  // moves it if it is set; Instant::max() clears it
  void clear();
  bool is_set() const { return index_ != kUnset; }
  Instant when() const { return when_; }

 private:
  friend class EventQueue;
  static constexpr size_t kUnset = static_cast<size_t>(-1);
  bool before(const Alarm& other) const;

  EventQueue& queue_;
  std::function<void()> fire_;
  Instant when_{};
  uint64_t number_ = 0;
  size_t index_ = kUnset;
  uint32_t host_;
  EventClass class_;
};

class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  Instant next() const { return heap_.empty() ? Instant::max() : heap_.front()->when_; }
  // Fires the first event; there must be one.
  void fire_next();
  size_t size() const { return heap_.size(); }

 private:
  friend class Alarm;
  void insert(Alarm* alarm);
  void remove(Alarm* alarm);
  void sift_up(size_t index);
  void sift_down(size_t index);
  void place(Alarm* alarm, size_t index);
  uint64_t next_number(uint32_t host);

  std::vector<Alarm*> heap_;
  std::vector<uint64_t> numbers_;  // by host
};

}  // namespace netrig
