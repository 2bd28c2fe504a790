#include <gmock/gmock.h>

#include "harness/scenario/format_table.h"
#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const Payload& payload) {
  return std::get<Template>(payload.form).literal();
}

// "send ping", "recv ping", "barrier rung 1"
std::vector<std::string> story(const ReadResult& result, const std::string& actor) {
  std::vector<std::string> story;
  for (const Step& step : find_actor(*result.scenario, actor)->steps) {
    std::string line(verb_name(step.verb));
    if (const auto* send = std::get_if<SendArguments>(&step.arguments)) {
      line += " " + text_of(send->payload) + (send->to ? " to " + send->to->actor : "");
    } else if (const auto* recv = std::get_if<RecvArguments>(&step.arguments)) {
      line += " " + text_of(*recv->matcher.exact);
    } else {
      line += " " + std::get<BarrierArguments>(step.arguments).name;
    }
    story.push_back(line);
  }
  return story;
}

// "client -> server drop udp 2"
std::vector<std::string> rules(const ReadResult& result) {
  std::vector<std::string> rules;
  for (const LinkSpec& link : result.scenario->links) {
    for (const LinkRule& rule : link.config.rules) {
      std::string what =
          rule.action == LinkRule::Action::kDrop ? "drop" : format_duration(rule.delay);
      rules.push_back(fmt::format("{} -> {} {} {} {}", link.from, link.to,
                                  transport_name(*rule.match), *rule.nth.begin(), what));
    }
  }
  return rules;
}

std::string ladder(const std::string& actors, const std::string& rungs) {
  return scenario_with("\"actors\": " + actors + ",\n\"ladder\": [\n" + rungs + "]");
}

constexpr const char* kUdp = R"({"server": {"bind": "udp"}, "client": {"connect": "server"}})";
constexpr const char* kTcp = R"({"server": {"listen": "tcp"}, "client": {"connect": "server"}})";

TEST(Ladder, ARungIsASendAReceiveAndABarrierOfBothEnds) {
  auto result =
      read_good(ladder(kTcp, R"({"client -> server": "hi"}, {"server -> client": "ho"})"));
  EXPECT_THAT(story(result, "client"),
              ElementsAre("send hi", "barrier rung 1", "recv ho", "barrier rung 2"));
  EXPECT_THAT(story(result, "server"),
              ElementsAre("recv hi", "barrier rung 1", "send ho", "barrier rung 2"));
}

TEST(Ladder, WhoActsNextWaitsForARungItTakesNoPartIn) {
  auto result = read_good(ladder(
      R"({"a": {"bind": "udp"}, "b": {"bind": "udp"}, "c": {"bind": "udp"}, "d": {"bind": "udp"}})",
      R"({"a -> b": "1"}, {"c -> d": "2"})"));
  EXPECT_THAT(story(result, "c"),
              ElementsAre("barrier rung 1", "send_to 2 to d", "barrier rung 2"));
}

TEST(Ladder, FlightTimesOrderTheReceives) {
  auto result = read_good(ladder(kUdp, R"({"client -> server": "ping 1", "takes": "20ms"},
    {"client -x server": "ping 2", "note": "lost on the way"},
    {"client -> server": "ping 3", "takes": "30ms"},
    {"client -> server": "ping 4", "takes": "20ms"},
    {"server -> client": "got 1 4 3"})"));
  EXPECT_THAT(story(result, "client"),
              ElementsAre("send ping 1", "send ping 2", "send ping 3", "send ping 4",
                          "recv got 1 4 3", "barrier rung 5"));
  EXPECT_THAT(story(result, "server"), ElementsAre("recv ping 1", "recv ping 4", "recv ping 3",
                                                   "send got 1 4 3", "barrier rung 5"));
  EXPECT_THAT(rules(result),
              ElementsAre("client -> server udp 1 20ms", "client -> server udp 2 drop",
                          "client -> server udp 3 30ms", "client -> server udp 4 20ms"));
  EXPECT_EQ(step_of(result, "client", 1).note, "lost on the way");
}

TEST(Ladder, ADatagramWithoutFlightTimeOvertakesOneUnderWay) {
  auto result = read_good(ladder(
      kUdp, R"({"client -> server": "slow", "takes": "20ms"}, {"client -> server": "fast"})"));
  EXPECT_THAT(story(result, "server"), ElementsAre("recv fast", "barrier rung 2", "recv slow"));
}

TEST(Ladder, AfterALostDatagramTheOtherEndKnowsThatItWasSent) {
  auto result = read_good(ladder(kUdp, R"({"client -> server": "1"}, {"client -x server": "2"},
    {"server -> client": "3"})"));
  EXPECT_THAT(story(result, "server"), ElementsAre("recv 1", "barrier rung 1", "barrier rung 2",
                                                   "send 3", "barrier rung 3"));
}

TEST(Ladder, RulesCountTheDatagramsOfTheirDirection) {
  auto result = read_good(ladder(kUdp, R"({"client -> server": "1"}, {"server -> client": "2"},
    {"server -x client": "3"}, {"client -x server": "4"})"));
  EXPECT_THAT(rules(result),
              ElementsAre("server -> client udp 2 drop", "client -> server udp 2 drop"));
}

TEST(Ladder, RulesComeAfterThoseOfTheFile) {
  auto result = read_good(scenario_with(
      R"("network": {"client -> server": {"loss": "1%"},
                     "rules": [{"on": "client -> server", "do": "corrupt"}]},
         "actors": {"server": {"bind": "udp"}, "client": {"connect": "server"}},
         "ladder": [{"client -x server": "2"}])"));
  ASSERT_EQ(result.scenario->links.size(), 1u);
  const LinkConfig& config = result.scenario->links[0].config;
  EXPECT_EQ(config.loss.ppm, 10'000u);
  ASSERT_EQ(config.rules.size(), 2u);
  EXPECT_EQ(config.rules[0].action, LinkRule::Action::kCorrupt);
  EXPECT_EQ(config.rules[1].action, LinkRule::Action::kDrop);
}

TEST(Ladder, RandomOctetsAreExpectedByTheStepThatMadeThem) {
  auto result = read_good(
      ladder(kTcp, R"({"client -> server": "x"}, {"client -> server": ["a", {"random": 10}]})"));
  const auto& recv = std::get<RecvArguments>(step_of(result, "server", 2).arguments);
  const auto& parts = std::get<std::vector<Payload>>(recv.matcher.exact->form);
  EXPECT_EQ(std::get<RandomPayload>(parts[1].form).path, "client.3");
}

TEST(Ladder, AUnixDatagramClientThatIsAnsweredGetsAnAddress) {
  auto result =
      read_good(ladder(R"({"server": {"bind": "unix_dgram"}, "client": {"connect": "server"}})",
                       R"({"client -> server": "1"}, {"server -> client": "2"})"));
  const Actor* client = find_actor(*result.scenario, "client");
  ASSERT_TRUE(client->from);
  EXPECT_EQ(client->from->path.segments.back().literal, "/client.sock");
}

TEST(Ladder, EveryStepStandsAtItsRung) {
  auto result = read_good(ladder(kTcp, "{\"client -> server\": \"hi\"}"));
  for (const char* actor : {"client", "server"}) {
    for (const Step& step : find_actor(*result.scenario, actor)->steps) {
      EXPECT_EQ(step.at, (Location{4, 2, 18})) << actor;
    }
  }
  EXPECT_EQ(step_of(result, "server", 0).value_at, (Location{4, 22, 4}));
}

// ---------------------------------------------------------------- mistakes

std::vector<std::string> ladder_mistakes(const std::string& actors, const std::string& rungs) {
  return mistakes_of(read_scenario_text(ladder(actors, rungs), "t.json"));
}

TEST(Ladder, UnknownActorsAreToldAtTheirRung) {
  EXPECT_THAT(ladder_mistakes(kTcp, "{\"client -> sever\": \"x\"}"),
              ElementsAre("4:2 unknown actor 'sever' (did you mean 'server'?)"));
}

TEST(Ladder, AStreamLosesNothingAndHasNoFlightTimes) {
  EXPECT_THAT(ladder_mistakes(kTcp,
                              "{\"client -x server\": \"x\"},\n"
                              "{\"client -> server\": \"x\", \"takes\": \"1ms\"}"),
              ElementsAre(HasSubstr("4:2 a stream loses nothing"),
                          HasSubstr("5:27 'takes' is for datagrams")));
}

TEST(Ladder, StepsAndALadderExcludeEachOther) {
  EXPECT_THAT(ladder_mistakes("{\"server\": {\"listen\": \"tcp\", \"steps\": []}, \"client\": "
                              "{\"connect\": \"server\"}}",
                              "{\"client -> server\": \"x\"}"),
              ElementsAre(HasSubstr("2:40 'steps' and \"ladder\" cannot stand in one file")));
}

TEST(Ladder, EndsMustBeConnected) {
  EXPECT_THAT(
      ladder_mistakes(R"({"a": {"listen": "tcp"}, "b": {"listen": "tcp"}})", "{\"a -> b\": \"x\"}"),
      ElementsAre(HasSubstr("4:2 'a' and 'b' are not connected")));
}

TEST(Ladder, ABoundSocketAnswersWhoeverSentLast) {
  constexpr const char* kTwo =
      R"({"s": {"bind": "udp"}, "a": {"connect": "s"}, "b": {"connect": "s"}})";
  EXPECT_THAT(ladder_mistakes(kTwo, "{\"s -> a\": \"x\"}"),
              ElementsAre(HasSubstr("4:2 's' has received nothing yet")));
  EXPECT_THAT(
      ladder_mistakes(kTwo, "{\"a -> s\": \"x\"}, {\"b -> s\": \"x\"},\n{\"s -> a\": \"x\"}"),
      ElementsAre(HasSubstr("5:2 's' answers whoever sent last, which is 'b'")));
}

TEST(Ladder, AMistakeInAPayloadIsToldOnce) {
  EXPECT_THAT(ladder_mistakes(kTcp, "{\"client -> server\": \"${nobody}\"}"),
              ElementsAre(HasSubstr("4:22 unknown variable 'nobody'")));
}

}  // namespace
}  // namespace netrig
