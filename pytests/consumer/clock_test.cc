// A plain POSIX program on a simulated host: its calls are served there, its seconds are virtual.
#include "ask.h"

#include <fakes/posix/posix.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

int serve_once() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(7000);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  char question[16];
  socklen_t length = sizeof address;
  recvfrom(fd, question, sizeof question, 0, reinterpret_cast<sockaddr*>(&address), &length);
  sendto(fd, "!", 1, 0, reinterpret_cast<sockaddr*>(&address), length);
  return close(fd);
}

TEST(Ask, AsksAgainWhenTheFirstTwoQuestionsAreLost) {
  netrig::FakeWorldOptions options;
  options.hosts = {"client", "server"};
  options.links["client -> server"].rules.push_back(
      {.match = netrig::Transport::kUdp, .nth = {1, 2}, .action = netrig::LinkRule::Action::kDrop});
  auto world = std::move(*netrig::FakeWorld::make(std::move(options)));
  int asked = 0;
  int served = -1;
  {
    netrig::PosixPrograms programs(*world);
    programs.start("server", "server", [&] { served = serve_once(); });
    programs.start("client", "client", [&] { asked = ask("server", "7000", 5); });
    EXPECT_EQ(programs.run(), netrig::Loop::Ended::kFinished);
  }
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(served, 0);
  EXPECT_GE(world->loop().now(), netrig::Instant(std::chrono::seconds(2)));
}

}  // namespace
