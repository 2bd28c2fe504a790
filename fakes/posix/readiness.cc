#include "fakes/posix/readiness.h"

#include <cerrno>
#include <vector>

#include "fakes/posix/real_calls.h"

namespace netrig::posix {
namespace {

constexpr long kSecond = 1'000'000'000;

// The kernel's answer now for those that are its own.
int poll_kernel(std::span<pollfd> entries) {
  int ready = 0;
  for (pollfd& entry : entries) {
    if (find(entry.fd) != nullptr || entry.fd < 0) continue;
    entry.revents = 0;
    if (__real_poll(&entry, 1, 0) == 1) ++ready;
  }
  return ready;
}

}  // namespace

int poll_all(std::span<pollfd> entries, Duration timeout) {
  SocketApi* api = current_api();
  std::vector<PollEntry> simulated;
  std::vector<size_t> places;
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].revents = 0;
    const Descriptor* descriptor = entries[i].fd < 0 ? nullptr : find(entries[i].fd);
    if (descriptor == nullptr || descriptor->epoll != nullptr) continue;
    simulated.push_back({descriptor->socket, entries[i].events, 0});
    places.push_back(i);
  }
  const int at_kernel = poll_kernel(entries);
  const auto ready = api->poll(simulated, at_kernel > 0 ? Duration{0} : timeout);
  if (!ready) return fail(ready.error());
  int count = at_kernel;
  for (size_t i = 0; i < places.size(); ++i) {
    entries[places[i]].revents = simulated[i].revents;
    if (simulated[i].revents != 0) ++count;
  }
  return count;
}

Result<Duration> duration_of(const timeval* time) {
  if (time == nullptr) return Duration{-1};
  if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= kSecond / 1000) {
    return fail_with(EINVAL);
  }
  return std::chrono::seconds(time->tv_sec) + std::chrono::microseconds(time->tv_usec);
}

Result<Duration> duration_of(const timespec* time) {
  if (time == nullptr) return Duration{-1};
  if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= kSecond) return fail_with(EINVAL);
  return std::chrono::seconds(time->tv_sec) + Duration(time->tv_nsec);
}

}  // namespace netrig::posix
