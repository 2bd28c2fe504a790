#pragma once
// Helpers for the tests of this folder alone: recordings made packet by packet, and a run by hand.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "harness/capture/pcapng_writer.h"
#include "harness/expect/expect.h"
#include "harness/net/packet.h"

namespace netrig::testing {

inline constexpr Location kKind{10, 5, 9};    // of an expectation
inline constexpr Location kValue{10, 30, 3};  // of the value that is wrong

inline CountRange count_of(int64_t low, int64_t high) {
  return {kValue, {low, high}};
}
inline Template literal(std::string text) {
  return Template{{}, {{std::move(text), ""}}};
}

// Builds a recording packet by packet, one millisecond apart.
class Wire {
 public:
  explicit Wire(bool v6 = false)
      : client_(v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2)),
        server_(v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1)) {
    recording.interfaces.push_back({"lo", 101});
  }

  Wire& tcp(bool from_client, uint8_t flags, const Bytes& payload = "") {
    Packet packet;
    packet.ip.source = from_client ? client_ : server_;
    packet.ip.destination = from_client ? server_ : client_;
    packet.ip.protocol = kProtocolTcp;
    TcpHeader header;
    header.source_port = from_client ? client_port_ : 80;
    header.destination_port = from_client ? 80 : client_port_;
    header.flags = flags;
    uint32_t& sequence = sequence_[from_client ? 0 : 1];
    header.sequence = sequence;
    header.acknowledgement = sequence_[from_client ? 1 : 0];
    header.window = 65535;
    sequence += static_cast<uint32_t>(payload.size()) + ((flags & (kTcpSyn | kTcpFin)) != 0);
    packet.tcp = header;
    packet.payload = payload;
    CapturedPacket captured;
    captured.time_ns = time_ns_;
    captured.data = encode_packet(packet);
    captured.original_length = static_cast<uint32_t>(captured.data.size());
    recording.packets.push_back(std::move(captured));
    time_ns_ += 1'000'000;
    return *this;
  }
  Wire& handshake() { return tcp(true, kTcpSyn).tcp(false, kTcpSyn | kTcpAck).tcp(true, kTcpAck); }
  Wire& next_connection() {
    ++client_port_;
    sequence_[0] = 1000;
    sequence_[1] = 5000;
    return *this;
  }
  Wire& passes(Duration time) {
    time_ns_ += time.count();
    return *this;
  }
  Wire& loses_last() {
    recording.packets.pop_back();
    return *this;
  }

  Recording recording;

 private:
  IpAddress client_, server_;
  uint16_t client_port_ = 40000;
  uint32_t sequence_[2] = {1000, 5000};
  int64_t time_ns_ = 1'700'000'000'000'000'000;
};

class ExpectTest : public ::testing::Test {
 protected:
  ExpectTest() {
    scenario.actors = {actor("server"), actor("client")};
    scenario.hosts = {"server", "client"};
  }
  static Actor actor(const std::string& name) {
    Actor actor;
    actor.name = actor.host = name;
    return actor;
  }
  void expects(decltype(Expectation::what) what) {
    scenario.expectations.push_back({kKind, std::move(what)});
  }
  std::vector<Finding> judge(const Recording& recording) {
    return judge_recording(scenario, recording);
  }
  std::vector<Finding> judge() {
    return judge_run(
        FinishedRun{scenario, options, journal, delivery, variables, capture_path, processes});
  }
  // Through a file, as a run leaves it.
  std::vector<Finding> judge_written(const Recording& recording) {
    // Tests run side by side, one a process.
    capture_path = ::testing::TempDir() + std::to_string(::getpid()) + "_stream.pcapng";
    PcapngWriter writer(Fd(::open(capture_path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600)), "");
    for (const CaptureInterface& it : recording.interfaces) writer.add_interface(it.name);
    for (const CapturedPacket& packet : recording.packets) writer.write(packet);
    EXPECT_TRUE(writer.close());
    std::vector<Finding> findings = judge();
    ::unlink(capture_path.c_str());
    return findings;
  }
  // Of the only finding.
  static Diagnostic only(const std::vector<Finding>& findings) {
    EXPECT_THAT(findings, ::testing::SizeIs(1));
    return findings.empty() ? Diagnostic{} : findings[0].diagnostic;
  }

  Scenario scenario;
  RunOptions options;
  Journal journal{[] { return Instant{}; }, nullptr};
  std::vector<DeliveryStatistics> delivery;
  std::map<std::string, std::string> variables = {{"client.address", "10.0.0.2"},
                                                  {"server.address", "10.0.0.1"},
                                                  {"server.address6", "fd00::1"},
                                                  {"client.address6", "fd00::2"},
                                                  {"server.port", "80"}};
  std::string capture_path;
  std::vector<ProcessOutcome> processes;
};

}  // namespace netrig::testing
