#include "fakes/world/fake_world.h"

#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "harness/capture/capture_reader.h"
#include "harness/capture/capture_testing.h"
#include "harness/net/packet.h"

namespace netrig {
namespace {

Instant at(Duration since_start) {
  return Instant{since_start};
}

struct Observed final : LinkObserver {
  void on_fate(const FateRecord& record) override { fates.push_back(record); }
  void on_arrival(const ArrivalRecord& record) override { arrivals.push_back(record); }
  std::vector<FateRecord> fates;
  std::vector<ArrivalRecord> arrivals;
};

FakeWorldOptions client_and_server() {
  FakeWorldOptions options;
  options.hosts = {"client", "server"};
  return options;
}

FakeWorldOptions with_delay(Duration delay) {
  FakeWorldOptions options = client_and_server();
  LinkConfig config;
  config.delay = {delay, delay};
  options.links = {{"client -> server", config}, {"server -> client", config}};
  return options;
}

// A server on port 53 that answers `answers` datagrams with their own octets.
void spawn_echo(FakeWorld& world, int answers) {
  world.loop().spawn("server", [&world, answers] {
    SocketApi& api = world.host("server");
    const Socket socket = *api.socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_TRUE(api.bind(socket, Endpoint(world.address("server", false), 53)));
    Bytes buffer(2000, '\0');
    for (int i = 0; i < answers; ++i) {
      const auto got = api.recvfrom(socket, buffer, 0);
      if (!got) return;
      world.loop().set_activity("server step 1 (send)");
      ASSERT_TRUE(api.sendto(socket, ByteView(buffer).substr(0, got->size), 0, got->from));
    }
  });
}

void spawn_client(FakeWorld& world, const std::vector<std::string>& messages,
                  std::vector<std::string>& answers) {
  world.loop().spawn("client", [&world, messages, &answers] {
    SocketApi& api = world.host("client");
    const Socket socket = *api.socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_TRUE(api.connect(socket, Endpoint(world.address("server", false), 53)));
    Bytes buffer(2000, '\0');
    for (const std::string& message : messages) {
      world.loop().set_activity("client step 1 (send)");
      ASSERT_TRUE(api.send(socket, message, 0));
      const auto got = api.recv(socket, buffer, 0);
      ASSERT_TRUE(got);
      answers.push_back(buffer.substr(0, *got));
    }
  });
}

TEST(FakeWorld, NeedsAHostAndAnAbsoluteFolder) {
  EXPECT_FALSE(FakeWorld::make({}));
  FakeWorldOptions options = client_and_server();
  options.tmp = "relative";
  EXPECT_FALSE(FakeWorld::make(std::move(options)));
}

TEST(FakeWorld, CarriesADatagramAndItsAnswerInVirtualTime) {
  FakeWorldOptions options = with_delay(20ms);
  Observed observed;
  options.observer = &observed;
  auto world = *FakeWorld::make(std::move(options));
  std::vector<std::string> answers;
  spawn_echo(*world, 1);
  spawn_client(*world, {"ping"}, answers);
  EXPECT_EQ(world->loop().run(), Loop::Ended::kFinished);
  EXPECT_EQ(answers, std::vector<std::string>{"ping"});
  EXPECT_EQ(world->loop().now(), at(40ms));
  EXPECT_FALSE(world->packets_under_way());
  ASSERT_EQ(observed.fates.size(), 2u);
  EXPECT_EQ(observed.fates[0].packet.flow, "udp|server:53|1");
  EXPECT_EQ(observed.fates[1].packet.direction, "server -> client");
  EXPECT_EQ(observed.fates[1].packet.flow, "udp|server:53|1");
  ASSERT_EQ(observed.arrivals.size(), 2u);
  EXPECT_EQ(observed.arrivals[0].arrived_at, at(20ms));

  WorldReport report = world->finish();
  EXPECT_EQ(report.counters["datagrams_sent"], 2);
  EXPECT_EQ(report.counters["datagrams_dropped"], 0);
  EXPECT_EQ(report.counters["packets_delivered"], 2);
  EXPECT_EQ(report.counters["virtual_time_us"], 40'000);
  EXPECT_EQ(report.fingerprints.size(), 4u);
  EXPECT_TRUE(report.invalid.empty());
}

TEST(FakeWorld, KnowsThatNothingCanHappenAnyMore) {
  auto world = *FakeWorld::make(client_and_server());
  spawn_echo(*world, 1);
  EXPECT_EQ(world->loop().run(), Loop::Ended::kStuck);
}

TEST(FakeWorld, TellsOfDatagramsThatNobodyRead) {
  FakeWorldOptions options = client_and_server();
  Observed observed;
  options.observer = &observed;
  auto world = *FakeWorld::make(std::move(options));
  SocketApi& server = world->host("server");
  SocketApi& client = world->host("client");
  const Socket receiver = *server.socket(AF_INET, SOCK_DGRAM, 0);
  const Endpoint place(world->address("server", false), 53);
  ASSERT_TRUE(server.bind(receiver, place));
  const Socket sender = *client.socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_TRUE(client.sendto(sender, "unread", 0, place));
  EXPECT_TRUE(observed.arrivals.empty());
  static_cast<void>(world->finish());
  ASSERT_EQ(observed.arrivals.size(), 1u);
  EXPECT_FALSE(observed.arrivals[0].read);
}

// The capture of one exchange over a link with chance in it, and what the world says of it.
struct Outcome {
  Bytes capture;
  WorldReport report;
};
Outcome exchange(uint64_t seed) {
  testing::TemporaryFile file;
  FakeWorldOptions options = with_delay(10ms);
  options.links.at("client -> server").delay.high = 30ms;
  options.seed = seed;
  options.capture.emplace(file.take(), "netrig");
  auto world = *FakeWorld::make(std::move(options));
  std::vector<std::string> answers;
  spawn_echo(*world, 3);
  spawn_client(*world, {"one", "two", "three"}, answers);
  EXPECT_EQ(world->loop().run(), Loop::Ended::kFinished);
  Outcome outcome;
  outcome.report = world->finish();
  outcome.capture = file.read();
  return outcome;
}

TEST(FakeWorld, IsTheSameToTheOctetForTheSameSeed) {
  const Outcome first = exchange(7), again = exchange(7), other = exchange(8);
  EXPECT_EQ(first.capture, again.capture);
  EXPECT_EQ(first.report.counters, again.report.counters);
  EXPECT_EQ(first.report.fingerprints, again.report.fingerprints);
  EXPECT_NE(first.report.fingerprints.at("time"), other.report.fingerprints.at("time"));
  EXPECT_EQ(first.report.fingerprints.at("payload"), other.report.fingerprints.at("payload"));
}

TEST(FakeWorld, CapturesWhoSentWhat) {
  const Outcome outcome = exchange(7);
  const auto recording = parse_capture(outcome.capture);
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->packets.size(), 6u);
  EXPECT_EQ(outcome.report.counters.at("packets_captured"), 6);
  EXPECT_TRUE(recording->packets[0].comment.starts_with("client step 1 (send); delayed "));
  EXPECT_EQ(recording->packets[1].comment, "server step 1 (send); delayed 10ms");
  EXPECT_EQ(decode_packet(recording->packets[5].data)->payload, "three");
}

}  // namespace
}  // namespace netrig
