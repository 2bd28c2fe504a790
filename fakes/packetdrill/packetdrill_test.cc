// Loads the shared object as packetdrill does and plays what its scripts play: calls and packets at
// given times.

#include "fakes/packetdrill/packetdrill.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <thread>

#include "fakes/tcp/segment.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

class PacketDrill : public ::testing::Test {
 protected:
  PacketDrill() {
    // RTLD_DEEPBIND, as packetdrill has it, does not go with AddressSanitizer.
    library_ = ::dlopen(NETRIG_PACKETDRILL, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
      ADD_FAILURE() << ::dlerror();
      return;
    }
    const auto init = reinterpret_cast<decltype(&packetdrill_interface_init)>(
        ::dlsym(library_, "packetdrill_interface_init"));
    init("", &ifc_);
  }
  ~PacketDrill() override { ifc_.free(ifc_.userdata); }

  void* data() { return ifc_.userdata; }
  int listening(uint16_t port) {
    const int fd = ifc_.socket(data(), AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    EXPECT_EQ(ifc_.bind(data(), fd, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(ifc_.listen(data(), fd, 1), 0);
    return fd;
  }
  // A packet of the script, from 192.0.2.1:port.
  void inject(uint8_t flags, uint32_t seq, uint32_t ack, const Bytes& payload = "",
              const Bytes& options = "") {
    Packet packet;
    packet.ip.source = *IpAddress::parse("192.0.2.1");
    packet.ip.destination = *IpAddress::parse("192.168.0.1");
    packet.tcp = TcpHeader{40000, port_, seq, ack, flags, 32792, 0, options};
    packet.payload = payload;
    const Bytes octets = encode_packet(packet);
    EXPECT_EQ(ifc_.netdev_send(data(), octets.data(), octets.size()), 0);
  }
  Packet receive(int64_t* time_us = nullptr) {
    char buffer[2000];
    size_t size = sizeof buffer;
    long long time = 0;
    EXPECT_EQ(ifc_.netdev_receive(data(), buffer, &size, &time), 0);
    if (time_us != nullptr) *time_us = time;
    auto packet = decode_packet({buffer, size});
    EXPECT_TRUE(packet.has_value());
    EXPECT_TRUE(packet->transport_checksum_ok);
    return *packet;
  }
  // 0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>; the rest of the handshake.
  int accepted(int listener) {
    inject(kTcpSyn, 0, 0, "", Bytes("\x02\x04\x03\xe8\x04\x02\x01\x01\x01\x03\x03\x07", 12));
    const Packet synack = receive();
    EXPECT_EQ(synack.tcp->flags, kTcpSyn | kTcpAck);
    EXPECT_EQ(synack.tcp->acknowledgement, 1u);
    iss_ = synack.tcp->sequence;
    inject(kTcpAck, 1, iss_ + 1);
    return ifc_.accept(data(), listener, nullptr, nullptr);
  }
  int64_t now() {
    timeval time{};
    EXPECT_EQ(ifc_.gettimeofday(data(), &time, nullptr), 0);
    return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
  }

  void* library_ = nullptr;
  PacketdrillInterface ifc_{};
  uint16_t port_ = 8080;
  uint32_t iss_ = 0;
};

TEST_F(PacketDrill, AScriptOpensAConnectionAndGetsItsData) {
  const int fd = accepted(listening(8080));
  ASSERT_GE(fd, 0);
  inject(kTcpAck | kTcpPsh, 1, iss_ + 1, "hello");
  EXPECT_EQ(receive().tcp->acknowledgement, 6u);
  char buffer[10];
  EXPECT_EQ(ifc_.read(data(), fd, buffer, sizeof buffer), 5);
  EXPECT_EQ(ifc_.write(data(), fd, "answer", 6), 6);
  const Packet answer = receive();
  EXPECT_EQ(answer.payload, "answer");
  EXPECT_EQ(answer.tcp->sequence, iss_ + 1);
}

// RFC 6298 with Linux's floor of 200 ms; a tail loss probe comes first.
TEST_F(PacketDrill, UnacknowledgedDataIsSentAgainInVirtualTime) {
  const int fd = accepted(listening(8080));
  const int64_t begin = now();
  EXPECT_EQ(ifc_.write(data(), fd, "lost", 4), 4);
  int64_t first = 0, second = 0, third = 0;
  EXPECT_EQ(receive(&first).payload, "lost");
  EXPECT_EQ(receive(&second).payload, "lost");
  EXPECT_EQ(receive(&third).payload, "lost");
  EXPECT_LT(first - begin, 10);
  EXPECT_GT(second, first);
  EXPECT_GE(third - first, 200'000);
  EXPECT_LT(third - first, 700'000);
}

TEST_F(PacketDrill, ABlockingCallOnASecondThreadReturnsWhenItsPacketCame) {
  const int fd = accepted(listening(8080));
  char buffer[10];
  ssize_t got = 0;
  ASSERT_GE(fd, 0);
  std::thread blocking([&] { got = ifc_.read(data(), fd, buffer, sizeof buffer); });
  ifc_.usleep(data(), 1000);
  inject(kTcpAck | kTcpPsh, 1, iss_ + 1, "late");
  ifc_.usleep(data(), 1000);
  blocking.join();
  EXPECT_EQ(got, 4);
}

TEST_F(PacketDrill, ABlockingConnectEndsWithTheSynAck) {
  const int fd = ifc_.socket(data(), AF_INET, SOCK_STREAM, 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(80);
  there.sin_addr.s_addr = htonl(0xc0000201);
  int result = -1;
  std::thread blocking([&] {
    result = ifc_.connect(data(), fd, reinterpret_cast<sockaddr*>(&there), sizeof there);
  });
  const Packet syn = receive();
  EXPECT_EQ(syn.tcp->flags, kTcpSyn);
  Packet answer;
  answer.ip.source = *IpAddress::parse("192.0.2.1");
  answer.ip.destination = *IpAddress::parse("192.168.0.1");
  answer.tcp = TcpHeader{
      80, syn.tcp->source_port,        100, syn.tcp->sequence + 1, kTcpSyn | kTcpAck, 65535,
      0,  Bytes("\x02\x04\x05\xb4", 4)};
  const Bytes octets = encode_packet(answer);
  EXPECT_EQ(ifc_.netdev_send(data(), octets.data(), octets.size()), 0);
  ifc_.usleep(data(), 10);
  blocking.join();
  EXPECT_EQ(result, 0);
  EXPECT_EQ(receive().tcp->flags, kTcpAck);
}

TEST_F(PacketDrill, NonblockingCallsAndErrorsAreTheKernels) {
  const int fd = listening(8080);
  EXPECT_EQ(ifc_.fcntl(data(), fd, F_SETFL, static_cast<long>(O_RDWR | O_NONBLOCK)), 0);
  EXPECT_EQ(ifc_.fcntl(data(), fd, F_GETFL, 0L), O_RDWR | O_NONBLOCK);
  EXPECT_EQ(ifc_.accept(data(), fd, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(ifc_.shutdown(data(), 77, SHUT_WR), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(PacketDrill, TheClockAdvancesByReadingIt) {
  const int64_t first = now();
  EXPECT_EQ(now(), first + 1);
  ifc_.usleep(data(), 1'000'000);
  EXPECT_EQ(now(), first + 1'000'002);
}

TEST_F(PacketDrill, WaitingForAPacketThatNeverComesEndsTheProgramWithAMessage) {
  listening(8080);
  char buffer[100];
  size_t size = sizeof buffer;
  long long time = 0;
  EXPECT_EXIT(ifc_.netdev_receive(data(), buffer, &size, &time), ::testing::ExitedWithCode(3),
              "the simulation is idle");
}

}  // namespace
}  // namespace netrig
