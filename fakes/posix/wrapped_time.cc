// Clocks and sleeping, in virtual time.

#include <cerrno>
#include <ctime>

#include "fakes/posix/descriptors.h"
#include "fakes/posix/readiness.h"
#include "fakes/posix/real_calls.h"

using namespace netrig;

namespace {

// Virtual time 0, as in captures: 2000-01-01T00:00:00Z.
constexpr std::chrono::seconds kEpoch{946684800};
// So that a program that reads the clock until a time has come does not read for ever.
constexpr Duration kReadingTakes = 1us;

Duration read_clock() {
  Loop& loop = posix::current_loop();
  loop.sleep_until(loop.now() + kReadingTakes);
  return loop.now().time_since_epoch();
}

timespec to_timespec(Duration time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {seconds.count(), (time - seconds).count()};
}

bool is_wall_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

// Of the thread or process, not of the world.
bool is_processor_time(clockid_t clock) {
  return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0;
}

int sleep_for(Duration duration) {
  Loop& loop = posix::current_loop();
  loop.sleep_until(loop.now() + duration);
  return 0;
}

}  // namespace

extern "C" {

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  if (posix::current_api() == nullptr || is_processor_time(clock)) {
    return __real_clock_gettime(clock, time);
  }
  const Duration now = read_clock();
  *time = to_timespec(is_wall_clock(clock) ? now + kEpoch : now);
  return 0;
}

int __wrap_gettimeofday(timeval* time, void* zone) {
  if (posix::current_api() == nullptr) return __real_gettimeofday(time, zone);
  const timespec now = to_timespec(read_clock() + kEpoch);
  if (time != nullptr) *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t __wrap_time(time_t* time) {
  if (posix::current_api() == nullptr) return __real_time(time);
  const time_t now = to_timespec(read_clock() + kEpoch).tv_sec;
  if (time != nullptr) *time = now;
  return now;
}

int __wrap_nanosleep(const timespec* duration, timespec* remaining) {
  if (posix::current_api() == nullptr) return __real_nanosleep(duration, remaining);
  const auto long_as = posix::duration_of(duration);
  return long_as ? sleep_for(*long_as) : posix::fail(long_as.error());
}

// It answers the error, not -1.
int __wrap_clock_nanosleep(clockid_t clock, int flags, const timespec* when, timespec* remaining) {
  if (posix::current_api() == nullptr || is_processor_time(clock)) {
    return __real_clock_nanosleep(clock, flags, when, remaining);
  }
  const auto time = posix::duration_of(when);
  if (!time) return time.error().value();
  if ((flags & TIMER_ABSTIME) == 0) return sleep_for(*time);
  const Duration since_start = is_wall_clock(clock) ? *time - Duration(kEpoch) : *time;
  posix::current_loop().sleep_until(Instant(since_start));
  return 0;
}

int __wrap_usleep(useconds_t duration) {
  if (posix::current_api() == nullptr) return __real_usleep(duration);
  return sleep_for(std::chrono::microseconds(duration));
}

unsigned __wrap_sleep(unsigned seconds) {
  if (posix::current_api() == nullptr) return __real_sleep(seconds);
  return static_cast<unsigned>(sleep_for(std::chrono::seconds(seconds)));
}

}  // extern "C"
