#pragma once
// Waiting for several descriptors at once, some of them the kernel's, in virtual time.

#include <poll.h>
#include <span>

#include "fakes/posix/descriptors.h"

namespace netrig::posix {

// poll(2) over simulated and kernel's descriptors. Of the kernel's only what holds now counts: time
// that does not pass cannot make them ready. Negative: for ever. -1 with errno.
int poll_all(std::span<pollfd> entries, Duration timeout);

// select(2)'s, pselect(2)'s and ppoll(2)'s times; null is for ever. Errno EINVAL for no time.
Result<Duration> duration_of(const timeval* time);
Result<Duration> duration_of(const timespec* time);

}  // namespace netrig::posix
