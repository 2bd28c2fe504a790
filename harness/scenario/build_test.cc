// What the reader makes of each part of a file: the fields of the model, and the places that
// findings will point at.
#include <gmock/gmock.h>
#include <poll.h>
#include <re2/re2.h>
#include <sys/socket.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;

ReadResult read_steps(const std::string& steps) {
  return read_good(client_steps(steps));
}

// The first step of a client whose steps begin in line 3.
template <typename Arguments>
Arguments arguments_of(const std::string& step) {
  return std::get<Arguments>(step_of(read_steps("[" + step + "]"), "client", 0).arguments);
}

std::string segments_of(const Template& text) {
  std::string shape;
  for (const Template::Segment& segment : text.segments) {
    shape += segment.variable.empty() ? segment.literal : "<" + segment.variable + ">";
  }
  return shape;
}

const Bytes& octets_of(const Payload& payload) {
  return std::get<Bytes>(payload.form);
}

// ---------------------------------------------------------------- head and actors

TEST(Build, ReadsTheHeadOfAFile) {
  auto result =
      read_scenario_text(R"({ "name": "N", "about": "A", "tags": ["b", "a"], "backends": ["real"],
    "skip": "later",
    "seed": 9, "timeout": "3s", "actors": { "a": { "bind": "udp" } } })",
                         "dir/UDP loss.json");
  ASSERT_TRUE(result.scenario);
  const Scenario& scenario = *result.scenario;
  EXPECT_EQ(scenario.id, "udp-loss");
  EXPECT_EQ(scenario.name, "N");
  EXPECT_EQ(scenario.about, "A");
  EXPECT_THAT(scenario.tags, ElementsAre("b", "a"));
  EXPECT_THAT(scenario.backends, ElementsAre("real"));
  EXPECT_EQ(scenario.skip->reason, "later");
  EXPECT_EQ(scenario.skip->at, (Location{2, 13, 7}));
  EXPECT_EQ(scenario.seed, 9u);
  EXPECT_EQ(scenario.timeout, 3s);
  EXPECT_EQ(scenario.source->path(), "dir/UDP loss.json");
}

TEST(Build, SeedOptionReplacesTheFilesAndIsInTheExpandedText) {
  std::string file = scenario_with(R"("actors": {"a": {"bind": "udp"}})");
  auto result = read_good(file, {.seed = 42});
  EXPECT_EQ(result.scenario->seed, 42u);
  EXPECT_EQ(read_good(result.expanded).scenario->seed, 42u);
}

TEST(Build, ReadsAnActorsOpening) {
  auto result = read_good(scenario_with(R"("actors": {
    "server": {"listen": "tcp://:80", "host": "box", "backlog": 5, "at_once": 2,
               "leftover": "ignore",
               "options": {"SO_RCVBUF": 4096, "SO_LINGER": "2s", "SO_RCVTIMEO": "15ms",
                           "TCP_CONGESTION": "reno"},
               "each": [{"eof": true}]},
    "client": {"connect": "server", "from": "tcp://:4000", "count": 3},
    "second": {"connect": "tcp://server:80", "host": "box"},
    "raw": {"steps": []} })"));
  const Scenario& scenario = *result.scenario;
  EXPECT_THAT(scenario.hosts, ElementsAre("box", "client", "raw"));
  const Actor& server = *find_actor(scenario, "server");
  EXPECT_EQ(server.opening, Opening::kListen);
  EXPECT_EQ(server.address.port, 80);
  EXPECT_EQ(server.host, "box");
  EXPECT_EQ(server.backlog, 5);
  EXPECT_EQ(server.at_once, 2);
  EXPECT_TRUE(server.ignore_leftover);
  EXPECT_TRUE(server.has_each);
  EXPECT_EQ(server.each.size(), 1u);
  ASSERT_EQ(server.options.size(), 4u);
  EXPECT_EQ(std::get<int64_t>(std::get<Number>(server.options[0].value)), 4096);
  EXPECT_EQ(std::get<LingerOption>(server.options[1].value).seconds, 2);
  EXPECT_EQ(std::get<int64_t>(std::get<Number>(server.options[2].value)), 15'000);
  EXPECT_EQ(std::get<Bytes>(server.options[3].value), "reno");
  const Actor& client = *find_actor(scenario, "client");
  EXPECT_EQ(client.target.actor, "server");
  EXPECT_EQ(client.from->port, 4000);
  EXPECT_EQ(client.count, 3);
  const Actor& second = *find_actor(scenario, "second");
  EXPECT_EQ(second.target.address.host, "box");  // the host of the actor that the address names
  EXPECT_EQ(find_actor(scenario, "raw")->opening, Opening::kNone);
}

// ---------------------------------------------------------------- payloads and matchers

TEST(Build, ReadsEveryPayload) {
  auto send = [](const std::string& payload) {
    return arguments_of<SendArguments>("{\"send\": " + payload + "}").payload;
  };
  EXPECT_EQ(segments_of(std::get<Template>(send("\"a ${i} $${b}\"").form)), "a <i> ${b}");
  EXPECT_EQ(octets_of(send(R"({"hex": "00 ff"})")), Bytes("\0\xff", 2));
  EXPECT_EQ(octets_of(send(R"({"base64": "aGk="})")), "hi");
  EXPECT_EQ(segments_of(std::get<Template>(send(R"({"lines": ["a ${i}", ""]})").form)),
            "a <i>\r\n\r\n");
  auto pattern = std::get<PatternPayload>(send(R"({"pattern": "ab", "length": "1KiB"})").form);
  EXPECT_EQ(std::get<int64_t>(pattern.length), 1024);
  auto random = std::get<RandomPayload>(send(R"({"random": 10})").form);
  EXPECT_EQ(random.path, "client.1");
  auto integer = std::get<IntegerPayload>(send(R"({"u32le": "${i}"})").form);
  EXPECT_EQ(integer.octets, 4);
  EXPECT_TRUE(integer.little_endian);
  EXPECT_EQ(std::get<Template>(integer.value).segments[0].variable, "i");
  EXPECT_EQ(std::get<std::vector<Payload>>(send(R"(["a", {"u8": 1}])").form).size(), 2u);
}

TEST(Build, ReadsEveryMatcher) {
  auto recv = [](const std::string& matcher) {
    return arguments_of<RecvArguments>("{\"recv\": " + matcher + "}").matcher;
  };
  EXPECT_TRUE(recv("\"x\"").exact);
  EXPECT_TRUE(recv(R"({"hex": "00"})").exact);
  EXPECT_TRUE(recv(R"({"pattern": "a", "length": 3})").exact);
  EXPECT_EQ(std::get<int64_t>(*recv(R"({"length": 4})").length), 4);
  auto until = recv(R"({"until": "\n", "prefix": "a", "contains": {"u8": 1}})");
  EXPECT_TRUE(until.until && until.prefix && until.contains && !until.exact);
  EXPECT_EQ(recv(R"({"any_of": ["a", {"length": 2}]})").any_of.size(), 2u);
  EXPECT_TRUE(recv(R"({"any": true})").any);
  EXPECT_TRUE(std::get<CollectArguments>(
                  step_of(read_steps(R"([{"collect": true}])"), "client", 0).arguments)
                  .matcher.any);
}

TEST(Build, PatternsMatchOctetsAndTheirGroupsAreVariables) {
  auto result =
      read_steps(R"x([{"recv": {"line": "hello (?P<who>.+)"}}, {"send": "welcome ${who}"}])x");
  const auto& recv = std::get<RecvArguments>(step_of(result, "client", 0).arguments);
  EXPECT_TRUE(re2::RE2::FullMatch("hello \xff\x01", *recv.matcher.line->compiled));
}

TEST(Build, RandomLikeNamesAnotherStep) {
  auto result = read_good(
      exchange(R"({"listen": "tcp", "steps": [{"recv": {"random": 9, "like": "client.1"}}]})",
               R"({"connect": "server", "steps": [{"send": {"random": 9}}]})"));
  const auto& recv = std::get<RecvArguments>(step_of(result, "server", 0).arguments);
  EXPECT_EQ(std::get<RandomPayload>(recv.matcher.exact->form).path, "client.1");
}

// ---------------------------------------------------------------- steps

TEST(Build, KnowsEveryPlaceOfAStep) {
  auto result = read_steps(
      "[{\"read\": 64, \"nonblocking\": true,\n"
      "  \"error\": [\"EAGAIN\", \"TIMEOUT\"], \"returns\": \"1..3\"}]");
  const Step& step = step_of(result, "client", 0);
  EXPECT_EQ(step.at, (Location{3, 3, 6}));
  EXPECT_EQ(step.value_at, (Location{3, 11, 2}));
  EXPECT_EQ(step.error_at.line, 4u);
  EXPECT_EQ(step.error_at.column, 12u);
  EXPECT_EQ(step.returns_at, (Location{4, 46, 6}));
  EXPECT_THAT(step.errors, ElementsAre(Errno(EAGAIN), Errno::timeout()));
  EXPECT_EQ(step.returns, (Range<int64_t>{1, 3}));
}

TEST(Build, PathsCountFromOneAndGoInwards) {
  auto result = read_steps(R"([{"close": true}, {"repeat": 2, "steps": [{"sleep": "1ms"},
    {"together": [[{"sleep": "1ms"}], [{"sleep": "2ms"}, {"sleep": "3ms"}]]}]}])");
  const auto& repeat = std::get<RepeatArguments>(step_of(result, "client", 1).arguments);
  EXPECT_EQ(repeat.steps[1].path, "client.2.2");
  const auto& together = std::get<TogetherArguments>(repeat.steps[1].arguments);
  EXPECT_EQ(together.branches[1][1].path, "client.2.2.2.2");
}

TEST(Build, ReadsModifiers) {
  auto result = read_steps(R"([{"read": 4, "on": "connection", "within": "1s", "after": "2ms",
    "save": {"size": "u32be", "kind": "u8"}, "export": true, "flags": ["MSG_PEEK", "MSG_WAITALL"],
     "note": "n"}])");
  const Step& step = step_of(result, "client", 0);
  EXPECT_EQ(step.on, "connection");
  EXPECT_EQ(step.within, 1s);
  EXPECT_EQ(step.after, 2ms);
  ASSERT_EQ(step.save->integers.size(), 2u);
  EXPECT_EQ(step.save->integers[0].name, "size");
  EXPECT_EQ(step.save->integers[0].octets, 4);
  EXPECT_TRUE(step.exported);
  EXPECT_EQ(step.flags, MSG_PEEK | MSG_WAITALL);
  EXPECT_EQ(step.note, "n");
}

TEST(Build, ReadsTheSocketApi) {
  auto socket = arguments_of<SocketArguments>(R"({"socket": "udp6", "as": "s"})");
  EXPECT_EQ(socket.domain, AF_INET6);
  EXPECT_EQ(socket.type, SOCK_DGRAM);
  auto object = arguments_of<SocketArguments>(
      R"({"socket": {"domain": "AF_UNIX", "type": "SOCK_SEQPACKET", "protocol": 3}})");
  EXPECT_EQ(object.protocol, 3);
  EXPECT_EQ(arguments_of<BindArguments>(R"({"bind": "tcp"})").address.port, 0);
  EXPECT_EQ(segments_of(arguments_of<BindArguments>(R"({"bind": "unix_dgram"})").address.path),
            "<tmp>/client.sock");
  EXPECT_EQ(std::get<int64_t>(arguments_of<ListenArguments>(R"({"listen": 7})").backlog), 7);
  EXPECT_EQ(arguments_of<ConnectArguments>(R"({"connect": "server"})").target.actor, "server");
  EXPECT_EQ(arguments_of<ShutdownArguments>(R"({"shutdown": "write"})").how, SHUT_WR);
  EXPECT_EQ(arguments_of<SendArguments>(R"({"send_to": "x", "to": "server"})").to->actor, "server");
  auto read = arguments_of<ReadArguments>(
      R"({"recv_msg": [4, "1KiB"], "data": "x", "from": "server", "message_flags": ["MSG_TRUNC"],
          "rights": ["r"]})");
  EXPECT_EQ(read.sizes.size(), 2u);
  EXPECT_EQ(read.from->actor, "server");
  EXPECT_THAT(read.rights, ElementsAre("r"));
  EXPECT_EQ(
      *arguments_of<GetOptionArguments>(R"({"get_option": "TCP_CONGESTION", "is": "reno"})").text,
      "reno");
  auto set = arguments_of<SetOptionArguments>(R"({"set_option": {"SO_LINGER": "off"}})");
  EXPECT_FALSE(std::get<LingerOption>(set.options[0].value).on);
  auto address = arguments_of<AddressArguments>(
      R"({"peer_address": {"address": "${server.address}", "port": "1.."}})");
  EXPECT_EQ(segments_of(*address.address), "<server.address>");
  EXPECT_EQ(address.port->low, 1);
}

TEST(Build, ReadsPoll) {
  auto poll = arguments_of<PollArguments>(
      R"({"poll": {"connection": {"events": "POLLIN|POLLOUT", "ready": ["POLLOUT"]}},
          "timeout": "10ms"})");
  EXPECT_EQ(poll.timeout, 10ms);
  ASSERT_EQ(poll.entries.size(), 1u);
  EXPECT_EQ(poll.entries[0].events, POLLIN | POLLOUT);
  EXPECT_EQ(poll.entries[0].ready, POLLOUT);
  EXPECT_FALSE(arguments_of<PollArguments>(R"({"poll": {"connection": "POLLIN"}})").timeout);
}

TEST(Build, AnErrnosNameIsANumberForSoError) {
  auto result = read_steps(R"([{"get_option": "SO_ERROR", "returns": "ECONNREFUSED"}])");
  EXPECT_EQ(step_of(result, "client", 0).returns, (Range<int64_t>{ECONNREFUSED, ECONNREFUSED}));
}

TEST(Build, ReadsControl) {
  auto loop = arguments_of<ForArguments>(
      R"({"for": "x", "in": [1, "a ${i}"], "steps": [{"send": "${x}"}]})");
  EXPECT_EQ(std::get<int64_t>(loop.values[0]), 1);
  EXPECT_EQ(segments_of(std::get<Template>(loop.values[1])), "a <i>");
  EXPECT_EQ(loop.steps.size(), 1u);
  EXPECT_EQ(arguments_of<BarrierArguments>(R"({"barrier": "b"})").name, "b");
  EXPECT_EQ(arguments_of<SleepArguments>(R"({"sleep": "1.5s"})").duration, 1500ms);
  auto collect = arguments_of<CollectArguments>(
      R"({"collect": {"length": 3}, "until": {"idle": "1s", "count": 4}})");
  EXPECT_EQ(collect.idle, 1s);
  EXPECT_EQ(std::get<int64_t>(*collect.count), 4);
}

// ---------------------------------------------------------------- network and expectations

TEST(Build, MoreSpecificDirectionsWinKeyByKey) {
  auto result = read_good(scenario_with(R"(
    "network": {
      "a -> b": {"loss": "3%"},
      "*": {"loss": "1%", "delay": "1ms", "rate": "1mbit"},
      "b <-> a": {"loss": "2%", "delay": "2ms..3ms"} },
    "actors": {"a": {"bind": "udp"}, "b": {"bind": "udp"}, "c": {"bind": "udp"}})"));
  std::map<std::string, const LinkSpec*> links;
  for (const LinkSpec& link : result.scenario->links) links[link.from + link.to] = &link;
  ASSERT_EQ(links.size(), 6u);
  EXPECT_EQ(links["ab"]->config.loss.ppm, 30'000u);
  EXPECT_EQ(links["ab"]->config.delay.high, 3ms);
  EXPECT_EQ(links["ab"]->config.rate, 1'000'000u);
  EXPECT_EQ(links["ab"]->at, (Location{4, 7, 8}));
  EXPECT_EQ(links["ba"]->config.loss.ppm, 20'000u);
  EXPECT_EQ(links["ca"]->config.loss.ppm, 10'000u);
  EXPECT_EQ(links["ca"]->at, (Location{5, 7, 3}));
}

TEST(Build, ReadsRules) {
  auto result = read_good(scenario_with(R"(
    "network": {"rules": [{"on": "a -> b", "match": "udp", "nth": [3, 5], "do": "drop"},
                          {"on": "a -> b", "do": {"delay": "20ms"}}]},
    "actors": {"a": {"bind": "udp"}, "b": {"bind": "udp"}})"));
  ASSERT_EQ(result.scenario->links.size(), 1u);
  const std::vector<LinkRule>& rules = result.scenario->links[0].config.rules;
  EXPECT_EQ(rules[0].match, Transport::kUdp);
  EXPECT_THAT(rules[0].nth, ElementsAre(3u, 5u));
  EXPECT_EQ(rules[1].action, LinkRule::Action::kDelay);
  EXPECT_EQ(rules[1].delay, 20ms);
}

TEST(Build, ReadsExpectations) {
  auto result = read_good(
      scenario_with(R"("actors": {"server": {"listen": "tcp"}, "client": {"connect": "server"}},
    "packets": {"mine": "dst port ${server.port} and host ${server.address}"},
    "expect": [
      {"capture": "mine", "count": 2, "bytes": "1.."},
      {"order": ["syn", "mine"]},
      {"time": ["syn", "syn_ack"], "is": "..5ms"},
      {"delivery": "client -> server", "lost": 0},
      {"latency": "client -> server", "p50": "1ms..2ms"},
      {"connections": "server", "accepted": 1},
      {"stream": "client -> server", "connection": 2, "is": {"prefix": "x"}} ])"));
  const auto& all = result.scenario->expectations;
  ASSERT_EQ(all.size(), 7u);
  const auto& capture = std::get<CaptureExpectation>(all[0].what);
  EXPECT_EQ(capture.count->range, (Range<int64_t>{2, 2}));
  EXPECT_EQ(capture.count->at, (Location{5, 36, 1}));
  EXPECT_EQ(all[0].at, (Location{5, 8, 9}));
  EXPECT_EQ(std::get<OrderExpectation>(all[1].what).places[1], (Location{6, 25, 6}));
  EXPECT_EQ(std::get<TimeExpectation>(all[2].what).is.range.high, 5ms);
  EXPECT_EQ(std::get<DeliveryExpectation>(all[3].what).counts.at("lost").range.high, 0);
  EXPECT_EQ(std::get<LatencyExpectation>(all[4].what).quantiles.at("p50").range.low, 1ms);
  EXPECT_EQ(std::get<ConnectionsExpectation>(all[5].what).actor, "server");
  EXPECT_EQ(std::get<StreamExpectation>(all[6].what).connection, 2);
  EXPECT_EQ(segments_of(result.scenario->packets.at("mine").filter),
            "dst port <server.port> and host <server.address>");
}

}  // namespace
}  // namespace netrig
