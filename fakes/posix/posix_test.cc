// What netrig_posix serves, call by call. This file is written as POSIX programs are, and linked as
// theirs: the calls below are the wrapped ones.

#include "fakes/posix/posix.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace netrig {
namespace {

class Posix : public ::testing::Test {
 protected:
  Posix() {
    FakeWorldOptions options;
    options.hosts = {"client", "server"};
    options.links["client -> server"].delay = {10ms, 10ms};
    options.links["server -> client"].delay = {10ms, 10ms};
    world_ = std::move(*FakeWorld::make(std::move(options)));
    programs_.emplace(*world_);
  }
  void program(const std::string& host, std::function<void()> body) {
    programs_->start(host, host, std::move(body));
  }
  void run() { EXPECT_EQ(programs_->run(), Loop::Ended::kFinished); }

  static sockaddr_in server_address(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::inet_addr("10.0.0.2");
    address.sin_port = ::htons(port);
    return address;
  }
  static int connected(uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in to = server_address(port);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  static int listening(uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in here = server_address(port);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(::listen(fd, 5), 0);
    return fd;
  }
  // An echo server for one connection.
  void echo(uint16_t port) {
    program("server", [port] {
      const int listener = listening(port);
      const int fd = ::accept(listener, nullptr, nullptr);
      char buffer[100];
      for (ssize_t got = ::read(fd, buffer, sizeof buffer); got > 0;
           got = ::read(fd, buffer, sizeof buffer)) {
        EXPECT_EQ(::write(fd, buffer, static_cast<size_t>(got)), got);
      }
      EXPECT_EQ(::close(fd), 0);
      EXPECT_EQ(::close(listener), 0);
    });
  }

  std::unique_ptr<FakeWorld> world_;
  std::optional<PosixPrograms> programs_;
};

TEST_F(Posix, StreamsGoThroughTheSimulatedNetwork) {
  echo(80);
  program("client", [] {
    const int fd = connected(80);
    EXPECT_EQ(::write(fd, "hello", 5), 5);
    char buffer[10];
    EXPECT_EQ(::recv(fd, buffer, sizeof buffer, 0), 5);
    EXPECT_EQ(std::string(buffer, 5), "hello");
    EXPECT_EQ(::close(fd), 0);
    EXPECT_EQ(::close(fd), -1);
    EXPECT_EQ(errno, EBADF);
  });
  run();
  EXPECT_GE(world_->loop().now(), Instant(40ms));
}

TEST_F(Posix, ErrorsComeInErrno) {
  program("client", [] {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in to = server_address(81);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), 4), -1);
    EXPECT_EQ(errno, EINVAL);
    char octet;
    EXPECT_EQ(::recv(fd, &octet, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, ENOTCONN);
    ::close(fd);
  });
  run();
}

TEST_F(Posix, NonblockingConnectIsFinishedByPollAndSoError) {
  echo(80);
  program("client", [] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    const sockaddr_in to = server_address(80);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    pollfd entry{fd, POLLOUT, 0};
    EXPECT_EQ(::poll(&entry, 1, 5), 0);
    EXPECT_EQ(::poll(&entry, 1, -1), 1);
    int error = -1;
    socklen_t length = sizeof error;
    EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    EXPECT_EQ(error, 0);
    char octet;
    EXPECT_EQ(::read(fd, &octet, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(::fcntl(fd, F_SETFL, 0), 0);
    ::close(fd);
  });
  run();
}

TEST_F(Posix, SelectFindsTheReadableOneAndTellsWhatIsLeftOfTheTime) {
  program("server", [] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    const sockaddr_in here = server_address(53);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    timeval longest{1, 0};
    EXPECT_EQ(::select(fd + 1, &readable, nullptr, nullptr, &longest), 1);
    EXPECT_TRUE(FD_ISSET(fd, &readable));
    EXPECT_EQ(longest.tv_sec, 0);
    EXPECT_EQ(longest.tv_usec, 990'000);
    int waiting = 0;
    EXPECT_EQ(::ioctl(fd, FIONREAD, &waiting), 0);
    EXPECT_EQ(waiting, 3);
    ::close(fd);
  });
  program("client", [] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    const sockaddr_in to = server_address(53);
    EXPECT_EQ(::sendto(fd, "abc", 3, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 3);
    ::close(fd);
  });
  run();
}

TEST_F(Posix, EpollTellsEdgesOnceAndLevelsAlways) {
  program("client", [] {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const int epoll = ::epoll_create1(0);
    epoll_event interest{EPOLLIN | EPOLLET, {.fd = ends[0]}};
    EXPECT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &interest), 0);
    EXPECT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &interest), -1);
    EXPECT_EQ(errno, EEXIST);
    epoll_event events[4];
    EXPECT_EQ(::epoll_wait(epoll, events, 4, 10), 0);
    EXPECT_EQ(::send(ends[1], "x", 1, 0), 1);
    EXPECT_EQ(::epoll_wait(epoll, events, 4, -1), 1);
    EXPECT_EQ(events[0].data.fd, ends[0]);
    EXPECT_EQ(::epoll_wait(epoll, events, 4, 10), 0) << "the edge was told";
    interest.events = EPOLLIN;
    EXPECT_EQ(::epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &interest), 0);
    EXPECT_EQ(::epoll_wait(epoll, events, 4, 10), 1);
    EXPECT_EQ(::epoll_wait(epoll, events, 4, 10), 1);
    ::close(ends[0]);
    EXPECT_EQ(::epoll_wait(epoll, events, 4, 0), 0) << "closed ones are forgotten";
    ::close(ends[1]);
    ::close(epoll);
  });
  run();
}

TEST_F(Posix, TimeIsVirtualAndReadingItTakesAMicrosecond) {
  program("client", [] {
    timespec before{};
    ::clock_gettime(CLOCK_MONOTONIC, &before);
    const timespec hour{3600, 0};
    EXPECT_EQ(::nanosleep(&hour, nullptr), 0);
    timespec after{};
    ::clock_gettime(CLOCK_MONOTONIC, &after);
    EXPECT_EQ(after.tv_sec - before.tv_sec, 3600);
    EXPECT_EQ(after.tv_nsec - before.tv_nsec, 1000);
    const time_t start = ::time(nullptr);
    EXPECT_EQ(start, 946684800 + 3600);
    while (::time(nullptr) == start) ::usleep(100'000);  // ends
  });
  run();
}

TEST_F(Posix, GetaddrinfoKnowsTheHostsOfTheWorld) {
  program("client", [] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    ASSERT_EQ(::getaddrinfo("server", "http", &hints, &list), 0);
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(list->ai_addr);
    EXPECT_EQ(::ntohl(v4->sin_addr.s_addr), 0x0a000002u);
    EXPECT_EQ(::ntohs(v4->sin_port), 80);
    ASSERT_NE(list->ai_next, nullptr);
    EXPECT_EQ(list->ai_next->ai_family, AF_INET6);
    ::freeaddrinfo(list);
    EXPECT_EQ(::getaddrinfo("nobody", "80", &hints, &list), EAI_NONAME);
    EXPECT_EQ(::getaddrinfo("server", "no-such-service", &hints, &list), EAI_SERVICE);
    char name[20];
    EXPECT_EQ(::gethostname(name, sizeof name), 0);
    EXPECT_STREQ(name, "client");
  });
  run();
}

TEST_F(Posix, OtherDescriptorsAndOtherCallersReachTheKernel) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  program("client", [&] {
    EXPECT_EQ(::write(pipe_ends[1], "kernel", 6), 6);
    pollfd entries[2] = {{pipe_ends[0], POLLIN, 0}, {pipe_ends[1], POLLOUT, 0}};
    EXPECT_EQ(::poll(entries, 2, -1), 2);
  });
  run();
  char buffer[10];
  EXPECT_EQ(::read(pipe_ends[0], buffer, sizeof buffer), 6);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  const int outside = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_GE(outside, 0);
  int type = 0;
  socklen_t length = sizeof type;
  EXPECT_EQ(::getsockopt(outside, SOL_SOCKET, SO_TYPE, &type, &length), 0);
  EXPECT_EQ(type, SOCK_STREAM);
  EXPECT_EQ(::close(outside), 0);
}

TEST_F(Posix, GatherScatterDuplicatesAndPassedDescriptorsWork) {
  program("client", [] {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    iovec parts[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cde"), 3}};
    EXPECT_EQ(::writev(ends[0], parts, 2), 5);
    char first[2], second[9];
    iovec room[2] = {{first, sizeof first}, {second, sizeof second}};
    EXPECT_EQ(::readv(ends[1], room, 2), 5);
    EXPECT_EQ(std::string(second, 3), "cde");

    const int copy = ::dup(ends[0]);
    ASSERT_GE(copy, 0);
    EXPECT_EQ(::close(ends[0]), 0);
    EXPECT_EQ(::send(copy, "still", 5, 0), 5);
    char buffer[10];
    EXPECT_EQ(::recv(ends[1], buffer, sizeof buffer, 0), 5);
    EXPECT_EQ(::close(copy), 0);
    EXPECT_EQ(::recv(ends[1], buffer, sizeof buffer, 0), 0);
    ::close(ends[1]);
  });
  run();
}

TEST_F(Posix, WhatAProgramLeavesOpenIsClosedInTheEnd) {
  int left = -1;
  program("client", [&] { left = ::socket(AF_INET, SOCK_DGRAM, 0); });
  run();
  ASSERT_GE(left, 0);
  programs_.reset();
  EXPECT_EQ(::fcntl(left, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace netrig
