// FakeHost: poll(2). One that waits is on the lists of all its sockets.

#include <poll.h>

#include "fakes/host/host_parts.h"

namespace netrig {
namespace {

// The bits that poll(2) tells apart though the sockets here do not.
short with_bands(const FakeSocket& socket, short events) {
  if ((events & POLLIN) != 0) events |= POLLRDNORM;
  if ((events & POLLOUT) != 0) {
    events |= POLLWRNORM;
    if (socket.transport() != Transport::kTcp) events |= POLLWRBAND;
  }
  if ((events & POLLPRI) != 0 && socket.transport() != Transport::kTcp) events |= POLLRDBAND;
  return events;
}

}  // namespace

Result<int> FakeHost::poll(std::span<PollEntry> entries, Duration timeout) {
  Parts& parts = *parts_;
  const Parts::Call call(parts);
  Loop& loop = parts.loop();
  const Instant forever = Instant::max();
  const Instant limit =
      timeout < Duration{0} || timeout > forever - loop.now() ? forever : loop.now() + timeout;
  while (true) {
    int ready = 0;
    for (PollEntry& entry : entries) {
      // A negative descriptor is passed over (poll(2)); here it is one that is not open.
      const SocketRef found = parts.find(entry.socket);
      const auto wanted = static_cast<short>(entry.events | POLLERR | POLLHUP);
      entry.revents = found ? static_cast<short>(with_bands(*found, found->poll_events()) & wanted)
                            : short{POLLNVAL};
      if (entry.revents != 0) ++ready;
    }
    if (ready > 0 || timeout == Duration{0} || !loop.inside_fiber()) return ready;
    std::vector<SocketRef> watched;
    std::vector<WaitList::Entry> places;
    watched.reserve(entries.size());
    places.reserve(entries.size());
    if (loop.unwinding()) return fail_with(Errno::timeout());
    for (const PollEntry& entry : entries) {
      watched.push_back(parts.find(entry.socket));
      places.emplace_back(watched.back()->waiters(), loop.current());
    }
    if (loop.park(limit) == Loop::Woken::kWoken) continue;
    if (loop.now() >= limit && limit <= loop.deadline()) return 0;
    return fail_with(Errno::timeout());
  }
}

}  // namespace netrig
