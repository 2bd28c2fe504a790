#include "harness/cli/signal_watch.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace netrig {

SignalWatch::SignalWatch() {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGTERM);
  sigprocmask(SIG_BLOCK, &watched, &before_);
  fd_ = Fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

// One that is still pending was pressed at the very end: it must not kill what only says goodbye.
SignalWatch::~SignalWatch() {
  while (take()) {
  }
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalWatch::take() {
  signalfd_siginfo information{};
  return fd_ && ::read(fd_.get(), &information, sizeof information) == sizeof information;
}

}  // namespace netrig
