// The network of a scenario: links in all their forms, rules and events, and their mistakes.
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <map>
#include <unistd.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kActors =
    R"("actors": {"a": {"bind": "udp"}, "b": {"bind": "udp"}, "c": {"bind": "udp"}})";

std::string with_network(const std::string& network) {
  return scenario_with("\"network\":\n" + network + ",\n" + kActors);
}

// The link from a to b, of a network that begins in line 3, column 1.
LinkConfig link_of(const std::string& network) {
  const ReadResult result = read_good(with_network(network));
  for (const LinkSpec& link : result.scenario->links) {
    if (link.from == "a" && link.to == "b") return link.config;
  }
  return {};
}

LinkConfig link(const std::string& keys) {
  return link_of("{\"a -> b\": " + keys + "}");
}

std::vector<std::string> mistakes(const std::string& network) {
  return mistakes_of(read_scenario_text(with_network(network), "test.json"));
}

// ---- links

TEST(BuildLink, ReadsDistributions) {
  const LinkConfig normal = link(R"({"delay": {"mean": "20ms", "jitter": "5ms"}})");
  EXPECT_EQ(normal.distribution->mean, 20ms);
  EXPECT_EQ(normal.distribution->jitter, 5ms);
  EXPECT_TRUE(normal.distribution->normal);
  EXPECT_EQ(normal.distribution->table->size(), 4096u);
  const LinkConfig uniform = link(
      R"({"delay": {"mean": "20ms", "jitter": "5ms",
               "distribution": "uniform", "correlation": "25%"}})");
  EXPECT_EQ(uniform.distribution->table, nullptr);
  EXPECT_EQ(uniform.distribution->correlation.ppm, 250'000u);
  const LinkConfig pareto =
      link(R"({"delay": {"mean": "20ms", "jitter": "5ms", "distribution": "pareto"}})");
  EXPECT_EQ((*pareto.distribution->table)[0], (*pareto_table())[0]);
}

TEST(BuildLink, ReadsLossesWithMemory) {
  const LinkConfig random = link(R"({"loss": {"random": "10%", "correlation": "25%"}})");
  EXPECT_EQ(random.loss.ppm, 100'000u);
  EXPECT_EQ(random.loss_correlation.ppm, 250'000u);
  const LinkConfig bursts = link(
      R"({"loss": {"gemodel": {"good_to_bad": "1%", "bad_to_good": "20%",
                           "loss_in_bad": "90%"}}})");
  EXPECT_EQ(bursts.gemodel->good_to_bad.ppm, 10'000u);
  EXPECT_EQ(bursts.gemodel->bad_to_good.ppm, 200'000u);
  EXPECT_EQ(bursts.gemodel->loss_in_bad.ppm, 900'000u);
  EXPECT_EQ(bursts.gemodel->loss_in_good.ppm, 0u);
  EXPECT_EQ(link(R"({"loss": {"gemodel": {"good_to_bad": "1%", "bad_to_good": "20%"}}})")
                .gemodel->loss_in_bad.ppm,
            1'000'000u);
  const LinkConfig states = link(R"({"loss": {"state": {"p13": "5%"}}})");
  EXPECT_EQ(states.loss_states->p31.ppm, 950'000u);
  EXPECT_EQ(states.loss_states->p23.ppm, 1'000'000u);
  EXPECT_EQ(states.loss_states->p14.ppm, 0u);
}

TEST(BuildLink, ReadsChancesWithMemory) {
  const LinkConfig config = link(R"({
    "duplicate": {"probability": "1%", "correlation": "2%"},
    "corrupt": {"probability": "3%", "correlation": "4%"},
    "reorder": {"probability": "5%", "correlation": "6%", "gap": 7, "early": true}})");
  EXPECT_EQ(config.duplicate.ppm, 10'000u);
  EXPECT_EQ(config.duplicate_correlation.ppm, 20'000u);
  EXPECT_EQ(config.corrupt.ppm, 30'000u);
  EXPECT_EQ(config.corrupt_correlation.ppm, 40'000u);
  EXPECT_EQ(config.reorder.ppm, 50'000u);
  EXPECT_EQ(config.reorder_correlation.ppm, 60'000u);
  EXPECT_EQ(config.reorder_gap, 7u);
  EXPECT_TRUE(config.reorder_early);
  EXPECT_EQ(link(R"({"reorder": {"gap": 7}})").reorder.ppm, 1'000'000u);
}

TEST(BuildLink, ReadsRatesAndQueues) {
  const LinkConfig cells = link(
      R"({"rate": {"rate": "1mbit", "packet_overhead": -4, "cell_size": 48, "cell_overhead": 5}})");
  EXPECT_EQ(cells.rate, 1'000'000u);
  EXPECT_EQ(cells.overhead, (PacketOverhead{-4, 48, 5}));
  EXPECT_EQ(cells.queue_packets, kDefaultQueuePackets);
  EXPECT_EQ(link(R"({"queue": 7})").queue_packets, 7u);
  const LinkConfig octets = link(R"({"queue": "64KiB"})");
  EXPECT_EQ(octets.queue_packets, 0u);
  EXPECT_EQ(octets.queue_octets, 65536u);
  EXPECT_EQ(link(R"({"queue": "50ms"})").queue_time, 50ms);
  const LinkConfig codel = link(
      R"({"queue": {"limit": 10, "discipline": "codel", "target": "3ms",
               "interval": "60ms", "ecn": true}})");
  EXPECT_EQ(codel.queue_packets, 10u);
  EXPECT_EQ(codel.codel->target, 3ms);
  EXPECT_EQ(codel.codel->interval, 60ms);
  EXPECT_TRUE(codel.codel->ecn);
  EXPECT_FALSE(link(R"({"queue": {"discipline": "tail_drop"}})").codel);
}

TEST(BuildLink, TellsMistakes) {
  EXPECT_THAT(
      mistakes(R"({"a -> b": {"queue": "100"}})"),
      ElementsAre("3:22 octets need a unit here, packets are an integer (\"100B\" or 100)"));
  EXPECT_THAT(mistakes(R"({"a -> b": {"queue": "0s"}})"),
              ElementsAre("3:22 a queue in which nothing may wait needs at least \"1ns\""));
  EXPECT_THAT(mistakes(R"({"a -> b": {"queue": {"limit": 5, "ecn": true}}})"),
              ElementsAre("3:35 'ecn' goes only with \"discipline\": \"codel\""));
  EXPECT_THAT(mistakes(R"({"a -> b": {"loss": {"state": {"p13": "60%", "p14": "41%"}}}})"),
              ElementsAre("3:31 'p13' and 'p14' are more than 100% together"));
  EXPECT_THAT(mistakes(R"({"a -> b": {"loss": {"random": "1%", "gemodel":
    {"good_to_bad": "1%", "bad_to_good": "1%"}}}})"),
              ElementsAre("3:38 'random' and 'gemodel' exclude each other"));
  EXPECT_THAT(mistakes(R"({"a -> b": {"loss": {"gemodel": {"good_to_bad": "1%"}}}})"),
              ElementsAre(HasSubstr("'bad_to_good' is missing")));
  EXPECT_THAT(mistakes(R"({"a -> b": {"delay": {"mean": "1ms"}}})"),
              ElementsAre(HasSubstr("'jitter' is missing")));
  EXPECT_THAT(mistakes(R"({"a -> b": {"rate": "1mbit", "trace": "x"}})"),
              Contains("3:30 'rate' and 'trace' exclude each other"));
  EXPECT_THAT(mistakes(R"({"a -> b": {"delay":
    {"mean": "1ms", "jitter": "1ms", "distribution": "table"}}})"),
              ElementsAre(HasSubstr("4:54 a distribution by a table needs the table's file")));
  EXPECT_THAT(mistakes(R"({"a -> b": {"delay": {"mean": "1ms", "jitter": "1ms", "table": "x"}}})"),
              ElementsAre("3:55 'table' goes only with \"distribution\": \"table\""));
}

// ---- files

class BuildLinkFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "build_network_test-" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/good.dist") << "-1 0 1\n";
    std::ofstream(folder_ + "/bad.dist") << "-1 zero 1\n";
    std::ofstream(folder_ + "/good.trace") << "1\n2\n";
    std::ofstream(folder_ + "/bad.trace") << "2\n1\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ReadResult read(const std::string& keys) const {
    return read_scenario_text(with_network("{\"*\": {" + keys + "}}"), folder_ + "/test.json");
  }
  static std::string table(const std::string& file) {
    return R"("delay": {"mean": "1ms", "jitter": "1ms", "distribution": "table", "table": ")" +
           file + "\"}";
  }
  std::string folder_;
};

TEST_F(BuildLinkFiles, AreReadWhenTheScenarioIs) {
  const ReadResult result = read(table("good.dist") + R"(, "trace": "good.trace")");
  ASSERT_TRUE(result.scenario) << mistakes_of(result)[0];
  ASSERT_EQ(result.scenario->links.size(), 6u);
  EXPECT_EQ(result.scenario->links[0].config.distribution->table->size(), 3u);
  EXPECT_EQ(result.scenario->links[0].config.trace->size(), 2u);
  // One copy serves all links.
  EXPECT_EQ(result.scenario->links[5].config.trace, result.scenario->links[0].config.trace);
}

TEST_F(BuildLinkFiles, ThatAreWrongAreToldOnce) {
  const std::string folder = " (files are relative to the scenario's folder)";
  EXPECT_THAT(mistakes_of(read(table("bad.dist"))),
              ElementsAre(HasSubstr("the file 'bad.dist': its line 1 holds something else")));
  EXPECT_THAT(mistakes_of(read(R"("trace": "bad.trace")")),
              ElementsAre("3:17 the file 'bad.trace': its line 2 goes back in time" + folder));
  EXPECT_THAT(mistakes_of(read(R"("trace": "missing.trace")")),
              ElementsAre(HasSubstr("the file 'missing.trace': ")));
  EXPECT_THAT(mistakes_of(read(R"("trace": "../../etc/passwd")")),
              ElementsAre(HasSubstr("the file '../../etc/passwd': ")));
}

// ---- rules

TEST(BuildRule, ReadsMatches) {
  const LinkConfig config = link_of(R"({"rules": [
    {"on": "a -> b", "match": {"transport": "udp", "port": 53, "flow": 2, "size": "1.."},
     "do": "mark"},
    {"on": "a -> b", "nth": [1, 2], "every": 5, "per": "flow", "do": "drop"}]})");
  ASSERT_EQ(config.rules.size(), 2u);
  EXPECT_EQ(config.rules[0].match, Transport::kUdp);
  EXPECT_EQ(config.rules[0].port, 53);
  EXPECT_EQ(config.rules[0].flow, 2u);
  EXPECT_EQ(config.rules[0].size->low, 1);
  EXPECT_EQ(config.rules[0].action, LinkRule::Action::kMark);
  EXPECT_FALSE(config.rules[0].per_flow);
  EXPECT_THAT(config.rules[1].nth, ElementsAre(1u, 2u));
  EXPECT_EQ(config.rules[1].every, 5u);
  EXPECT_TRUE(config.rules[1].per_flow);
}

TEST(BuildRule, TellsACountThatIsNeverReached) {
  EXPECT_THAT(mistakes(R"({"rules": [{"on": "a -> b", "nth": [1, 6], "every": 5, "do": "drop"}]})"),
              ElementsAre("3:40 the count begins anew after 5 packets"));
}

// ---- events

std::vector<std::pair<int64_t, int>> cuts(const LinkConfig& config) {
  std::vector<std::pair<int64_t, int>> found;
  for (const LinkChange& change : config.changes) {
    if (change.cut) found.emplace_back(change.at / 1ms, *change.cut ? 1 : 0);
  }
  return found;
}

TEST(BuildEvents, APartitionIsACutBothWays) {
  const std::string network =
      R"({"events": [{"at": "200ms", "partition": ["a", "b"], "for": "1s"}]})";
  const ReadResult result = read_good(with_network(network));
  ASSERT_EQ(result.scenario->links.size(), 2u);
  for (const LinkSpec& each : result.scenario->links) {
    EXPECT_THAT(cuts(each.config), ElementsAre(std::pair(200, 1), std::pair(1200, 0)));
    EXPECT_FALSE(each.config.is_transparent());
  }
}

TEST(BuildEvents, GroupsAreCutFromEachOtherOnly) {
  const ReadResult result =
      read_good(with_network(R"({"events": [{"at": "0s", "partition": [["a", "b"], "c"]}]})"));
  std::vector<std::string> directions;
  for (const LinkSpec& each : result.scenario->links) directions.push_back(each.from + each.to);
  EXPECT_THAT(directions, testing::UnorderedElementsAre("ac", "ca", "bc", "cb"));
}

TEST(BuildEvents, ADirectionIsCutWhileAnyPartitionLasts) {
  EXPECT_THAT(
      cuts(link_of(R"({"events": [
    {"at": "5s", "partition": ["a", "b"], "for": "1s"},
    {"at": "1s", "partition": ["a", "b"], "for": "3s"},
    {"at": "2s", "partition": [["a"], ["b", "c"]], "for": "1s"}]})")),
      ElementsAre(std::pair(1000, 1), std::pair(4000, 0), std::pair(5000, 1), std::pair(6000, 0)));
}

TEST(BuildEvents, HealingEndsWhatIsCutThen) {
  EXPECT_THAT(
      cuts(link_of(R"({"events": [
    {"at": "1s", "partition": ["a", "b"]},
    {"at": "2s", "heal": ["a", "b"]},
    {"at": "3s", "partition": ["a", "b"], "for": "9s"},
    {"at": "4s", "heal": true}]})")),
      ElementsAre(std::pair(1000, 1), std::pair(2000, 0), std::pair(3000, 1), std::pair(4000, 0)));
}

TEST(BuildEvents, SetReplacesWhatItNamesAndLeavesTheRest) {
  const LinkConfig config = link_of(R"({
    "a -> b": {"delay": "10ms", "rate": "1mbit"},
    "rules": [{"on": "a -> b", "do": "drop", "nth": 3}],
    "events": [
      {"at": "2s", "set": {"a <-> b": {"loss": "5%"}}},
      {"at": "1s", "set": {"*": {"delay": "1ms"}, "a -> b": {"delay": "20ms"}}}]})");
  EXPECT_EQ(config.rules.size(), 1u);
  ASSERT_EQ(config.changes.size(), 2u);
  const LinkConfig& first = *config.changes[0].parameters;
  EXPECT_EQ(config.changes[0].at, 1s);
  EXPECT_EQ(first.delay.low, 20ms);
  EXPECT_EQ(first.rate, 1'000'000u);
  EXPECT_EQ(first.loss.ppm, 0u);
  const LinkConfig& second = *config.changes[1].parameters;
  EXPECT_EQ(second.delay.low, 20ms);
  EXPECT_EQ(second.loss.ppm, 50'000u);
}

TEST(BuildEvents, TheLongFormReadsBackTheSame) {
  const ReadResult first = read_good(with_network(
      R"({"events": [{"at": "1s", "set": {"*": {"loss": "1%"}}},
                      {"at": "2s", "partition": ["a", "b"]}]})"));
  EXPECT_EQ(read_good(first.expanded).expanded, first.expanded);
}

TEST(BuildEvents, TellMistakes) {
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "partition": ["a", "d"]}]})"),
              ElementsAre(HasSubstr("3:45 unknown host 'd'")));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "partition": ["a"]}]})"),
              ElementsAre("3:39 two sides are needed at least ([\"client\", \"server\"])"));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "partition": ["a", ["b", "a"]]}]})"),
              ElementsAre("3:51 'a' cannot be on two sides"));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "heal": true}]})"),
              ElementsAre("3:34 nothing is cut then that could be healed"));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "partition": ["a", "b"], "for": "0s"}]})"),
              ElementsAre("3:58 a partition for no time cuts nothing"));
  EXPECT_THAT(mistakes(R"({"events": [{"partition": ["a", "b"]}]})"),
              ElementsAre(HasSubstr("'at' is missing")));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "set": {"a -> d": {"loss": "1%"}}}]})"),
              ElementsAre(HasSubstr("unknown host 'd'")));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "set": {"a -> b": {"los": "1%"}}}]})"),
              ElementsAre(HasSubstr("unknown key 'los'")));
  EXPECT_THAT(mistakes(R"({"events": [{"at": "1s", "set": {"a -> b": {"delay": "5s.."}}}]})"),
              ElementsAre(HasSubstr("a delay without an upper end")));
}

}  // namespace
}  // namespace netrig
