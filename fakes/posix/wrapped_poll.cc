// The calls that wait for readiness: poll, select, epoll.

#include <algorithm>
#include <cerrno>
#include <vector>

#include "fakes/posix/readiness.h"
#include "fakes/posix/real_calls.h"

using namespace netrig;
using posix::Descriptor;
using posix::EpollInstance;
using posix::Interest;

namespace {

// epoll's bits are poll's for all that sockets know.
constexpr uint32_t kReadiness = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP;
constexpr uint32_t kAlways = EPOLLERR | EPOLLHUP;

Duration milliseconds(int timeout) {
  return timeout < 0 ? Duration{-1} : Duration(std::chrono::milliseconds(timeout));
}

// True if one of the descriptors is simulated, or the caller runs on a simulated host.
bool is_simulated() {
  return posix::current_api() != nullptr;
}

int select_on(int count, fd_set* sets[3], Duration timeout) {
  constexpr short kEvents[3] = {POLLIN, POLLOUT, POLLPRI};
  // select(2): what counts as ready in each set (the kernel's POLLIN_SET and so on).
  constexpr short kReady[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
  if (count < 0 || count > FD_SETSIZE) return posix::fail(EINVAL);
  std::vector<pollfd> entries;
  for (int fd = 0; fd < count; ++fd) {
    pollfd entry{fd, 0, 0};
    for (int set = 0; set < 3; ++set) {
      if (sets[set] != nullptr && FD_ISSET(fd, sets[set])) {
        entry.events = static_cast<short>(entry.events | kEvents[set]);
      }
    }
    if (entry.events != 0) entries.push_back(entry);
  }
  if (posix::poll_all(entries, timeout) < 0) return -1;
  int ready = 0;
  for (int set = 0; set < 3; ++set) {
    if (sets[set] != nullptr) FD_ZERO(sets[set]);
  }
  for (const pollfd& entry : entries) {
    if ((entry.revents & POLLNVAL) != 0) return posix::fail(EBADF);
    for (int set = 0; set < 3; ++set) {
      if (sets[set] == nullptr || (entry.events & kEvents[set]) == 0) continue;
      if ((entry.revents & kReady[set]) == 0) continue;
      FD_SET(entry.fd, sets[set]);
      ++ready;
    }
  }
  return ready;
}

// What an interest has to tell of these bits; EPOLLET: only what it has not told already.
uint32_t news_of(Interest& interest, uint32_t ready) {
  if (interest.disabled) return 0;
  const uint32_t wanted = ready & ((interest.event.events & kReadiness) | kAlways);
  if ((interest.event.events & EPOLLET) == 0) return wanted;
  const uint32_t fresh = wanted & ~interest.reported;
  interest.reported = wanted;
  return fresh != 0 ? wanted : 0;
}

std::vector<pollfd> entries_of(const EpollInstance& instance) {
  std::vector<pollfd> entries;
  for (const auto& [fd, interest] : instance.interests) {
    if (interest.disabled) continue;
    entries.push_back({fd, static_cast<short>(interest.event.events & kReadiness), 0});
  }
  return entries;
}

// epoll forgets a descriptor that is closed.
void forget_closed(EpollInstance& instance) {
  std::erase_if(instance.interests,
                [](const auto& kept) { return posix::find(kept.first) == nullptr; });
}

int wait_on(const std::shared_ptr<EpollInstance>& instance, epoll_event* events, int count,
            Duration timeout) {
  if (count <= 0) return posix::fail(EINVAL);
  Loop& loop = posix::current_loop();
  const Instant limit = timeout < Duration{0} ? Instant::max() : loop.now() + timeout;
  while (true) {
    forget_closed(*instance);
    std::vector<pollfd> entries = entries_of(*instance);
    if (posix::poll_all(entries, Duration{0}) < 0) return -1;
    int told = 0;
    for (const pollfd& entry : entries) {
      const auto found = instance->interests.find(entry.fd);
      if (found == instance->interests.end() || told == count) continue;
      Interest& interest = found->second;
      const uint32_t news = news_of(interest, static_cast<uint16_t>(entry.revents));
      if (news == 0) continue;
      events[told++] = {news, interest.event.data};
      if ((interest.event.events & EPOLLONESHOT) != 0) interest.disabled = true;
    }
    if (told > 0 || loop.now() >= limit) return told;
    // Edges that were told already must not end the wait: only bits that are off now are waited
    // for, and while one is on, it is looked at again when anything has happened.
    std::vector<pollfd> waiting;
    for (pollfd entry : entries) {
      const Interest& interest = instance->interests.at(entry.fd);
      if ((interest.event.events & EPOLLET) != 0) {
        entry.events = static_cast<short>(entry.events & ~entry.revents);
        if ((entry.revents & static_cast<short>(kAlways)) != 0) continue;
      }
      waiting.push_back(entry);
    }
    const Duration left = limit == Instant::max() ? Duration{-1} : limit - loop.now();
    if (posix::poll_all(waiting, left) < 0) return -1;
  }
}

}  // namespace

extern "C" {

int __wrap_poll(pollfd* entries, nfds_t count, int timeout) {
  if (!is_simulated()) return __real_poll(entries, count, timeout);
  return posix::poll_all({entries, count}, milliseconds(timeout));
}

int __wrap___poll_chk(pollfd* entries, nfds_t count, int timeout, size_t) {
  return __wrap_poll(entries, count, timeout);
}

int __wrap_ppoll(pollfd* entries, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (!is_simulated()) return __real_ppoll(entries, count, timeout, mask);
  const auto longest = posix::duration_of(timeout);
  return longest ? posix::poll_all({entries, count}, *longest) : posix::fail(longest.error());
}

int __wrap_select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
                  timeval* timeout) {
  if (!is_simulated()) return __real_select(count, readable, writable, exceptional, timeout);
  fd_set* sets[3] = {readable, writable, exceptional};
  const auto longest = posix::duration_of(timeout);
  if (!longest) return posix::fail(longest.error());
  Loop& loop = posix::current_loop();
  const Instant begin = loop.now();
  const int ready = select_on(count, sets, *longest);
  if (timeout != nullptr && ready >= 0) {  // Linux tells what is left
    const Duration left = std::max(Duration{0}, *longest - (loop.now() - begin));
    timeout->tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    timeout->tv_usec =
        std::chrono::duration_cast<std::chrono::microseconds>(left).count() % 1'000'000;
  }
  return ready;
}

int __wrap_pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
                   const timespec* timeout, const sigset_t* mask) {
  if (!is_simulated()) return __real_pselect(count, readable, writable, exceptional, timeout, mask);
  fd_set* sets[3] = {readable, writable, exceptional};
  const auto longest = posix::duration_of(timeout);
  return longest ? select_on(count, sets, *longest) : posix::fail(longest.error());
}

int __wrap_epoll_create1(int flags) {
  SocketApi* api = posix::current_api();
  if (api == nullptr) return __real_epoll_create1(flags);
  return posix::add({.api = api, .epoll = std::make_shared<EpollInstance>()});
}

int __wrap_epoll_create(int size) {
  if (posix::current_api() == nullptr) return __real_epoll_create(size);
  return size <= 0 ? posix::fail(EINVAL) : __wrap_epoll_create1(0);
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  const Descriptor* found = posix::find(epoll);
  if (found == nullptr) return __real_epoll_ctl(epoll, operation, fd, event);
  if (found->epoll == nullptr || fd == epoll) return posix::fail(EINVAL);
  const Descriptor* watched = posix::find(fd);
  // The kernel's descriptors have no place in virtual time, nor has an epoll in an epoll.
  if (watched == nullptr || watched->epoll != nullptr) return posix::fail(EPERM);
  auto& interests = found->epoll->interests;
  const bool known = interests.contains(fd);
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (known) return posix::fail(EEXIST);
      break;
    case EPOLL_CTL_MOD:
    case EPOLL_CTL_DEL:
      if (!known) return posix::fail(ENOENT);
      break;
    default:
      return posix::fail(EINVAL);
  }
  if (operation == EPOLL_CTL_DEL) {
    interests.erase(fd);
  } else if (event == nullptr) {
    return posix::fail(EFAULT);
  } else {
    interests[fd] = Interest{*event};
  }
  return 0;
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  const Descriptor* found = posix::find(epoll);
  if (found == nullptr) return __real_epoll_wait(epoll, events, count, timeout);
  if (found->epoll == nullptr) return posix::fail(EINVAL);
  return wait_on(found->epoll, events, count, milliseconds(timeout));
}

int __wrap_epoll_pwait(int epoll, epoll_event* events, int count, int timeout,
                       const sigset_t* mask) {
  if (posix::find(epoll) == nullptr) return __real_epoll_pwait(epoll, events, count, timeout, mask);
  return __wrap_epoll_wait(epoll, events, count, timeout);
}

}  // extern "C"
