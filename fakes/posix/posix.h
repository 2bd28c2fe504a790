#pragma once
// Programs written against plain POSIX, unchanged, on simulated hosts. A program's code is linked
// with netrig_posix, which has the linker replace its calls (ld's --wrap): inside a fiber that was
// started here, socket(), connect(), send(), poll(), epoll_wait(), close(), getaddrinfo(),
// clock_gettime(), nanosleep() and their like are served by the fake host of that fiber, in virtual
// time. Every other descriptor, and every call from elsewhere, goes through to the kernel.
//
// A simulated socket has the number of a descriptor that is kept open in the kernel for it, so
// numbers never collide and fit into an fd_set. Not served: fork and exec, threads, signals, dup2
// onto a descriptor in use, sendfile and splice. Reading a clock takes a microsecond, so programs
// that spin until a time come to an end.
//
// The calls have no parameter for a world, so this is the one place with a global: one
// PosixPrograms at a time in a process, on one thread.

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "fakes/world/fake_world.h"

namespace netrig {

class PosixPrograms {
 public:
  // `world` must outlive it.
  explicit PosixPrograms(FakeWorld& world);
  ~PosixPrograms();
  PosixPrograms(const PosixPrograms&) = delete;
  PosixPrograms& operator=(const PosixPrograms&) = delete;

  // Starts `body` in a fiber of its own on the host when the loop next turns.
  FiberId start(const std::string& host, const std::string& name, std::function<void()> body);
  // Runs the world until every program has returned, or all wait for what cannot come (kStuck).
  Loop::Ended run();

  // ---- for the calls
  static PosixPrograms* active();  // null if there is none
  // The host of the current fiber; empty outside of programs.
  const std::string* current_host() const;
  FakeWorld& world() { return world_; }

 private:
  FakeWorld& world_;
  std::map<FiberId, std::string> hosts_;
};

}  // namespace netrig
