#include "harness/capture/unix_frames.h"
#include "harness/expect/expect_testing.h"

namespace netrig::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Matcher exactly(Bytes octets) {
  Matcher matcher;
  matcher.at = kValue;
  matcher.exact = Payload{kValue, std::move(octets)};
  return matcher;
}

// Connections to Unix services, each with a greeting and "welcome".
Recording unix_exchanges(const std::vector<std::pair<std::string, Bytes>>& greetings) {
  Recording recording;
  UnixFrames frames(
      [&](const std::string& name) {
        recording.interfaces.push_back({name, 101});
        return static_cast<uint32_t>(recording.interfaces.size() - 1);
      },
      [&](CapturedPacket&& packet) { recording.packets.push_back(std::move(packet)); });
  uint64_t number = 0;
  for (const auto& [service, greeting] : greetings) {
    frames.connected(++number, service, 0, "");
    frames.stream_data(number, true, greeting, 1, "");
    frames.stream_data(number, false, "welcome", 2, "");
  }
  return recording;
}

class StreamTest : public ExpectTest {
 protected:
  // Two connections: "one" and "uno", then "two" and "due".
  static Wire exchange(bool v6 = false) {
    Wire wire(v6);
    wire.handshake().tcp(true, kTcpAck, "one").tcp(false, kTcpAck, "uno");
    wire.next_connection().handshake().tcp(true, kTcpAck, "two").tcp(false, kTcpAck, "due");
    return wire;
  }
};

TEST_F(StreamTest, EachDirectionOfEachConnectionIsFoundByItsHosts) {
  expects(StreamExpectation{"client", "server", 1, exactly("one")});
  expects(StreamExpectation{"server", "client", 1, exactly("uno")});
  expects(StreamExpectation{"client", "server", 2, exactly("two")});
  expects(StreamExpectation{"server", "client", 2, exactly("due")});
  EXPECT_THAT(judge_written(exchange().recording), IsEmpty());
  EXPECT_THAT(judge_written(exchange(true).recording), IsEmpty());
}

TEST_F(StreamTest, OctetsThatDifferAreShownAboveEachOther) {
  expects(StreamExpectation{"client", "server", 2, exactly("twp")});
  const Diagnostic finding = only(judge_written(exchange().recording));
  EXPECT_EQ(finding.at, kValue);
  EXPECT_EQ(finding.message,
            "client -> server, connection 2: the octets are not the expected ones: the first 2 "
            "octets are equal");
  EXPECT_THAT(finding.details,
              ElementsAre("expected  \"twp\"", "actual    \"two\"", EndsWith(" ^"),
                          HasSubstr("74 77 70"), HasSubstr("74 77 6f"), HasSubstr("^^")));
}

TEST_F(StreamTest, AConnectionThatIsNotThereIsSaidWithThoseThatAre) {
  expects(StreamExpectation{"client", "server", 3, exactly("x")});
  const Diagnostic finding = only(judge_written(exchange().recording));
  EXPECT_EQ(finding.at, kKind);
  EXPECT_EQ(finding.message, "expected connection 3 between client and server, got 2 connections");
  EXPECT_THAT(finding.details, ElementsAre("captured: 10.0.0.2:40000 > 10.0.0.1:80",
                                           "captured: 10.0.0.2:40001 > 10.0.0.1:80"));
}

TEST_F(StreamTest, AGapIsAFindingEvenIfTheRestIsAsExpected) {
  Wire wire;
  wire.handshake().tcp(true, kTcpAck, "one").tcp(true, kTcpAck, "lost").loses_last();
  wire.tcp(true, kTcpAck, "three");
  expects(StreamExpectation{"client", "server", 1, exactly("one")});
  EXPECT_EQ(only(judge_written(wire.recording)).message,
            "client -> server, connection 1: octets after the first 3 are missing in the capture");
}

TEST_F(StreamTest, ARecordingWithoutARunIsAskedByAddress) {
  expects(StreamExpectation{"10.0.0.2", "10.0.0.1", 2, exactly("two")});
  expects(StreamExpectation{"10.0.0.2:40001", "10.0.0.1:80", 1, exactly("two")});
  expects(StreamExpectation{"10.0.0.1:80", "10.0.0.2:40000", 1, exactly("uno")});
  EXPECT_THAT(judge(exchange().recording), IsEmpty());
}

TEST_F(StreamTest, AUnixServiceIsFoundByItsPathOrAbstractName) {
  const Recording recording = unix_exchanges(
      {{"unix:/tmp/other.sock", "wrong"}, {"unix:/tmp/app.sock", "hello"}, {"unix:@app", "hi"}});
  variables["server.path"] = "/tmp/app.sock";
  expects(StreamExpectation{"client", "server", 1, exactly("hello")});
  expects(StreamExpectation{"server", "client", 1, exactly("welcome")});
  EXPECT_THAT(judge_written(recording), IsEmpty());

  variables["server.path"] = Bytes("\0app", 4);
  scenario.expectations.clear();
  expects(StreamExpectation{"client", "server", 1, exactly("hi")});
  EXPECT_THAT(judge_written(recording), IsEmpty());
}

// Both have a service, and who connects to the relay's could be the program behind it, for all that
// the frames say.
TEST_F(StreamTest, BetweenARelayAndItsTargetAreOnlyTheConnectionsThatTheRelayMade) {
  const Recording recording = unix_exchanges(
      {{"unix:/tmp/watched.sock", "to the relay"}, {"unix:/tmp/app.sock", "to the program"}});
  Process program;
  program.name = program.host = "program";
  scenario.processes = {program};
  Relay relay;
  relay.name = relay.host = "relay";
  relay.to.actor = "program";
  scenario.relays = {relay};
  variables["relay.path"] = "/tmp/watched.sock";
  variables["program.path"] = "/tmp/app.sock";
  expects(StreamExpectation{"relay", "program", 1, exactly("to the program")});
  expects(StreamExpectation{"program", "relay", 1, exactly("welcome")});
  expects(StreamExpectation{"client", "relay", 1, exactly("to the relay")});
  EXPECT_THAT(judge_written(recording), IsEmpty());
}

}  // namespace
}  // namespace netrig::testing
