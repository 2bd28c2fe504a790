#pragma once
// Which numbers are simulated sockets and simulated epoll instances. Owned by the process, as
// descriptors are; emptied when the PosixPrograms ends.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <sys/epoll.h>

#include "harness/sockets/loop.h"
#include "harness/sockets/socket_api.h"

namespace netrig::posix {

// One interest of an epoll instance.
struct Interest {
  epoll_event event{};
  uint32_t reported = 0;  // EPOLLET: what was told and has not gone away since
  bool disabled = false;  // EPOLLONESHOT has fired
};
struct EpollInstance {
  std::map<int, Interest> interests;  // by descriptor
};

struct Descriptor {
  SocketApi* api = nullptr;
  Socket socket;
  int domain = 0;
  bool nonblocking = false;
  std::shared_ptr<EpollInstance> epoll;  // set: it is no socket
  // As many as there are numbers for it (dup).
  std::shared_ptr<void> sharing = std::make_shared<char>();
};

// The host that serves the current fiber, or null: the call is the kernel's.
SocketApi* current_api();
// The simulated descriptor `fd`; null: it is the kernel's.
Descriptor* find(int fd);
// Takes a free number. -1 with errno (EMFILE) if there is none; then the socket is closed.
int add(Descriptor descriptor);
// Forgets the number and gives it back to the kernel. Closes the socket with its last number.
int close(int fd);
void forget_all();
// Virtual time of the programs' loop.
Loop& current_loop();

// -1 with errno.
int fail(Errno error);
int fail(int error);
template <typename T>
int answer(const Result<T>& result) {
  if (!result) return fail(result.error());
  return 0;
}

}  // namespace netrig::posix
