// A client written against SocketApi, and a network that loses every fifth packet.
#include <fakes/world/fake_world.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace {

// The code under test: sends the text and reads as much back.
netrig::Result<std::string> echo(netrig::SocketApi& sockets, const netrig::Endpoint& server,
                                 const std::string& text) {
  const auto socket = sockets.socket(AF_INET, SOCK_STREAM, 0);
  if (!socket) return netrig::fail_with(socket.error());
  if (auto done = sockets.connect(*socket, server); !done) return netrig::fail_with(done.error());
  if (auto sent = sockets.send(*socket, text, 0); !sent) return netrig::fail_with(sent.error());
  std::string answer;
  char buffer[1000];
  while (answer.size() < text.size()) {
    const auto got = sockets.recv(*socket, buffer, 0);
    if (!got || *got == 0) return netrig::fail_with(got ? netrig::Errno::eof() : got.error());
    answer.append(buffer, *got);
  }
  (void)sockets.close(*socket);
  return answer;
}

TEST(Echo, ComesBackWholeThroughANetworkThatLosesAFifth) {
  netrig::FakeWorldOptions options;
  options.hosts = {"client", "server"};
  options.links["client -> server"].loss = netrig::Probability{200'000};
  options.links["server -> client"].loss = netrig::Probability{200'000};
  options.seed = 3;
  auto world = std::move(*netrig::FakeWorld::make(std::move(options)));
  const netrig::Endpoint where(world->address("server", false), 7);
  world->loop().spawn("server", [&] {
    netrig::SocketApi& sockets = world->host("server");
    const auto listener = *sockets.socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(sockets.bind(listener, where));
    ASSERT_TRUE(sockets.listen(listener, 1));
    const auto connection = *sockets.accept(listener);
    char buffer[1000];
    while (const size_t got = *sockets.recv(connection.socket, buffer, 0)) {
      ASSERT_TRUE(sockets.send(connection.socket, {buffer, got}, 0));
    }
  });
  const std::string text(20'000, 'x');
  std::string answer;
  world->loop().spawn("client", [&] { answer = *echo(world->host("client"), where, text); });
  EXPECT_EQ(world->loop().run(), netrig::Loop::Ended::kFinished);
  EXPECT_EQ(answer, text);
}

}  // namespace
