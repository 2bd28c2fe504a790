// Octets as a sequence of socket calls on two hosts: whatever is called in whatever order, nothing
// crashes, nothing waits for ever, and memory stays bounded. Every call has a deadline in virtual
// time, and the links lose and delay some of what is sent.

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"

namespace netrig {
namespace {

constexpr size_t kCallsMax = 256;
constexpr size_t kSocketsMax = 32;
constexpr size_t kSendMax = 1 << 16;

class Octets {
 public:
  Octets(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  uint8_t next() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  template <typename T, size_t kCount>
  T pick(const std::array<T, kCount>& from) {
    return from[next() % kCount];
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

constexpr std::array<int, 4> kDomains{AF_INET, AF_INET6, AF_UNIX, AF_INET};
constexpr std::array<int, 4> kTypes{SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
constexpr std::array<int, 7> kFlags{0,         MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL,
                                    MSG_TRUNC, MSG_OOB,  MSG_MORE};
constexpr std::array<std::pair<int, int>, 20> kOptions{
    {{SOL_SOCKET, SO_REUSEADDR},      {SOL_SOCKET, SO_REUSEPORT},
     {SOL_SOCKET, SO_RCVBUF},         {SOL_SOCKET, SO_SNDBUF},
     {SOL_SOCKET, SO_KEEPALIVE},      {SOL_SOCKET, SO_ERROR},
     {SOL_SOCKET, SO_RCVLOWAT},       {SOL_SOCKET, SO_PASSCRED},
     {SOL_SOCKET, SO_RCVTIMEO},       {IPPROTO_TCP, TCP_NODELAY},
     {IPPROTO_TCP, TCP_CORK},         {IPPROTO_TCP, TCP_QUICKACK},
     {IPPROTO_TCP, TCP_MAXSEG},       {IPPROTO_TCP, TCP_USER_TIMEOUT},
     {IPPROTO_TCP, TCP_WINDOW_CLAMP}, {IPPROTO_TCP, TCP_CONGESTION},
     {IPPROTO_TCP, TCP_INFO},         {IPPROTO_IP, IP_RECVERR},
     {IPPROTO_IPV6, IPV6_V6ONLY},     {IPPROTO_UDP, 1}}};

class Calls {
 public:
  Calls(const uint8_t* data, size_t size)
      : octets_(data, size),
        network_(loop_, pool_, {.hosts = {"a", "b"}, .links = links(octets_.next())}),
        names_("/tmp"),
        hosts_{FakeHost(network_, names_, 0, FakeHostOptions{.handles_max = kSocketsMax}),
               FakeHost(network_, names_, 1, FakeHostOptions{.handles_max = kSocketsMax})} {}
  ~Calls() { loop_.destroy_fibers(); }

  void run() {
    loop_.spawn("calls", [this] {
      for (size_t i = 0; i < kCallsMax && !octets_.empty(); ++i) {
        const DeadlineScope scope(loop_, loop_.now() + 300ms);
        one();
      }
    });
    loop_.run();
    for (FakeHost& host : hosts_) host.close_all();
  }

 private:
  static std::map<std::string, LinkConfig> links(uint8_t octet) {
    LinkConfig config;
    if ((octet & 1) != 0) config.delay = {1ms, 5ms};
    if ((octet & 2) != 0) config.loss.ppm = 200'000;
    if ((octet & 4) != 0) config.duplicate.ppm = 200'000;
    if ((octet & 8) != 0) config.corrupt.ppm = 100'000;
    if ((octet & 16) != 0) config.reorder.ppm = 100'000;
    return {{"a -> b", config}, {"b -> a", config}};
  }
  Endpoint endpoint() {
    const uint8_t octet = octets_.next();
    const auto port = static_cast<uint16_t>(octet >> 5 == 7 ? 0 : 1000 + (octet >> 5));
    switch (octet % 8) {
      case 0:
        return Endpoint(network_.address(0, false), port);
      case 1:
        return Endpoint(network_.address(1, false), port);
      case 2:
        return Endpoint(network_.address(1, true), port);
      case 3:
        return Endpoint(IpAddress(), port);
      case 4:
        return Endpoint(IpAddress::v6({}), port);
      case 5:
        return Endpoint(IpAddress::v4(127, 0, 0, 1), port);
      case 6:
        return Endpoint::unix_abstract(std::to_string(port));
      default:
        return Endpoint(IpAddress::v4(192, 0, 2, 1), port);
    }
  }
  Socket socket() { return Socket{3 + octets_.next() % 12}; }
  void one();
  void transfer(FakeHost& host);
  void option(FakeHost& host);

  Octets octets_;
  FakeLoop loop_;
  BytePool pool_;
  Network network_;
  UnixNames names_;
  std::array<FakeHost, 2> hosts_;
  std::string buffer_ = std::string(kSendMax, 'x');
};

void Calls::transfer(FakeHost& host) {
  const Socket which = socket();
  const size_t size = size_t{1} << octets_.next() % 17;
  const int flags = octets_.pick(kFlags);
  const ByteView data = ByteView(buffer_).substr(0, size - 1);
  const std::span<char> room(buffer_.data(), size - 1);
  switch (octets_.next() % 6) {
    case 0:
      static_cast<void>(host.send(which, data, flags));
      break;
    case 1:
      static_cast<void>(host.sendto(which, data, flags, endpoint()));
      break;
    case 2: {
      ControlData control;
      control.rights.push_back(socket());
      static_cast<void>(host.sendmsg(which, {&data, 1}, flags, nullptr, control));
      break;
    }
    case 3:
      static_cast<void>(host.recvmsg(which, {&room, 1}, flags));
      break;
    default:
      static_cast<void>(host.recvfrom(which, room, flags));
  }
}

void Calls::option(FakeHost& host) {
  const Socket which = socket();
  const auto [level, name] = octets_.pick(kOptions);
  const uint8_t octet = octets_.next();
  switch (octet % 4) {
    case 0:
      static_cast<void>(host.getsockopt(which, level, name));
      break;
    case 1:
      static_cast<void>(host.getsockopt_bytes(which, level, name, octet));
      break;
    case 2:
      static_cast<void>(host.set_linger(which, {(octet & 4) != 0, octet >> 3}));
      break;
    default:
      static_cast<void>(host.setsockopt(which, level, name, int64_t{1} << octet % 32));
  }
}

void Calls::one() {
  const uint8_t octet = octets_.next();
  FakeHost& host = hosts_[octet & 1];
  switch (octet >> 1 & 15) {
    case 0:
    case 1: {
      const int domain = octets_.pick(kDomains);
      static_cast<void>(host.socket(domain, octets_.pick(kTypes), 0));
      break;
    }
    case 2:
      static_cast<void>(host.close(socket()));
      break;
    case 3: {
      const Socket which = socket();
      static_cast<void>(host.bind(which, endpoint()));
      break;
    }
    case 4: {
      const Socket which = socket();
      static_cast<void>(host.listen(which, octets_.next()));
      break;
    }
    case 5:
      static_cast<void>(host.accept(socket()));
      break;
    case 6: {
      const Socket which = socket();
      static_cast<void>(host.connect(which, endpoint()));
      break;
    }
    case 7: {
      const Socket which = socket();
      static_cast<void>(host.shutdown(which, octets_.next() % 4));
      break;
    }
    case 8: {
      const Socket which = socket();
      static_cast<void>(host.set_nonblocking(which, (octets_.next() & 1) != 0));
      break;
    }
    case 9: {
      std::array<PollEntry, 3> entries;
      for (PollEntry& entry : entries) entry = {socket(), POLLIN | POLLOUT | POLLRDHUP, 0};
      static_cast<void>(host.poll(entries, octets_.next() * 1ms));
      break;
    }
    case 10:
      option(host);
      break;
    case 11: {
      const Socket which = socket();
      static_cast<void>(host.getsockname(which));
      static_cast<void>(host.getpeername(which));
      static_cast<void>(host.readable_octets(which));
      break;
    }
    case 12:
      static_cast<void>(host.socketpair(AF_UNIX, octets_.pick(kTypes), 0));
      break;
    case 13:
      loop_.sleep_until(loop_.now() + octets_.next() * 10ms);
      break;
    default:
      transfer(host);
  }
}

}  // namespace
}  // namespace netrig

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  netrig::Calls calls(data, size);
  calls.run();
  return 0;
}
