// Captures its own traffic on the loopback device of a network namespace that the test makes in a
// child process, because a test must not need root nor see anybody else's packets.

#include "harness/capture/live_capture.h"

#include <arpa/inet.h>
#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/capture/capture_testing.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

constexpr char kRefused[] = "refused: ";

bool raise_loopback() {
  const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
  request.ifr_flags = IFF_UP;
  return ::ioctl(control.get(), SIOCSIFFLAGS, &request) == 0;
}

// What `body` answers in a child process with a network namespace of its own; "refused: ..." if the
// machine gives none.
std::string in_own_network(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string answer;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      answer = kRefused + Errno(errno).text();
    } else {
      answer = raise_loopback() ? body() : "lo does not come up";
    }
    const ssize_t written = ::write(ends[1], answer.data(), answer.size());
    ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string answer;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], part, sizeof(part))) > 0;) {
    answer.append(part, static_cast<size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return answer;
}

class Datagrams {
 public:
  Datagrams() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.sin_port = htons(7777);
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address_), sizeof(address_));
  }
  void send(const std::string& payload) {
    ::sendto(socket_.get(), payload.data(), payload.size(), 0,
             reinterpret_cast<sockaddr*>(&address_), sizeof(address_));
  }

 private:
  Fd socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address_{};
};

std::string capture_three_datagrams() {
  auto capture = LiveCapture::open("lo");
  if (!capture) return capture.error();
  Datagrams datagrams;
  size_t early = capture->drain([](CapturedPacket&&) {});
  for (const char* payload : {"one", "two", "three"}) datagrams.send(payload);
  pollfd readable{.fd = capture->descriptor(), .events = POLLIN, .revents = 0};
  std::string told = ::poll(&readable, 1, 2000) == 1 ? "readable" : "not readable";
  size_t count = 0;
  bool nanoseconds = false;
  int64_t last = 0;
  bool ordered = true;
  LiveCapture moved = std::move(*capture);
  const size_t handed = moved.drain([&](CapturedPacket&& packet) {
    const auto decoded = decode_packet(packet.data);
    told += decoded && decoded->udp ? " " + decoded->payload : " (not UDP)";
    if (packet.original_length != packet.data.size()) told += " (length)";
    nanoseconds = nanoseconds || packet.time_ns % 1000 != 0;
    ordered = ordered && packet.time_ns >= last && packet.time_ns > 1'600'000'000'000'000'000;
    last = packet.time_ns;
    ++count;
  });
  if (early != 0 || handed != count || !nanoseconds || !ordered) told += " (count or time)";
  const LiveCaptureDrops drops = moved.drops();
  return told + ", " + std::to_string(drops.received) + " received, " +
         std::to_string(drops.dropped) + " dropped" + moved.error();
}

TEST(LiveCapture, HandsOverEveryPacketOnceAndStripped) {
  const std::string told = in_own_network(capture_three_datagrams);
  if (told.starts_with(kRefused)) GTEST_SKIP() << "user and network namespaces are " << told;
  EXPECT_EQ(told, "readable one two three, 3 received, 0 dropped");
}

TEST(LiveCapture, CutsPacketsAtTheSnapLengthAndTellsTheOriginalLength) {
  const std::string told = in_own_network([]() -> std::string {
    auto capture = LiveCapture::open("lo", {.ring_bytes = 1 << 20, .snap_length = 100});
    if (!capture) return capture.error();
    Datagrams().send(std::string(500, 'x'));
    std::string sizes;
    capture->drain([&](CapturedPacket&& packet) {
      sizes = std::to_string(packet.data.size()) + " of " + std::to_string(packet.original_length);
    });
    return sizes;
  });
  if (told.starts_with(kRefused)) GTEST_SKIP() << "user and network namespaces are " << told;
  EXPECT_EQ(told, "86 of 528");  // 100 less Ethernet's 14; 500 and the headers of IP and UDP
}

TEST(LiveCapture, CountsWhatTheKernelDropped) {
  const std::string told = in_own_network([]() -> std::string {
    auto capture = LiveCapture::open("lo", {.ring_bytes = 64 << 10, .snap_length = 2048});
    if (!capture) return capture.error();
    Datagrams datagrams;
    for (int i = 0; i < 5000; ++i) datagrams.send("x");
    const size_t handed = capture->drain([](CapturedPacket&&) {});
    const LiveCaptureDrops drops = capture->drops();
    return handed + drops.dropped == 5000 && drops.dropped > 0
               ? "all told"
               : std::to_string(handed) + " and " + std::to_string(drops.dropped);
  });
  if (told.starts_with(kRefused)) GTEST_SKIP() << "user and network namespaces are " << told;
  EXPECT_EQ(told, "all told");
}

TEST(LiveCapture, NamesADeviceThatDoesNotExist) {
  const std::string told = in_own_network([]() -> std::string {
    auto capture = LiveCapture::open("nothere0");
    return capture ? "opened" : capture.error();
  });
  if (told.starts_with(kRefused)) GTEST_SKIP() << "user and network namespaces are " << told;
  EXPECT_EQ(told.substr(0, 10), "nothere0: ");
  EXPECT_NE(told.find("No such device"), std::string::npos) << told;
}

TEST(LiveCapture, CapturesATunDeviceAndTellsWhenItGoesAway) {
  const std::string told = in_own_network([]() -> std::string {
    Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tun) return kRefused + Errno(errno).text();
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof(request.ifr_name), "tun0");
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) return kRefused + Errno(errno).text();
    const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    request.ifr_flags = IFF_UP;
    if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) return "tun0 does not come up";
    auto capture = LiveCapture::open("tun0");
    if (!capture) return capture.error();
    const Bytes packet = testing::udp_octets("hello");
    const ssize_t written = ::write(tun.get(), packet.data(), packet.size());
    std::string seen = written > 0 ? "" : "not written";
    capture->drain([&](CapturedPacket&& got) {  // IPv6's own neighbour discovery is there too
      if (got.data == packet) seen += "hello, ";
    });
    tun.reset();
    capture->drain([](CapturedPacket&&) {});
    return seen + capture->error();
  });
  if (told.starts_with(kRefused)) GTEST_SKIP() << "namespaces or TUN are " << told;
  EXPECT_EQ(told, "hello, The interface disappeared");
}

}  // namespace
}  // namespace netrig
