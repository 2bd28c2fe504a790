// packetdrill's calls, served by a ScriptStack.

#include "fakes/packetdrill/packetdrill.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <vector>

#include "fakes/packetdrill/script_stack.h"
#include "harness/real/call_values.h"

using namespace netrig;

namespace {

constexpr int kIdleStatus = 3;

struct Script {
  explicit Script(const ScriptStackOptions& options) : stack(options) {}
  ScriptStack stack;
  std::mutex mutex;
  std::set<int> nonblocking;

  bool blocks(int fd, int flags = 0) {
    const std::lock_guard lock(mutex);
    return (flags & MSG_DONTWAIT) == 0 && !nonblocking.contains(fd);
  }
  void set_nonblocking(int fd, bool on) {
    const std::lock_guard lock(mutex);
    if (on) {
      nonblocking.insert(fd);
    } else {
      nonblocking.erase(fd);
    }
  }
};

// packetdrill has no way to hear of it: the program ends, and says why.
[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "netrig_packetdrill: %s\n", why.c_str());
  std::fflush(stderr);
  std::_Exit(kIdleStatus);
}

Script& script(void* userdata) {
  return *static_cast<Script*>(userdata);
}

int fail(Errno error) {
  errno = error.value() > 0 ? error.value() : EINTR;
  return -1;
}

template <typename T>
T unwrap(const Result<T>& result, T failure) {
  if (result) return *result;
  fail(result.error());
  return failure;
}

int done(const Result<void>& result) {
  return result ? 0 : fail(result.error());
}

ssize_t counted(const Result<size_t>& result) {
  return result ? static_cast<ssize_t>(*result) : fail(result.error());
}

template <typename T>
Result<T> call(void* userdata, bool blocking, const std::function<Result<T>(SocketApi&)>& body) {
  return script(userdata).stack.call<T>(blocking, body);
}

int domain_of(void* userdata, int fd) {
  const auto domain = call<int64_t>(
      userdata, false, [&](SocketApi& api) { return api.getsockopt({fd}, SOL_SOCKET, SO_DOMAIN); });
  return static_cast<int>(domain.value_or(AF_INET));
}

int drill_socket(void* userdata, int domain, int type, int protocol) {
  const auto made = call<Socket>(userdata, false, [&](SocketApi& api) {
    return api.socket(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
  });
  if (!made) return fail(made.error());
  script(userdata).set_nonblocking(made->handle, (type & SOCK_NONBLOCK) != 0);
  return made->handle;
}

int drill_bind(void* userdata, int fd, const sockaddr* address, socklen_t length) {
  const auto local = endpoint_of(address, length);
  if (!local) return fail(local.error());
  return done(call<void>(userdata, false, [&](SocketApi& api) { return api.bind({fd}, *local); }));
}

int drill_listen(void* userdata, int fd, int backlog) {
  return done(
      call<void>(userdata, false, [&](SocketApi& api) { return api.listen({fd}, backlog); }));
}

int drill_accept(void* userdata, int fd, sockaddr* address, socklen_t* length) {
  const auto accepted = call<Accepted>(userdata, script(userdata).blocks(fd),
                                       [&](SocketApi& api) { return api.accept({fd}); });
  if (!accepted) return fail(accepted.error());
  store_endpoint(accepted->peer, domain_of(userdata, fd), address, length);
  return accepted->socket.handle;
}

// Outside a fiber connect() never waits: a blocking one asks again until it is decided.
int drill_connect(void* userdata, int fd, const sockaddr* address, socklen_t length) {
  const auto peer = endpoint_of(address, length);
  if (!peer) return fail(peer.error());
  const bool blocking = script(userdata).blocks(fd);
  bool asked = false;
  return done(call<void>(userdata, blocking, [&](SocketApi& api) -> Result<void> {
    const auto outcome = api.connect({fd}, *peer);
    if (outcome || !blocking) return outcome;
    if (asked && outcome.error() == Errno(EISCONN)) return {};
    const bool under_way =
        outcome.error() == Errno(EINPROGRESS) || outcome.error() == Errno(EALREADY);
    asked = true;
    return under_way ? fail_with(EAGAIN) : outcome;
  }));
}

ssize_t drill_recvfrom(void* userdata, int fd, void* buffer, size_t size, int flags, sockaddr* from,
                       socklen_t* length) {
  const std::span<char> room(static_cast<char*>(buffer), size);
  const auto got =
      call<ReceivedFrom>(userdata, script(userdata).blocks(fd, flags),
                         [&](SocketApi& api) { return api.recvfrom({fd}, room, flags); });
  if (!got) return fail(got.error());
  store_endpoint(got->from, domain_of(userdata, fd), from, length);
  return static_cast<ssize_t>(got->size);
}

ssize_t drill_recv(void* userdata, int fd, void* buffer, size_t size, int flags) {
  return drill_recvfrom(userdata, fd, buffer, size, flags, nullptr, nullptr);
}

ssize_t drill_read(void* userdata, int fd, void* buffer, size_t size) {
  return drill_recv(userdata, fd, buffer, size, 0);
}

Result<ReceivedMessage> receive_parts(void* userdata, int fd, const iovec* parts, size_t count,
                                      int flags) {
  std::vector<std::span<char>> room;
  for (size_t i = 0; i < count; ++i) {
    room.emplace_back(static_cast<char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return call<ReceivedMessage>(userdata, script(userdata).blocks(fd, flags),
                               [&](SocketApi& api) { return api.recvmsg({fd}, room, flags); });
}

ssize_t drill_readv(void* userdata, int fd, const iovec* parts, int count) {
  const auto got = receive_parts(userdata, fd, parts, static_cast<size_t>(std::max(count, 0)), 0);
  return got ? static_cast<ssize_t>(got->size) : fail(got.error());
}

ssize_t drill_recvmsg(void* userdata, int fd, msghdr* message, int flags) {
  const auto got = receive_parts(userdata, fd, message->msg_iov, message->msg_iovlen, flags);
  if (!got) return fail(got.error());
  message->msg_flags = got->flags;
  message->msg_controllen = 0;
  store_endpoint(got->from, domain_of(userdata, fd), static_cast<sockaddr*>(message->msg_name),
                 &message->msg_namelen);
  return static_cast<ssize_t>(got->size);
}

// A blocking stream send goes on until all is accepted; EAGAIN with a part taken is not told.
ssize_t send_parts(void* userdata, int fd, const iovec* parts, size_t count, int flags,
                   const Endpoint* to) {
  Bytes all;
  for (size_t i = 0; i < count; ++i) {
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  const bool blocking = script(userdata).blocks(fd, flags);
  size_t sent = 0;
  const auto result = call<size_t>(userdata, blocking, [&](SocketApi& api) -> Result<size_t> {
    const ByteView rest = ByteView(all).substr(sent);
    const auto took =
        to == nullptr ? api.send({fd}, rest, flags) : api.sendto({fd}, rest, flags, *to);
    if (!took) return sent > 0 && took.error() != Errno(EAGAIN) ? Result<size_t>(sent) : took;
    sent += *took;
    return sent < all.size() && blocking && *took > 0 ? fail_with(EAGAIN) : Result<size_t>(sent);
  });
  return counted(result);
}

ssize_t drill_sendto(void* userdata, int fd, const void* data, size_t size, int flags,
                     const sockaddr* to, socklen_t length) {
  const iovec part{const_cast<void*>(data), size};
  if (to == nullptr) return send_parts(userdata, fd, &part, 1, flags, nullptr);
  const auto peer = endpoint_of(to, length);
  return peer ? send_parts(userdata, fd, &part, 1, flags, &*peer) : fail(peer.error());
}

ssize_t drill_send(void* userdata, int fd, const void* data, size_t size, int flags) {
  return drill_sendto(userdata, fd, data, size, flags, nullptr, 0);
}

ssize_t drill_write(void* userdata, int fd, const void* data, size_t size) {
  return drill_send(userdata, fd, data, size, 0);
}

ssize_t drill_writev(void* userdata, int fd, const iovec* parts, int count) {
  return send_parts(userdata, fd, parts, static_cast<size_t>(std::max(count, 0)), 0, nullptr);
}

ssize_t drill_sendmsg(void* userdata, int fd, const msghdr* message, int flags) {
  if (message->msg_name == nullptr) {
    return send_parts(userdata, fd, message->msg_iov, message->msg_iovlen, flags, nullptr);
  }
  const auto peer =
      endpoint_of(static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
  if (!peer) return fail(peer.error());
  return send_parts(userdata, fd, message->msg_iov, message->msg_iovlen, flags, &*peer);
}

int drill_fcntl(void* userdata, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const int value = static_cast<int>(va_arg(arguments, long));
  va_end(arguments);
  if (command == F_GETFL) return O_RDWR | (script(userdata).blocks(fd) ? 0 : O_NONBLOCK);
  if (command != F_SETFL) return fail(Errno(EINVAL));
  script(userdata).set_nonblocking(fd, (value & O_NONBLOCK) != 0);
  return 0;
}

int drill_ioctl(void* userdata, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  int* value = va_arg(arguments, int*);
  va_end(arguments);
  if (request != FIONREAD) return fail(Errno(ENOTTY));
  const auto waiting =
      call<size_t>(userdata, false, [&](SocketApi& api) { return api.readable_octets({fd}); });
  if (!waiting) return fail(waiting.error());
  *value = static_cast<int>(*waiting);
  return 0;
}

int drill_close(void* userdata, int fd) {
  script(userdata).set_nonblocking(fd, false);
  return done(call<void>(userdata, false, [&](SocketApi& api) { return api.close({fd}); }));
}

int drill_shutdown(void* userdata, int fd, int how) {
  return done(call<void>(userdata, false, [&](SocketApi& api) { return api.shutdown({fd}, how); }));
}

int drill_getsockopt(void* userdata, int fd, int level, int name, void* value, socklen_t* length) {
  return done(call<void>(userdata, false, [&](SocketApi& api) {
    return get_option_value(api, {fd}, level, name, value, length);
  }));
}

int drill_setsockopt(void* userdata, int fd, int level, int name, const void* value,
                     socklen_t length) {
  return done(call<void>(userdata, false, [&](SocketApi& api) {
    return set_option_value(api, {fd}, level, name, value, length);
  }));
}

int drill_poll(void* userdata, pollfd* entries, nfds_t count, int timeout) {
  std::vector<PollEntry> polled;
  for (nfds_t i = 0; i < count; ++i) polled.push_back({{entries[i].fd}, entries[i].events, 0});
  const Duration longest =
      timeout < 0 ? Duration{-1} : Duration(std::chrono::milliseconds(timeout));
  const auto ready = script(userdata).stack.poll(polled, longest);
  for (nfds_t i = 0; i < count; ++i) entries[i].revents = polled[i].revents;
  return unwrap(ready, -1);
}

int drill_netdev_send(void* userdata, const void* buffer, size_t count) {
  if (script(userdata).stack.inject({static_cast<const char*>(buffer), count})) return 0;
  return fail(Errno(EINVAL));
}

// packetdrill would ask again for ever: an idle simulation is the end of the script.
int drill_netdev_receive(void* userdata, void* buffer, size_t* count, long long* time_usecs) {
  const auto packet = script(userdata).stack.receive();
  if (!packet) {
    die("the script waits for a packet, but the simulation is idle: no packet is under way and no "
        "timer will send one");
  }
  if (packet->octets.size() > *count) return fail(Errno(EMSGSIZE));
  std::memcpy(buffer, packet->octets.data(), packet->octets.size());
  *count = packet->octets.size();
  *time_usecs = packet->time_us;
  return 0;
}

int drill_usleep(void* userdata, useconds_t usec) {
  script(userdata).stack.sleep(usec);
  return 0;
}

int drill_gettimeofday(void* userdata, timeval* time, struct timezone*) {
  const int64_t now = script(userdata).stack.read_time();
  *time = {now / 1'000'000, now % 1'000'000};
  return 0;
}

// The simulated sockets have no epoll, pipes or splice of their own.
int drill_epoll_create(void*, int) {
  return fail(Errno(ENOSYS));
}
int drill_epoll_ctl(void*, int, int, int, epoll_event*) {
  return fail(Errno(ENOSYS));
}
int drill_epoll_wait(void*, int, epoll_event*, int, int) {
  return fail(Errno(ENOSYS));
}
int drill_pipe(void*, int*) {
  return fail(Errno(ENOSYS));
}
ssize_t drill_splice(void*, int, loff_t*, int, loff_t*, size_t, unsigned) {
  return fail(Errno(ENOSYS));
}

IpAddress address_of(const std::string& key, const std::string& text, bool v6) {
  const auto address = IpAddress::parse(text);
  if (!address || address->is_v6() != v6) {
    die("--so_flags: " + key + " takes an IPv" + (v6 ? "6" : "4") + " address, got '" + text + "'");
  }
  return *address;
}

ScriptStackOptions options_of(std::string flags) {
  ScriptStackOptions options;
  while (!flags.empty()) {
    const size_t end = std::min(flags.find(','), flags.size());
    const std::string word = flags.substr(0, end);
    flags.erase(0, end + 1);
    const size_t equals = std::min(word.find('='), word.size());
    const std::string key = word.substr(0, equals);
    const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
    if (key == "local_ip") {
      options.local = address_of(key, value, false);
    } else if (key == "local_ip6") {
      options.local6 = address_of(key, value, true);
    } else if (key == "seed") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), options.seed);
      if (parsed.ec != std::errc() || value.empty()) die("--so_flags: seed takes a number");
    } else if (!key.empty()) {
      die("--so_flags: unknown word '" + word + "'; local_ip=, local_ip6= and seed= are known");
    }
  }
  return options;
}

void drill_free(void* userdata) {
  delete static_cast<Script*>(userdata);
}

}  // namespace

void packetdrill_interface_init(const char* flags, PacketdrillInterface* interface) {
  *interface = {
      .userdata = new Script(options_of(flags == nullptr ? "" : flags)),
      .free = drill_free,
      .socket = drill_socket,
      .bind = drill_bind,
      .listen = drill_listen,
      .accept = drill_accept,
      .connect = drill_connect,
      .read = drill_read,
      .readv = drill_readv,
      .recv = drill_recv,
      .recvfrom = drill_recvfrom,
      .recvmsg = drill_recvmsg,
      .write = drill_write,
      .writev = drill_writev,
      .send = drill_send,
      .sendto = drill_sendto,
      .sendmsg = drill_sendmsg,
      .fcntl = drill_fcntl,
      .ioctl = drill_ioctl,
      .close = drill_close,
      .shutdown = drill_shutdown,
      .getsockopt = drill_getsockopt,
      .setsockopt = drill_setsockopt,
      .poll = drill_poll,
      .netdev_send = drill_netdev_send,
      .netdev_receive = drill_netdev_receive,
      .usleep = drill_usleep,
      .gettimeofday = drill_gettimeofday,
      .epoll_create = drill_epoll_create,
      .epoll_ctl = drill_epoll_ctl,
      .epoll_wait = drill_epoll_wait,
      .pipe = drill_pipe,
      .splice = drill_splice,
  };
}
