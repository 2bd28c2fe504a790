// One stack against handwritten segments: which answer each state gives to what.
#include <gtest/gtest.h>

#include "fakes/tcp/stack_testing.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kIss = Script::kPeerIss;

std::string flags_of(const Segment& segment) {
  return segment.flags == 0xFF ? "nothing" : format_tcp_flags(segment.flags);
}

TEST(ConnectionStates, ASegmentForNobodyIsAnsweredAsTheRfcSays) {
  Script script;
  script.inject({.flags = kTcpSyn, .seq = 7});
  Segment answer = script.next();
  EXPECT_EQ(answer.flags, kTcpRst | kTcpAck);
  EXPECT_EQ(answer.seq.value(), 0u);
  EXPECT_EQ(answer.ack.value(), 8u);
  script.inject({.flags = kTcpAck | kTcpPsh, .seq = 7, .ack = 99, .data = "abc"});
  answer = script.next();
  EXPECT_EQ(answer.flags, kTcpRst);
  EXPECT_EQ(answer.seq.value(), 99u);
  script.inject({.flags = kTcpRst, .seq = 7});
  EXPECT_EQ(flags_of(script.next()), "nothing");
  Segment broken = script.make({.flags = kTcpSyn});
  broken.checksum_ok = false;
  script.inject(std::move(broken));
  EXPECT_EQ(flags_of(script.next()), "nothing");
  EXPECT_EQ(script.stack.counters().checksum_errors, 1u);
}

TEST(ConnectionStates, AListenerAnswersOnlyAPlainSyn) {
  Script script;
  script.listen();
  for (int flags = 0; flags < 64; ++flags) {
    if ((flags & kTcpSyn) != 0 && (flags & (kTcpRst | kTcpAck | kTcpFin)) == 0) continue;
    script.inject({.flags = static_cast<uint8_t>(flags), .seq = 5, .ack = 6});
    const bool reset = (flags & kTcpAck) != 0 && (flags & kTcpRst) == 0;
    EXPECT_EQ(flags_of(script.next()), reset ? "R" : "nothing") << flags;
    EXPECT_EQ(script.stack.connection_count(), 0u) << flags;
  }
}

TEST(ConnectionStates, SynSentIsRefusedByARstThatAcknowledgesIt) {
  Script script;
  Connection& connection = script.syn_sent();
  script.inject({.flags = kTcpRst, .seq = 0});
  script.inject({.flags = kTcpRst | kTcpAck, .seq = 0, .ack = script.iss});
  EXPECT_EQ(connection.state(), State::kSynSent);
  script.inject({.flags = kTcpRst | kTcpAck, .seq = 0, .ack = script.iss + 1});
  EXPECT_EQ(connection.state(), State::kClosed);
  EXPECT_TRUE(connection.readiness().error);
  EXPECT_EQ(connection.take_error(), Errno(ECONNREFUSED));
  EXPECT_EQ(connection.take_error(), std::nullopt);
  EXPECT_EQ(send_text(connection, script.now, "x").error(), Errno(EPIPE));
  connection.close(script.now, false);
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, SynSentResetsAnAckOfWhatWasNeverSent) {
  Script script;
  Connection& connection = script.syn_sent();
  script.inject({.flags = kTcpSyn | kTcpAck, .seq = kIss, .ack = script.iss + 2});
  const Segment answer = script.next();
  EXPECT_EQ(answer.flags, kTcpRst);
  EXPECT_EQ(answer.seq.value(), script.iss + 2);
  EXPECT_EQ(connection.state(), State::kSynSent);
  EXPECT_EQ(send_text(connection, script.now, "x").error(), Errno(EAGAIN));
  EXPECT_EQ(receive_text(connection, script.now).error(), Errno(EAGAIN));
}

TEST(ConnectionStates, ASynIsRepeatedAndGivenUp) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.syn_linear_timeouts = 0;
  options.syn_retries = 2;
  const Instant start = script.now;
  Connection& connection = script.syn_sent(options);
  std::vector<Duration> at;
  while (connection.state() == State::kSynSent) {
    const Instant next = script.stack.next_deadline();
    ASSERT_NE(next, Instant::max());
    script.pass(next - script.now);
    if (!script.sent.empty()) {
      EXPECT_EQ(script.next().times_sent, at.size() + 1);
      at.push_back(script.now - start);
    }
  }
  EXPECT_EQ(at, (std::vector<Duration>{1s, 3s}));
  EXPECT_EQ(script.now - start, Duration(7s));
  EXPECT_EQ(connection.take_error(), Errno(ETIMEDOUT));
}

TEST(ConnectionStates, ASynIsRepeatedEverySecondAtFirstAsSinceLinux65) {
  Script script;
  const Instant start = script.now;
  Connection& connection = script.syn_sent();
  std::vector<Duration> at;
  while (connection.state() == State::kSynSent) {
    script.pass(script.stack.next_deadline() - script.now);
    if (!script.sent.empty()) at.push_back(script.now - start);
    script.sent.clear();
  }
  EXPECT_EQ(at, (std::vector<Duration>{1s, 2s, 3s, 4s, 5s, 7s, 11s, 19s, 35s, 67s}));
  EXPECT_EQ(script.now - start, Duration(131s));
}

TEST(ConnectionStates, ASynAckIsRepeatedFiveTimesThenForgotten) {
  Script script;
  script.listen();
  script.syn();
  const Instant start = script.now;
  std::vector<Duration> at;
  script.sent.clear();
  while (script.stack.next_deadline() != Instant::max()) {
    script.pass(script.stack.next_deadline() - script.now);
    for (; !script.sent.empty(); script.sent.pop_front()) at.push_back(script.now - start);
  }
  EXPECT_EQ(at, (std::vector<Duration>{1s, 3s, 7s, 15s, 31s}));
  EXPECT_EQ(script.now - start, Duration(63s));
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, OnlyTheExactNumberResets) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.flags = kTcpRst, .seq = kIss + 100});  // in the window
  const Segment challenge = script.next();
  EXPECT_EQ(challenge.flags, kTcpAck);
  EXPECT_EQ(challenge.ack.value(), kIss + 1);
  script.inject({.flags = kTcpRst, .seq = kIss - 100});  // before it
  EXPECT_EQ(flags_of(script.next()), "nothing");
  EXPECT_EQ(connection.state(), State::kEstablished);
  script.inject({.flags = kTcpRst, .seq = kIss + 1});
  EXPECT_EQ(connection.state(), State::kClosed);
  EXPECT_EQ(receive_text(connection, script.now).error(), Errno(ECONNRESET));
  EXPECT_EQ(receive_text(connection, script.now), "");  // the error is told once
  EXPECT_EQ(send_text(connection, script.now, "x").error(), Errno(EPIPE));
  connection.close(script.now, false);
}

TEST(ConnectionStates, ASynInASynchronisedStateGetsAChallengeTwiceASecondAtMost) {
  Script script;
  Connection& connection = script.passive();
  for (int i = 0; i < 5; ++i) script.inject({.flags = kTcpSyn, .seq = kIss + 1});
  EXPECT_EQ(script.sent.size(), 1u);
  EXPECT_EQ(script.next().flags, kTcpAck);
  script.pass(500ms);
  script.inject({.flags = kTcpSyn, .seq = 77});
  EXPECT_EQ(script.next().flags, kTcpAck);
  EXPECT_EQ(connection.state(), State::kEstablished);
}

TEST(ConnectionStates, AnAckOfWhatWasNotSentIsAnsweredAndDropped) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.seq = kIss + 1, .ack = script.iss + 500, .data = "evil"});
  EXPECT_EQ(script.next().flags, kTcpAck);
  EXPECT_EQ(connection.readable_octets(), 0u);
}

TEST(ConnectionStates, AResetAfterTheirFinIsEpipe) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 1, .ack = script.iss + 1});
  EXPECT_EQ(connection.state(), State::kCloseWait);
  EXPECT_TRUE(connection.readiness().read_closed);
  script.inject({.flags = kTcpRst, .seq = kIss + 2});
  EXPECT_EQ(receive_text(connection, script.now), "");  // EOF stays
  EXPECT_EQ(connection.take_error(), Errno(EPIPE));
}

TEST(ConnectionStates, ActiveCloseWalksToTimeWait) {
  Script script;
  Connection& connection = script.passive();
  ASSERT_TRUE(connection.shutdown(script.now, false, true));
  EXPECT_EQ(connection.state(), State::kFinWait1);
  EXPECT_EQ(script.next().flags, kTcpFin | kTcpAck);
  script.inject({.seq = kIss + 1, .ack = script.iss + 2});
  EXPECT_EQ(connection.state(), State::kFinWait2);
  EXPECT_TRUE(connection.lingered());
  script.inject({.seq = kIss + 1, .ack = script.iss + 2, .data = "late"});  // half-close
  EXPECT_EQ(receive_text(connection, script.now), "late");
  script.sent.clear();
  script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 5, .ack = script.iss + 2});
  EXPECT_EQ(script.next().ack.value(), kIss + 6);
  EXPECT_EQ(connection.state(), State::kClosed);  // as Linux tells it; the stack has TIME_WAIT
  EXPECT_EQ(connection.shutdown(script.now, true, true).error(), Errno(ENOTCONN));
  EXPECT_EQ(receive_text(connection, script.now), "");
  connection.close(script.now, false);
  EXPECT_EQ(script.stack.port_use({kServerAddress, 80}), Stack::PortUse::kListening);
  EXPECT_EQ(script.stack.connection_count(), 1u);
  // The FIN again: the last ACK was lost.
  script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 5, .ack = script.iss + 2});
  EXPECT_EQ(script.next().ack.value(), kIss + 6);
}

TEST(ConnectionStates, TimeWaitGivesWayToANewSynAndToAReset) {
  for (const bool reset : {false, true}) {
    Script script;
    Connection& connection = script.passive();
    connection.close(script.now, false);
    script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 1, .ack = script.iss + 2});
    script.sent.clear();
    script.inject({.flags = kTcpSyn, .seq = kIss - 500});  // an old duplicate
    EXPECT_EQ(script.next().flags, kTcpAck);
    if (reset) {
      script.inject({.flags = kTcpRst, .seq = kIss + 2});
      EXPECT_EQ(script.stack.connection_count(), 0u);
    } else {
      script.inject({.flags = kTcpSyn, .seq = kIss + 5000});
      const Segment answer = script.next();
      EXPECT_EQ(answer.flags, kTcpSyn | kTcpAck);
      EXPECT_EQ(answer.seq.value(), script.iss + 2 + 65537);
    }
  }
}

TEST(ConnectionStates, CrossingFinsPassThroughClosing) {
  Script script;
  Connection& connection = script.passive();
  ASSERT_TRUE(connection.shutdown(script.now, false, true));
  script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 1, .ack = script.iss + 1});
  EXPECT_EQ(connection.state(), State::kClosing);
  EXPECT_FALSE(connection.lingered());
  script.inject({.seq = kIss + 2, .ack = script.iss + 2});
  EXPECT_EQ(connection.state(), State::kClosed);
  EXPECT_EQ(script.stack.port_use({kServerAddress, 81}), Stack::PortUse::kFree);
}

TEST(ConnectionStates, PassiveCloseWalksThroughLastAck) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.flags = kTcpFin | kTcpAck, .seq = kIss + 1, .ack = script.iss + 1});
  EXPECT_EQ(flags_of(script.next()), "nothing");  // the ACK may ride on our FIN
  script.pass(40ms);
  EXPECT_EQ(script.next().ack.value(), kIss + 2);
  ASSERT_TRUE(send_text(connection, script.now, "bye"));
  connection.close(script.now, false);
  EXPECT_EQ(script.next().payload.view(), "bye");
  EXPECT_EQ(script.next().flags, kTcpFin | kTcpAck);
  script.inject({.seq = kIss + 2, .ack = script.iss + 5});
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, CloseWithUnreadDataResets) {
  Script script;
  Connection& connection = script.passive();
  script.inject({.seq = kIss + 1, .ack = script.iss + 1, .data = "unread"});
  script.sent.clear();
  connection.close(script.now, false);
  const Segment reset = script.next();
  EXPECT_EQ(reset.flags, kTcpRst | kTcpAck);
  EXPECT_EQ(reset.seq.value(), script.iss + 1);
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, LingerZeroResets) {
  Script script;
  script.passive().close(script.now, true);
  EXPECT_EQ(script.next().flags, kTcpRst | kTcpAck);
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, DataAfterCloseIsReset) {
  Script script;
  script.passive().close(script.now, false);
  script.inject({.seq = kIss + 1, .ack = script.iss + 2});  // FIN_WAIT_2 without a user
  script.sent.clear();
  script.inject({.seq = kIss + 1, .ack = script.iss + 2, .data = "x"});
  EXPECT_EQ(script.next().flags, kTcpRst);
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, AnOrphanLeavesFinWait2After60Seconds) {
  Script script;
  script.passive().close(script.now, false);
  script.inject({.seq = kIss + 1, .ack = script.iss + 2});
  script.pass(59s);
  EXPECT_EQ(script.stack.connection_count(), 1u);
  script.pass(2s);
  EXPECT_EQ(script.stack.connection_count(), 0u);
}

TEST(ConnectionStates, ShutdownOfReadingGivesEofButStillTakesData) {
  Script script;
  Connection& connection = script.passive();
  ASSERT_TRUE(connection.shutdown(script.now, true, false));
  EXPECT_EQ(receive_text(connection, script.now), "");
  script.inject({.seq = kIss + 1, .ack = script.iss + 1, .data = "still"});
  EXPECT_EQ(receive_text(connection, script.now), "still");
  EXPECT_EQ(receive_text(connection, script.now), "");
  EXPECT_EQ(connection.state(), State::kEstablished);
}

TEST(ConnectionStates, AGapIsReportedMostRecentBlockFirst) {
  Script script;
  script.listen();
  Segment syn = script.make({.flags = kTcpSyn, .seq = kIss});
  syn.sack_permitted = true;
  script.inject(std::move(syn));
  script.iss = script.next().seq.value();
  script.inject({.seq = kIss + 1, .ack = script.iss + 1});
  Connection& connection = *script.listener->accept(nullptr);
  script.sent.clear();
  const uint32_t ack = script.iss + 1;
  script.inject({.seq = kIss + 11, .ack = ack, .data = "0123456789"});
  Segment answer = script.next();
  ASSERT_EQ(answer.sack_count, 1);
  EXPECT_EQ(answer.sacks[0], (SackBlock{SeqNum(kIss + 11), SeqNum(kIss + 21)}));
  script.inject({.seq = kIss + 31, .ack = ack, .data = "0123456789"});
  answer = script.next();
  ASSERT_EQ(answer.sack_count, 2);
  EXPECT_EQ(answer.sacks[0].left.value(), kIss + 31);
  EXPECT_EQ(answer.sacks[1].left.value(), kIss + 11);
  // Twice: RFC 2883 puts the duplicate first, then the block it lies in.
  script.inject({.seq = kIss + 11, .ack = ack, .data = "0123456789"});
  answer = script.next();
  ASSERT_EQ(answer.sack_count, 3);
  EXPECT_EQ(answer.sacks[0], (SackBlock{SeqNum(kIss + 11), SeqNum(kIss + 21)}));
  EXPECT_EQ(answer.sacks[1], answer.sacks[0]);
  script.inject({.seq = kIss + 1, .ack = ack, .data = "abcdefghijklmnopqrst"});  // overlaps
  answer = script.next();
  EXPECT_EQ(answer.ack.value(), kIss + 21);
  EXPECT_EQ(receive_text(connection, script.now), "abcdefghijklmnopqrst");
}

TEST(ConnectionStates, TheUrgentOctetIsNotInTheStream) {
  Script script;
  Connection& connection = script.passive();
  EXPECT_EQ(connection.receive_urgent(script.now, false).error(), Errno(EINVAL));
  script.inject({.flags = kTcpAck | kTcpUrg,
                 .seq = kIss + 1,
                 .ack = script.iss + 1,
                 .data = "ab!cd",
                 .urgent = 3});
  EXPECT_TRUE(connection.readiness().urgent);
  EXPECT_EQ(connection.readable_octets(), 2u);
  EXPECT_EQ(receive_text(connection, script.now), "ab");
  EXPECT_EQ(connection.receive_urgent(script.now, true), '!');
  EXPECT_EQ(connection.receive_urgent(script.now, false), '!');
  EXPECT_EQ(connection.receive_urgent(script.now, false).error(), Errno(EINVAL));
  EXPECT_EQ(receive_text(connection, script.now, 100, true), "cd");
  EXPECT_EQ(receive_text(connection, script.now), "cd");
  EXPECT_EQ(receive_text(connection, script.now).error(), Errno(EAGAIN));
}

TEST(ConnectionStates, UrgentOctetsAreMarkedWithThePointerBehindThem) {
  Script script;
  Connection& connection = script.passive();
  const ByteView part = "now!";
  ASSERT_EQ(connection.send_urgent(script.now, {&part, 1}), 4u);
  const Segment segment = script.next();
  EXPECT_TRUE(segment.has(kTcpUrg));
  EXPECT_EQ(segment.urgent_pointer, 4);
}

TEST(ConnectionStates, KeepAliveProbesThenTimesOut) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.keepalive = true;
  options.keepalive_idle = 10s;
  options.keepalive_interval = 2s;
  options.keepalive_count = 3;
  Connection& connection = script.passive(options);
  script.pass(10s);
  Segment probe = script.next();
  EXPECT_EQ(probe.seq.value(), script.iss);
  EXPECT_EQ(probe.payload.size(), 0u);
  script.inject({.seq = kIss + 1, .ack = script.iss + 1});  // alive
  script.pass(9s);
  EXPECT_EQ(flags_of(script.next()), "nothing");
  script.pass(1s + 4s);
  EXPECT_EQ(script.sent.size(), 3u);
  script.sent.clear();
  script.pass(2s);
  EXPECT_EQ(script.next().flags, kTcpRst | kTcpAck);
  EXPECT_EQ(connection.take_error(), Errno(ETIMEDOUT));
}

TEST(ConnectionStates, UnansweredDataTimesOutAfterTheUserTimeout) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.user_timeout = 3s;
  Connection& connection = script.passive(options);
  ASSERT_TRUE(send_text(connection, script.now, "x"));
  script.pass(2500ms);
  EXPECT_EQ(connection.state(), State::kEstablished);
  script.pass(2s);
  EXPECT_EQ(connection.state(), State::kClosed);
  EXPECT_EQ(connection.take_error(), Errno(ETIMEDOUT));
}

TEST(ConnectionStates, AFullAcceptQueueDropsAcksAndSyns) {
  Script script;
  script.listen(0);  // Linux: one may wait
  script.syn();
  script.inject({.seq = kIss + 1, .ack = script.next().seq.value() + 1});
  EXPECT_TRUE(script.listener->waiting());
  script.peer_port = 40001;
  script.syn();
  EXPECT_EQ(flags_of(script.next()), "nothing");
  EXPECT_EQ(script.stack.counters().listen_overflows, 1u);
  ASSERT_NE(script.listener->accept(nullptr), nullptr);
  script.syn();
  EXPECT_EQ(script.next().flags, kTcpSyn | kTcpAck);
}

TEST(ConnectionStates, AResetConnectionIsStillHandedOut) {
  Script script;
  script.listen();
  script.syn();
  script.inject({.seq = kIss + 1, .ack = script.next().seq.value() + 1});
  script.inject({.flags = kTcpRst, .seq = kIss + 1});
  Connection* connection = script.listener->accept(nullptr);
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(receive_text(*connection, script.now).error(), Errno(ECONNRESET));
}

TEST(ConnectionStates, IcmpFailsAConnectAndIsRememberedLater) {
  Script script;
  Connection& first = script.syn_sent();
  const Endpoint local(kServerAddress, 80), peer(kClientAddress, 40000);
  script.stack.icmp(script.now, local, peer, SeqNum(script.iss + 9), Errno(EHOSTUNREACH), false,
                    {});
  EXPECT_EQ(first.state(), State::kSynSent);  // not about what is under way
  script.stack.icmp(script.now, local, peer, SeqNum(script.iss), Errno(EHOSTUNREACH), false, {});
  EXPECT_EQ(first.take_error(), Errno(EHOSTUNREACH));
  first.close(script.now, false);

  Connection& second = script.passive();
  ASSERT_TRUE(send_text(second, script.now, std::string(1000, 'x')));
  script.stack.icmp(script.now, local, peer, SeqNum(script.iss + 1), Errno(ECONNREFUSED), true, {});
  EXPECT_EQ(second.state(), State::kEstablished);
  script.sent.clear();
  script.stack.icmp(script.now, local, peer, SeqNum(script.iss + 1), Errno(EMSGSIZE), false, 100);
  EXPECT_EQ(second.info().mss, 512u);  // never below 552 octets
  ASSERT_FALSE(script.sent.empty());
  EXPECT_EQ(script.next().payload.size(), 512u);
}

TEST(ConnectionStates, PawsDropsOldTimestampsAndAnswers) {
  Script script;
  ConnectionOptions options = Script::plain();
  options.timestamps = true;
  script.listen(5, options);
  Segment syn = script.make({.flags = kTcpSyn, .seq = kIss, .timestamps = Timestamps{5000, 0}});
  script.inject(std::move(syn));
  const Segment answer = script.next();
  const uint32_t ours = answer.timestamps->value;
  script.iss = answer.seq.value();
  script.inject({.seq = kIss + 1, .ack = script.iss + 1, .timestamps = Timestamps{5001, ours}});
  Connection& connection = *script.listener->accept(nullptr);
  script.sent.clear();
  script.inject({.seq = kIss + 1,
                 .ack = script.iss + 1,
                 .data = "old",
                 .timestamps = Timestamps{4000, ours}});
  EXPECT_EQ(script.next().flags, kTcpAck);
  EXPECT_EQ(connection.readable_octets(), 0u);
  script.inject({.seq = kIss + 1,
                 .ack = script.iss + 1,
                 .data = "new",
                 .timestamps = Timestamps{5002, ours}});
  EXPECT_EQ(receive_text(connection, script.now), "new");
}

TEST(ConnectionStates, NoFlagCombinationHarmsAnEstablishedConnection) {
  for (int flags = 0; flags < 256; ++flags) {
    for (const uint32_t seq : {kIss - 5, kIss, kIss + 1, kIss + 2, kIss + 70000}) {
      for (const bool data : {false, true}) {
        Script script;
        Connection& connection = script.passive();
        script.inject({.flags = static_cast<uint8_t>(flags),
                       .seq = seq,
                       .ack = script.iss + 1,
                       .data = data ? "data" : "",
                       .urgent = 9});
        script.pass(1s);
        (void)receive_text(connection, script.now);
        connection.close(script.now, false);
        script.pass(300s);
        EXPECT_EQ(script.stack.connection_count(), 0u) << flags << " " << seq;
      }
    }
  }
}

}  // namespace
}  // namespace netrig::tcp
