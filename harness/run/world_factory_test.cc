// Which backend can play what.

#include "harness/run/world_factory.h"

#include <gtest/gtest.h>

#include "harness/run/runner_testing.h"

namespace netrig {
namespace {

std::string reason(const Scenario& scenario, const std::string& backend) {
  return reason_unsupported(scenario, backend).value_or("");
}

// A client of a server of `kind` through a link that does `what`.
Scenario through(const std::string& kind, const std::string& what) {
  const std::string opening = kind == "udp" || kind == "unix_dgram" ? "bind" : "listen";
  auto read = read_scenario_text(R"({ "name": "x", "network": { "client -> server": )" + what +
                                     R"( }, "actors": {
      "server": { ")" + opening + R"(": ")" +
                                     kind + R"(", "steps": [ { "recv": "x" } ] },
      "client": { "connect": "server", "steps": [ { "send": "x" } ] } } })",
                                 "x.json");
  EXPECT_TRUE(read.scenario) << (read.mistakes.empty() ? "" : read.mistakes.front().message);
  return std::move(*read.scenario);
}

TEST(WorldFactory, FakeComesFirst) {
  EXPECT_EQ(known_backends(), (std::vector<std::string>{"fake", "real", "wire"}));
}

TEST(WorldFactory, OnlyRealNeedsASandboxAndNotOnTheHostNetwork) {
  RunOptions options;
  options.backend = "fake";
  EXPECT_FALSE(needs_sandbox(options));
  EXPECT_FALSE(is_wall_clock("fake"));
  options.backend = "real";
  EXPECT_TRUE(needs_sandbox(options));
  EXPECT_TRUE(is_wall_clock("real"));
  options.host_network = true;
  EXPECT_FALSE(needs_sandbox(options));
}

TEST(WorldFactory, FaultsOfTcpAreForFakeAndWireAndNotForReal) {
  const Scenario scenario = through("tcp", R"({ "loss": "1%" })");
  EXPECT_EQ(reason(scenario, "fake"), "");
  EXPECT_EQ(reason(scenario, "real"),
            "loss on client -> server cannot be applied to tcp streams on real: fake and wire can");
  EXPECT_EQ(reason(scenario, "wire"), "");
}

TEST(WorldFactory, ALinkThatDoesNothingIsForAll) {
  const Scenario scenario = through("tcp", R"({ "loss": "0%" })");
  EXPECT_EQ(reason(scenario, "fake"), "");
  EXPECT_EQ(reason(scenario, "real"), "");
}

TEST(WorldFactory, FaultsOfDatagramsAreForAll) {
  for (const char* kind : {"udp", "unix_dgram"}) {
    const Scenario scenario = through(kind, R"({ "loss": "1%" })");
    EXPECT_EQ(reason(scenario, "fake"), "") << kind;
    EXPECT_EQ(reason(scenario, "real"), "") << kind;
  }
}

TEST(WorldFactory, FaultsOfUnixStreamsAreForNone) {
  const Scenario scenario = through("unix", R"({ "loss": "1%" })");
  EXPECT_EQ(reason(scenario, "fake"),
            "loss on client -> server cannot be applied to unix streams on fake");
  EXPECT_EQ(reason(scenario, "real"),
            "loss on client -> server cannot be applied to unix streams on real");
}

TEST(WorldFactory, ACaptureBeforeTheLinksIsForFakeAndWire) {
  const Scenario scenario = greeting(R"("network": { "capture": "sent" },)");
  EXPECT_EQ(reason(scenario, "fake"), "");
  EXPECT_EQ(reason(scenario, "real"),
            "packets cannot be captured before their faults on real: fake and wire can");
  EXPECT_EQ(reason(scenario, "wire"), "");
}

TEST(WorldFactory, MoreHostsThanItHasRoomForAreNotForWire) {
  Scenario scenario = through("tcp", "{}");
  scenario.hosts.resize(65);
  EXPECT_EQ(reason(scenario, "real"), "");
  EXPECT_EQ(reason(scenario, "wire"), "65 hosts are too many for wire, which has at most 64");
}

TEST(WorldFactory, TheListOfTheFileComesBeforeEverythingElse) {
  Scenario scenario = through("tcp", R"({ "loss": "1%" })");
  scenario.backends = {"wire"};
  EXPECT_EQ(reason(scenario, "real"), "the scenario runs on wire only");
  EXPECT_EQ(reason(scenario, "fake"), "the scenario runs on wire only");
}

}  // namespace
}  // namespace netrig
