#pragma once
// SIGINT and SIGTERM as something to poll instead of something that kills. While it lives they are
// blocked in this process, and in children that do not unblock them; after it they do what they did
// before.

#include <signal.h>

#include "harness/base/fd.h"

namespace netrig {

class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Readable when one came; -1 if the kernel refuses (then signals kill, as usual).
  int descriptor() const { return fd_.get(); }
  // Takes one; false if there is none.
  bool take();

 private:
  sigset_t before_{};
  Fd fd_;
};

}  // namespace netrig
