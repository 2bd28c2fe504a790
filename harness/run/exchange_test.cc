// The exchange on a world of the test's own: hosts without sockets show what the interpreter does
// by itself: waiting, barriers, deadlocks, time.

#include "harness/run/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "harness/scenario/reader.h"
#include "harness/sockets/loop_testing.h"

namespace netrig {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Refuses every call with ENOSYS: these tests open no socket.
class NoSockets final : public SocketApi {
 public:
  Result<Socket> socket(int, int, int) override { return fail_with(ENOSYS); }
  Result<std::pair<Socket, Socket>> socketpair(int, int, int) override { return fail_with(ENOSYS); }
  Result<void> close(Socket) override { return fail_with(ENOSYS); }
  Result<void> set_nonblocking(Socket, bool) override { return fail_with(ENOSYS); }
  Result<void> bind(Socket, const Endpoint&) override { return fail_with(ENOSYS); }
  Result<void> listen(Socket, int) override { return fail_with(ENOSYS); }
  Result<Accepted> accept(Socket) override { return fail_with(ENOSYS); }
  Result<void> connect(Socket, const Endpoint&) override { return fail_with(ENOSYS); }
  Result<void> shutdown(Socket, int) override { return fail_with(ENOSYS); }
  Result<size_t> send(Socket, ByteView, int) override { return fail_with(ENOSYS); }
  Result<size_t> recv(Socket, std::span<char>, int) override { return fail_with(ENOSYS); }
  Result<size_t> sendto(Socket, ByteView, int, const Endpoint&) override {
    return fail_with(ENOSYS);
  }
  Result<ReceivedFrom> recvfrom(Socket, std::span<char>, int) override { return fail_with(ENOSYS); }
  Result<size_t> sendmsg(Socket, std::span<const ByteView>, int, const Endpoint*,
                         const ControlData&) override {
    return fail_with(ENOSYS);
  }
  Result<ReceivedMessage> recvmsg(Socket, std::span<const std::span<char>>, int) override {
    return fail_with(ENOSYS);
  }
  Result<int64_t> getsockopt(Socket, int, int) override { return fail_with(ENOSYS); }
  Result<void> setsockopt(Socket, int, int, int64_t) override { return fail_with(ENOSYS); }
  Result<void> set_linger(Socket, LingerOption) override { return fail_with(ENOSYS); }
  Result<LingerOption> get_linger(Socket) override { return fail_with(ENOSYS); }
  Result<Bytes> getsockopt_bytes(Socket, int, int, size_t) override { return fail_with(ENOSYS); }
  Result<void> setsockopt_bytes(Socket, int, int, ByteView) override { return fail_with(ENOSYS); }
  Result<Credentials> peer_credentials(Socket) override { return fail_with(ENOSYS); }
  Result<Endpoint> getsockname(Socket) override { return fail_with(ENOSYS); }
  Result<Endpoint> getpeername(Socket) override { return fail_with(ENOSYS); }
  Result<size_t> readable_octets(Socket) override { return fail_with(ENOSYS); }
  Result<int> poll(std::span<PollEntry>, Duration) override { return fail_with(ENOSYS); }
};

class EmptyWorld final : public World {
 public:
  Loop& loop() override { return loop_; }
  SocketApi& host(std::string_view) override { return sockets_; }
  IpAddress address(std::string_view, bool v6) const override {
    return v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  }
  const std::string& tmp() const override { return tmp_; }
  bool wall_clock() const override { return false; }
  bool packets_under_way() const override { return false; }
  WorldReport finish() override { return {}; }

 private:
  NoSockets sockets_;
  std::string tmp_ = "/tmp";
  TestLoop loop_;
};

struct Played {
  Exchange::Outcome outcome;
  Instant ended_at;
  std::vector<std::string> order;  // "actor path" of each step that ended
};

Played play(const std::string& actors, Duration timeout = 60s) {
  const ReadResult read =
      read_scenario_text(R"({ "name": "test", "actors": )" + actors + " }", "test.json");
  for (const Diagnostic& mistake : read.mistakes) ADD_FAILURE() << mistake.message;
  if (!read.scenario) return {};
  EmptyWorld world;
  Journal journal([&] { return world.loop().now(); }, nullptr);
  Played played;
  {
    Exchange exchange(*read.scenario, world, journal, 1, timeout);
    played.outcome = exchange.play();
  }
  played.ended_at = world.loop().now();
  for (const Event& event : journal.events()) {
    const auto* ended = std::get_if<StepEnded>(&event.what);
    if (ended != nullptr) played.order.push_back(ended->path);
  }
  return played;
}

TEST(Exchange, SleepsInVirtualTimeAndEndsWhenEveryActorHasEnded) {
  const Played played = play(
      R"({ "a": { "steps": [ { "sleep": "2s" } ] }, "b": { "steps": [ { "sleep": "3s" } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(3s));
}

TEST(Exchange, ABarrierIsPassedTogetherByAllInstances) {
  const Played played = play(R"({
    "early": { "count": 3, "steps": [ { "barrier": "x" }, { "sleep": "1ms" } ] },
    "late": { "steps": [ { "sleep": "1s" }, { "barrier": "x" } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(1001ms));
  EXPECT_EQ(played.order.front(), "late.1");
}

TEST(Exchange, ADeadlockIsToldWithWhoWaitsForWhat) {
  const Played played = play(R"({
    "a": { "steps": [ { "barrier": "x" }, { "barrier": "y" } ] },
    "b": { "steps": [ { "barrier": "y" }, { "barrier": "x" } ] },
    "c": { "steps": [ { "sleep": "1s" } ] } })");
  ASSERT_EQ(played.outcome.findings.size(), 1U);
  const Diagnostic& told = played.outcome.findings[0].diagnostic;
  EXPECT_EQ(told.message, "everyone waits and nothing can come");
  EXPECT_THAT(told.details,
              ElementsAre(HasSubstr("a waits in barrier"), HasSubstr("b waits in barrier")));
  EXPECT_EQ(played.ended_at, Instant(1s));
}

TEST(Exchange, AnActorThatNamesABarrierTwiceIsExpectedThereOnceARound) {
  const Played played = play(R"({
    "a": { "steps": [ { "barrier": "x" }, { "sleep": "1s" }, { "barrier": "x" } ] },
    "b": { "steps": [ { "repeat": 2, "steps": [ { "barrier": "x" } ] } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(1s));
}

TEST(Exchange, TheTimeLimitEndsARunThatGoesOn) {
  const Played played = play(
      R"({ "a": { "steps": [
        { "repeat": 1000, "every": "1s", "steps": [ { "sleep": "1ms" } ] } ] } })",
      5s);
  ASSERT_EQ(played.outcome.findings.size(), 1U);
  EXPECT_EQ(played.outcome.findings[0].diagnostic.message, "the run was not done after 5s");
  EXPECT_LE(played.ended_at, Instant(7s));
}

TEST(Exchange, RepeatKeepsItsPaceFromOneAnchor) {
  const Played played = play(
      R"({ "a": { "steps": [
        { "repeat": 10, "every": "100ms", "steps": [ { "sleep": "30ms" } ] } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(930ms));
}

TEST(Exchange, WithinEndsAStepWithTimeoutAndNotTheOnesBehindIt) {
  const Played played = play(R"({
    "a": { "steps": [ { "barrier": "x", "within": "1s", "error": "TIMEOUT" }, { "sleep": "1s" } ] },
    "b": { "steps": [ { "sleep": "5s" },
                      { "barrier": "x", "within": "1s", "error": "TIMEOUT" } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(6s));
  EXPECT_THAT(played.order, ElementsAre("a.1", "a.2", "b.1", "b.2"));
}

TEST(Exchange, TogetherTakesAsLongAsItsLongestBranch) {
  const Played played = play(R"({ "a": { "steps": [
    { "together": [ [ { "sleep": "1s" }, { "sleep": "1s" } ], [ { "sleep": "500ms" } ] ] },
    { "sleep": "1s" } ] } })");
  EXPECT_TRUE(played.outcome.findings.empty());
  EXPECT_EQ(played.ended_at, Instant(3s));
  EXPECT_THAT(played.order, ElementsAre("a.1.2.1", "a.1.1.1", "a.1.1.2", "a.2"));
}

TEST(Exchange, AnErrorThatNobodyExpectedIsAFindingAtItsStep) {
  const Played played = play(R"({ "a": { "steps": [ { "socket": "tcp" } ] } })");
  ASSERT_EQ(played.outcome.findings.size(), 1U);
  EXPECT_THAT(played.outcome.findings[0].diagnostic.message, HasSubstr("socket of a got ENOSYS"));
  EXPECT_EQ(played.outcome.findings[0].step, "a.1");
}

TEST(Exchange, AnErrorThatWasExpectedAndAnotherThatCameAreBothTold) {
  EXPECT_TRUE(play(R"({ "a": { "steps": [ { "socket": "tcp", "error": "ENOSYS" } ] } })")
                  .outcome.findings.empty());
  const Played other =
      play(R"({ "a": { "steps": [ { "socket": "tcp", "error": ["EACCES", "EPERM"] } ] } })");
  ASSERT_EQ(other.outcome.findings.size(), 1U);
  EXPECT_THAT(other.outcome.findings[0].diagnostic.message,
              HasSubstr("was to get EACCES or EPERM, got ENOSYS"));
}

}  // namespace
}  // namespace netrig
