// A worked example: a client written against SocketApi in blocking style, tested against a scripted
// server, through a network that loses packets, in virtual time.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "fakes/world/fake_world.h"

namespace netrig {
namespace {

// ---- the code under test: asks over TCP, and gives up on a server that is silent too long.
Result<std::string> fetch(SocketApi& sockets, const Endpoint& server, const std::string& name,
                          Duration patience) {
  const auto socket = sockets.socket(AF_INET, SOCK_STREAM, 0);
  if (!socket) return fail_with(socket.error());
  const auto give_up = [&](Errno error) {
    (void)sockets.close(*socket);
    return fail_with(error);
  };
  if (auto done = sockets.connect(*socket, server); !done) return give_up(done.error());
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  (void)sockets.setsockopt(*socket, SOL_SOCKET, SO_RCVTIMEO, micros);
  if (auto sent = sockets.send(*socket, "GET " + name + "\n", 0); !sent) {
    return give_up(sent.error());
  }
  std::string answer;
  char buffer[512];
  while (true) {
    const auto got = sockets.recv(*socket, buffer, 0);
    if (!got) return give_up(got.error());
    if (*got == 0) break;
    answer.append(buffer, *got);
  }
  (void)sockets.close(*socket);
  return answer;
}

// ---- the test's world: a client and a server, and what the network does between them.
class SocketApiExample : public ::testing::Test {
 protected:
  // Plays the client against `script`, which has the accepted connection.
  Result<std::string> play(LinkConfig to_server, LinkConfig to_client,
                           const std::function<void(SocketApi&, Socket)>& script) {
    FakeWorldOptions options;
    options.hosts = {"client", "server"};
    options.links["client -> server"] = std::move(to_server);
    options.links["server -> client"] = std::move(to_client);
    options.seed = 7;
    world_ = std::move(*FakeWorld::make(std::move(options)));
    SocketApi& server = world_->host("server");
    const Endpoint where(world_->address("server", false), 80);
    world_->loop().spawn("server", [&] {
      const Socket listener = *server.socket(AF_INET, SOCK_STREAM, 0);
      ASSERT_TRUE(server.bind(listener, where));
      ASSERT_TRUE(server.listen(listener, 1));
      const auto connection = server.accept(listener);
      ASSERT_TRUE(connection);
      script(server, connection->socket);
    });
    Result<std::string> answer = fail_with(EIO);
    world_->loop().spawn("client", [&] {
      answer = fetch(world_->host("client"), where, "page", 30s);
      took_ = world_->loop().now().time_since_epoch();
    });
    EXPECT_EQ(world_->loop().run(), Loop::Ended::kFinished);
    return answer;
  }
  static void answer_page(SocketApi& server, Socket socket) {
    char buffer[64];
    EXPECT_EQ(*server.recv(socket, buffer, 0), 9u);
    EXPECT_EQ(*server.send(socket, std::string(20'000, 'p'), 0), 20'000u);
    EXPECT_TRUE(server.close(socket));
  }

  std::unique_ptr<FakeWorld> world_;
  Duration took_{0};
};

TEST_F(SocketApiExample, TheWholePageComesThroughANetworkThatLosesATenth) {
  LinkConfig lossy;
  lossy.delay = {20ms, 20ms};
  lossy.loss = Probability{100'000};
  const auto answer = play(lossy, lossy, answer_page);
  ASSERT_TRUE(answer) << answer.error().name();
  EXPECT_EQ(answer->size(), 20'000u);
  EXPECT_GT(took_, 100ms) << "virtual time: something was sent again";
}

TEST_F(SocketApiExample, ASilentServerIsGivenUpAfterThirtySecondsOfVirtualTime) {
  const auto answer =
      play({}, {}, [this](SocketApi&, Socket) { world_->loop().sleep_until(Instant(120s)); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Errno(EAGAIN));
  EXPECT_EQ(took_, 30s);
}

TEST_F(SocketApiExample, AResetInTheMiddleOfThePageIsTold) {
  const auto answer = play({}, {}, [](SocketApi& server, Socket socket) {
    char buffer[4];
    EXPECT_EQ(*server.recv(socket, buffer, 0), 4u);  // the rest stays unread: close() resets
    EXPECT_TRUE(server.close(socket));
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Errno(ECONNRESET));
}

}  // namespace
}  // namespace netrig
