#include "fakes/posix/posix.h"

#include <cerrno>

#include "fakes/posix/descriptors.h"
#include "fakes/posix/real_calls.h"
#include "harness/base/require.h"

namespace netrig {
namespace {

// posix.h says why this is a global.
PosixPrograms* g_active = nullptr;

}  // namespace

PosixPrograms::PosixPrograms(FakeWorld& world) : world_(world) {
  NETRIG_REQUIRE(g_active == nullptr);
  g_active = this;
}

PosixPrograms::~PosixPrograms() {
  // Unwinding programs may still close what they own.
  world_.loop().destroy_fibers();
  posix::forget_all();
  g_active = nullptr;
}

FiberId PosixPrograms::start(const std::string& host, const std::string& name,
                             std::function<void()> body) {
  const FiberId fiber = world_.loop().spawn(name, [this, name, body = std::move(body)] {
    world_.loop().set_activity(name);
    body();
  });
  hosts_.emplace(fiber, host);
  return fiber;
}

Loop::Ended PosixPrograms::run() {
  return world_.loop().run();
}

PosixPrograms* PosixPrograms::active() {
  return g_active;
}

const std::string* PosixPrograms::current_host() const {
  if (!world_.loop().inside_fiber()) return nullptr;
  const auto found = hosts_.find(world_.loop().current());
  return found == hosts_.end() ? nullptr : &found->second;
}

namespace posix {
namespace {

std::map<int, Descriptor>& table() {
  static std::map<int, Descriptor> descriptors;
  return descriptors;
}

}  // namespace

SocketApi* current_api() {
  PosixPrograms* programs = PosixPrograms::active();
  if (programs == nullptr) return nullptr;
  const std::string* host = programs->current_host();
  return host == nullptr ? nullptr : &programs->world().host(*host);
}

Loop& current_loop() {
  return PosixPrograms::active()->world().loop();
}

Descriptor* find(int fd) {
  if (table().empty()) return nullptr;
  const auto found = table().find(fd);
  return found == table().end() ? nullptr : &found->second;
}

int add(Descriptor descriptor) {
  // Something of the kernel's that nobody reads keeps the number.
  const int fd = __real_epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (descriptor.epoll == nullptr) (void)descriptor.api->close(descriptor.socket);
    return fail(error);
  }
  table().insert_or_assign(fd, std::move(descriptor));
  return fd;
}

int close(int fd) {
  const auto found = table().find(fd);
  const Descriptor descriptor = std::move(found->second);
  // First: close() may wait (SO_LINGER), and the number is free meanwhile.
  table().erase(found);
  __real_close(fd);
  if (descriptor.epoll != nullptr || descriptor.sharing.use_count() > 1) return 0;
  return answer(descriptor.api->close(descriptor.socket));
}

void forget_all() {
  while (!table().empty()) close(table().begin()->first);
}

int fail(int error) {
  errno = error;
  return -1;
}

int fail(Errno error) {
  return fail(error.value() > 0 ? error.value() : EINTR);
}

}  // namespace posix
}  // namespace netrig
