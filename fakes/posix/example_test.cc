// A worked example: two programs written for plain POSIX (example/), unchanged, on simulated hosts.
// The client's retry logic has a defect that one lost packet of all shows: the reply to the one
// request that must not be carried out twice.

#include <gtest/gtest.h>
#include <set>

#include "fakes/posix/example/counter.h"
#include "fakes/posix/posix.h"

namespace netrig {
namespace {

struct Played {
  long total = 0;
  int client = -1;
  int server = -1;
  Instant end;
  std::map<std::string, uint64_t> fingerprints;
};

// Adds 5 to a new counter while the network drops the nth reply; 0: none.
Played play(uint64_t lost_reply, counter_retry retry) {
  FakeWorldOptions options;
  options.hosts = {"client", "server"};
  if (lost_reply > 0) {
    options.links["server -> client"].rules.push_back(
        {.match = Transport::kUdp, .nth = {lost_reply}, .action = LinkRule::Action::kDrop});
  }
  auto world = FakeWorld::make(std::move(options));
  EXPECT_TRUE(world.has_value());
  Played played;
  {
    PosixPrograms programs(**world);
    programs.start("server", "server", [&] { played.server = counter_serve("7000"); });
    programs.start("client", "client",
                   [&] { played.client = counter_add("server", "7000", 5, retry, &played.total); });
    EXPECT_EQ(programs.run(), Loop::Ended::kFinished);
  }
  played.end = (*world)->loop().now();
  played.fingerprints = (*world)->finish().fingerprints;
  return played;
}

TEST(PosixExample, WithoutLossBothRetriesGiveTheRightTotal) {
  for (const counter_retry retry : {COUNTER_RETRY_NEW_ID, COUNTER_RETRY_SAME_ID}) {
    const Played played = play(0, retry);
    EXPECT_EQ(played.client, 0);
    EXPECT_EQ(played.server, 0);
    EXPECT_EQ(played.total, 5);
  }
}

TEST(PosixExample, OnlyTheLossOfTheSecondReplyShowsTheDefect) {
  std::set<uint64_t> wrong;
  for (uint64_t lost = 0; lost <= 4; ++lost) {
    const Played played = play(lost, COUNTER_RETRY_NEW_ID);
    EXPECT_EQ(played.client, 0) << "the client believes that all went well";
    if (played.total != 5) wrong.insert(lost);
  }
  EXPECT_EQ(wrong, std::set<uint64_t>{2});
  EXPECT_EQ(play(2, COUNTER_RETRY_NEW_ID).total, 10) << "the amount was added twice";
}

TEST(PosixExample, TheMendedClientIsRightWhateverReplyIsLost) {
  for (uint64_t lost = 0; lost <= 4; ++lost) {
    EXPECT_EQ(play(lost, COUNTER_RETRY_SAME_ID).total, 5) << "reply " << lost << " was lost";
  }
}

// A lost reply costs the client's half second, of virtual time; and every run is the same.
TEST(PosixExample, EveryRunIsTheSameAndTakesVirtualTimeOnly) {
  const Played first = play(2, COUNTER_RETRY_NEW_ID);
  const Played second = play(2, COUNTER_RETRY_NEW_ID);
  EXPECT_EQ(first.fingerprints, second.fingerprints);
  EXPECT_FALSE(first.fingerprints.empty());
  EXPECT_EQ(first.end, second.end);
  EXPECT_EQ(first.end, play(0, COUNTER_RETRY_NEW_ID).end + 500ms);
}

}  // namespace
}  // namespace netrig
