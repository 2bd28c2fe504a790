#include "harness/run/ladder_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/text.h"

namespace netrig {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LadderTest : public testing::Test {
 protected:
  void sends(const std::string& from, const std::string& to, const Bytes& payload,
             Transport transport = Transport::kUdp) {
    clock += 1ms;
    journal.record(from, Transfer{true,
                                  from + ".1",
                                  {},
                                  transport,
                                  to,
                                  payload.size(),
                                  payload.substr(0, kPreviewOctets)});
  }
  void receives(const std::string& who, const std::string& from, const Bytes& payload) {
    clock += 1ms;
    journal.record(who, Transfer{false,
                                 who + ".1",
                                 {},
                                 Transport::kUdp,
                                 from,
                                 payload.size(),
                                 payload.substr(0, kPreviewOctets)});
  }
  void fate(const std::string& sender, uint32_t size, Fate decision) {
    FateRecord record;
    record.fate = decision;
    record.size = size;
    record.activity = sender + " step 1 (send)";
    journal.on_fate(record);
  }
  void starts(const std::string& actor) { journal.record(actor, ActorStarted{}); }
  std::string text(const std::vector<Finding>& findings = {}, size_t rows = 60) {
    return ladder_text(journal, findings, rows);
  }
  static Finding finding(const std::string& actor, const std::string& message) {
    return Finding{{{1, 1, 1}, message, {}}, actor, actor + ".1"};
  }

  Instant clock{};
  Journal journal{[this] { return clock; }, nullptr};
};

constexpr Fate kLost{.dropped = DropCause::kLoss, .copies = 0};

TEST_F(LadderTest, AnEmptyJournalGivesNoPicture) {
  EXPECT_EQ(text(), "");
}

TEST_F(LadderTest, ShowsWhoSentWhatToWhomAndWhatWasLost) {
  starts("client");
  starts("server");
  fate("client", 6, Fate{});
  sends("client", "server", "ping 1");
  receives("server", "client", "ping 1");
  fate("client", 6, kLost);
  sends("client", "server", "ping 2");
  fate("server", 5, Fate{});
  sends("server", "client", "got 1");
  fate("server", 5, kLost);
  sends("server", "client", "got 2");
  EXPECT_EQ(text(), 1 + R"(
             client                     server
1.000 ms        |-------- "ping 1" ------->|
3.000 ms        |---- "ping 2" (loss) --x  |
4.000 ms        |<-------- "got 1" --------|
5.000 ms        |  x-- "got 2" (loss) -----|
)");
}

TEST_F(LadderTest, TheFailingStepStandsWhereItsActorEnded) {
  starts("client");
  starts("server");
  sends("client", "server", "ping 1");
  clock += 1ms;
  journal.record("server", ActorEnded{false});
  sends("client", "server", "ping 2");
  const std::string picture = text({finding("server", "server: expected 5 octets, got none")});
  const std::vector<std::string> lines = split_lines(picture);
  ASSERT_EQ(lines.size(), 4U) << picture;
  EXPECT_THAT(lines[2], HasSubstr("!!"));
  EXPECT_THAT(lines[2], EndsWith("| server: expected 5 octets, got none"));
  EXPECT_THAT(lines[3], HasSubstr("ping 2"));
}

TEST_F(LadderTest, AFindingOfAnActorThatNeverEndedComesLastAndOneWithoutActorNotAtAll) {
  starts("client");
  starts("server");
  sends("client", "server", "ping 1");
  const std::vector<std::string> lines =
      split_lines(text({finding("", "expected 1 packet"), finding("client", "client waits")}));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[2], HasSubstr("!!  "));
  EXPECT_THAT(lines[2], HasSubstr("| client waits"));
}

TEST_F(LadderTest, ConnectionsAndExpectedErrorsAreShown) {
  starts("server");
  starts("client");
  journal.record("client", ConnectionOpened{1, false, Transport::kTcp, "server", {}, {}});
  journal.record("server", ConnectionOpened{2, true, Transport::kTcp, "client", {}, {}});
  journal.record("client", StepEnded{"client.2", {}, "write", 0, "EAGAIN"});
  journal.record("client", ConnectionClosed{1, "reset"});
  journal.record("server", ConnectionClosed{2, "end of run"});
  const std::vector<std::string> lines = split_lines(text());
  ASSERT_EQ(lines.size(), 4U) << text();
  EXPECT_THAT(lines[1], HasSubstr("- connect -"));
  EXPECT_THAT(lines[2], EndsWith("| write: EAGAIN"));
  EXPECT_THAT(lines[3], HasSubstr("- reset -"));
  EXPECT_THAT(lines[3], HasSubstr("|<"));
}

TEST_F(LadderTest, AReceiveFromOutsideIsToldInWords) {
  starts("server");
  receives("server", "10.0.0.9:53", "hello");
  EXPECT_THAT(text(), HasSubstr("| <- 10.0.0.9:53 \"hello\""));
}

TEST_F(LadderTest, OnlyTheLastRowsAreKeptAndTheRestCounted) {
  starts("client");
  starts("server");
  for (int i = 1; i <= 100; ++i) sends("client", "server", "ping " + std::to_string(i));
  const std::vector<std::string> lines = split_lines(text({}, 10));
  ASSERT_EQ(lines.size(), 12U);
  EXPECT_EQ(lines[1], "... 90 events left out");
  EXPECT_THAT(lines[2], HasSubstr("\"ping 91\""));
  EXPECT_THAT(lines.back(), HasSubstr("\"ping 100\""));
}

TEST_F(LadderTest, MoreThanEightInstancesAreToldInWordsButTheFailingOneIsDrawn) {
  starts("server");
  for (int i = 1; i <= 20; ++i) {
    starts("client-" + std::to_string(i));
    sends("client-" + std::to_string(i), "server", "hi");
  }
  const std::string picture = text({finding("client-20", "client-20 failed")});
  EXPECT_THAT(split_lines(picture)[0], EndsWith("client-20"));
  EXPECT_THAT(split_lines(picture).back(),
              StartsWith("13 events of 13 more actors not drawn: client-7, client-8, client-9"));
  EXPECT_THAT(picture, Not(HasSubstr("client-19")));
}

// Every line but the first must have each lifeline at its column, or words or an arrow instead.
TEST_F(LadderTest, LifelinesStayInTheirColumnsWhateverTheLabels) {
  const std::vector<std::string> names = {"a", "a-very-long-name-of-an-actor-indeed", "ü",
                                          "server"};
  for (const std::string& name : names) starts(name);
  const std::vector<Bytes> payloads = {"", "x", Bytes(5000, 'y'), "zürich\r\n", Bytes(90, '\0')};
  for (const std::string& from : names) {
    for (const std::string& to : names) {
      for (const Bytes& payload : payloads) {
        fate(from, static_cast<uint32_t>(payload.size()), payload.size() == 1 ? kLost : Fate{});
        sends(from, to, payload);
      }
    }
  }
  const std::vector<std::string> lines = split_lines(text({}, 1000));
  ASSERT_EQ(lines.size(), 1 + names.size() * names.size() * payloads.size());
  const size_t width = display_width(lines[1].substr(0, lines[1].find_last_of('|')));
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(first_invalid_utf8(lines[i]), std::nullopt);
    if (lines[i].find("-> ") != std::string::npos) continue;  // words: a send to itself
    EXPECT_EQ(display_width(lines[i].substr(0, lines[i].find_last_of('|'))), width) << lines[i];
  }
}

}  // namespace
}  // namespace netrig
