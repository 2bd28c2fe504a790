#include "harness/real/real_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "harness/base/require.h"

namespace netrig {
namespace {

constexpr uint32_t kAlways = EPOLLERR | EPOLLHUP;

int64_t monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

timespec to_timespec(Duration duration) {
  const int64_t ns = std::max<int64_t>(0, duration.count());
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

// epoll_pwait2 (Linux 5.11) waits to the nanosecond; where it is missing or forbidden, ppoll on the
// epoll descriptor does the same in two calls.
int wait_epoll(int epoll, epoll_event* events, int size, const timespec* patience) {
  const int ready = ::epoll_pwait2(epoll, events, size, patience, nullptr);
  if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return ready;
  pollfd entry{epoll, POLLIN, 0};
  if (::ppoll(&entry, 1, patience, nullptr) <= 0) return 0;
  return ::epoll_wait(epoll, events, size, 0);
}

}  // namespace

// One fiber's entry with the descriptors that it waits for; taken out again however it leaves.
class RealLoop::WaitScope {
 public:
  WaitScope(RealLoop& loop, const std::vector<Interest>& interests)
      : loop_(loop), interests_(interests), waiter_{loop.current()} {
    for (const auto& interest : interests_) {
      auto& descriptor = loop_.descriptors_[interest.fd];
      descriptor.waiting.push_back({&waiter_, interest.epoll_events | kAlways});
      if (!loop_.ensure_registered(interest.fd, descriptor)) unwatchable_ = true;
    }
  }
  ~WaitScope() {
    for (const auto& interest : interests_) {
      const auto found = loop_.descriptors_.find(interest.fd);
      if (found == loop_.descriptors_.end()) continue;
      std::erase_if(found->second.waiting,
                    [this](const Waiting& waiting) { return waiting.waiter == &waiter_; });
    }
  }
  WaitScope(const WaitScope&) = delete;
  WaitScope& operator=(const WaitScope&) = delete;

  bool unwatchable() const { return unwatchable_; }

 private:
  RealLoop& loop_;
  const std::vector<Interest>& interests_;
  Waiter waiter_;
  bool unwatchable_ = false;
};

RealLoop::RealLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), start_ns_(monotonic_ns()) {
  NETRIG_REQUIRE(static_cast<bool>(epoll_));
  // Without it the kernel may let every timer be 50 us late (prctl(2)).
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

RealLoop::~RealLoop() {
  destroy_fibers();
}

Loop::Woken RealLoop::wait_ready(int fd, uint32_t epoll_events, Instant deadline) {
  return wait_ready_any({{fd, epoll_events}}, deadline);
}

Loop::Woken RealLoop::wait_ready_any(const std::vector<Interest>& interests, Instant deadline) {
  if (unwinding()) return Woken::kDeadline;
  const WaitScope scope(*this, interests);
  if (scope.unwatchable()) {
    yield();
    return Woken::kWoken;
  }
  return park(deadline);
}

void RealLoop::forget(int fd) {
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return;
  for (const auto& waiting : found->second.waiting) wake(waiting.waiter->fiber);
  if (found->second.in_epoll) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  descriptors_.erase(found);
}

void RealLoop::watch(int fd, std::function<void()> callback) {
  auto& descriptor = descriptors_[fd];
  descriptor.callback = std::move(callback);
  NETRIG_REQUIRE(ensure_registered(fd, descriptor));
}

void RealLoop::unwatch(int fd) {
  forget(fd);
}

void RealLoop::might_happen_if(std::function<bool()> predicate) {
  predicates_.push_back(std::move(predicate));
}

void RealLoop::each_turn(std::function<void()> callback) {
  each_turn_.push_back(std::move(callback));
}

Loop::Advance RealLoop::advance(Instant next_timer) {
  if (spin_ > Duration{0} && collect_spinning(std::min(next_timer, clock() + spin_))) {
    return Advance::kHappened;
  }
  if (next_timer != Instant::max()) {
    if (!collect(next_timer - clock() - spin_) && spin_ > Duration{0}) collect_spinning(next_timer);
    return Advance::kHappened;
  }
  if (collect(kQuietPeriod)) return Advance::kHappened;
  const bool hope = std::any_of(predicates_.begin(), predicates_.end(),
                                [](const auto& predicate) { return predicate(); });
  if (hope) return Advance::kHappened;
  // Something may have arrived while the predicates looked.
  return collect(Duration{0}) ? Advance::kHappened : Advance::kIdle;
}

void RealLoop::begin_turn() {
  // Fibers that keep each other runnable must not keep the outside waiting.
  if (!std::exchange(collected_, false)) collect(Duration{0});
  collected_ = false;
  now_ = clock();
}

void RealLoop::end_turn() {
  for (const auto& callback : each_turn_) callback();
}

uint32_t RealLoop::Descriptor::wanted() const {
  uint32_t events = callback ? uint32_t{EPOLLIN} : 0;
  for (const auto& entry : waiting) events |= entry.events;
  return events;
}

// What epoll was once told stays, even when nobody waits for it any more, until it disturbs: most
// waits are for the same events as the last one, and need no system call then.
bool RealLoop::ensure_registered(int fd, Descriptor& descriptor) {
  const uint32_t wanted = descriptor.wanted();
  if (descriptor.in_epoll && (wanted & ~descriptor.registered) == 0) return true;
  epoll_event event{};
  event.events = wanted;
  event.data.fd = fd;
  const int operation = descriptor.in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) return false;
  descriptor.in_epoll = true;
  descriptor.registered = wanted;
  return true;
}

bool RealLoop::collect_spinning(Instant until) {
  do {
    if (collect(Duration{0})) return true;
  } while (clock() < until);
  return false;
}

// True if anything was ready. No patience: for ever.
bool RealLoop::collect(std::optional<Duration> patience) {
  std::array<epoll_event, 256> events;
  timespec time{};
  if (patience) time = to_timespec(*patience);
  const int ready = wait_epoll(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               patience ? &time : nullptr);
  collected_ = true;
  for (int i = 0; i < ready; ++i) {
    const auto& event = events[static_cast<size_t>(i)];
    dispatch(event.data.fd, event.events);
  }
  return ready > 0;
}

void RealLoop::dispatch(int fd, uint32_t events) {
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return;  // forgotten by a callback of this batch
  Descriptor& descriptor = found->second;
  const uint32_t wanted = descriptor.wanted();
  if ((events & (wanted | kAlways)) == 0 || wanted == 0) {
    // Nobody waits for this any more: say so to epoll, or it would wake us again and again.
    if (wanted == 0) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      descriptors_.erase(found);
      return;
    }
    epoll_event event{};
    event.events = wanted;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    descriptor.registered = wanted;
    return;
  }
  for (const auto& waiting : descriptor.waiting) {
    if ((events & waiting.events) != 0) wake(waiting.waiter->fiber);
  }
  if (descriptor.callback) {
    const auto callback = descriptor.callback;  // it may unwatch itself
    callback();
  }
}

Instant RealLoop::clock() const {
  return Instant(Duration(monotonic_ns() - start_ns_));
}

}  // namespace netrig
