// Mistakes that need more than one value to be seen: each is told once, at its place. And files
// that cannot be read.
#include "harness/scenario/reader.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> read_bad(const std::string& text) {
  return mistakes_of(read_scenario_text(text, "t.json"));
}

std::vector<std::string> bad_steps(const std::string& steps) {
  return read_bad(client_steps(steps));
}

// A folder of its own that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "netrig-reader-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((std::filesystem::path(path_) / name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// ---------------------------------------------------------------- names

TEST(Reader, UnknownActorsAreToldWithTheNearest) {
  EXPECT_THAT(read_bad(exchange(R"({"listen": "tcp"})", R"({"connect": "sever"})")),
              ElementsAre("4:13 unknown actor 'sever' (did you mean 'server'?)"));
  EXPECT_THAT(bad_steps("[{\"recv_from\": 5, \"from\": \"clientt\"}]"),
              ElementsAre("3:27 unknown actor 'clientt' (did you mean 'client'?)"));
  EXPECT_THAT(bad_steps("[{\"connect\": \"tcp://srever:80\"}]"),
              ElementsAre("3:14 unknown host 'srever' (did you mean 'server'?)"));
}

TEST(Reader, AnActorThatCannotBeReachedIsAMistake) {
  EXPECT_THAT(bad_steps("[{\"connect\": \"client\"}]"),
              ElementsAre("3:14 'client' cannot be reached: it binds no address"));
  EXPECT_THAT(bad_steps("[{\"send_to\": \"x\", \"to\": \"tcp://server\"}]"),
              ElementsAre(HasSubstr("3:25 'tcp://server' needs a host and a port here")));
}

TEST(Reader, AnActorWithoutAnOpeningIsReachedWhereItsStepsBind) {
  EXPECT_THAT(read_bad(exchange(
                  R"({"steps": [{"socket": "tcp"}, {"together": [[{"bind": "tcp://:80"}]]}]})",
                  R"({"connect": "server", "steps": [{"send": "${server.port}"},
                                    {"recv": {"prefix": "x"}}]})")),
              ElementsAre(HasSubstr("on a stream 'prefix' needs")));
}

TEST(Reader, UnknownVariablesAreToldWithTheNearest) {
  EXPECT_THAT(bad_steps("[{\"read\": 4, \"save\": \"size\"},\n{\"send\": \"${sise}\"}]"),
              ElementsAre("4:10 unknown variable 'sise' (did you mean 'size'?)"));
  EXPECT_THAT(bad_steps("[{\"send\": \"${sever.port}\"}]"),
              ElementsAre("3:11 unknown actor 'sever' (did you mean 'server'?)"));
  EXPECT_THAT(bad_steps("[{\"send\": \"${server.pord}\"}]"),
              ElementsAre(HasSubstr("3:11 unknown property of the actor 'server': 'pord'")));
  EXPECT_THAT(bad_steps("[{\"send\": \"${server.path}\"}]"),
              ElementsAre("3:11 'server' has no path: its transport is tcp"));
  EXPECT_THAT(bad_steps("[{\"send\": \"${client.port}\"}]"),
              ElementsAre("3:11 'client' has no port: it binds no address"));
}

TEST(Reader, VariablesBelongToTheirActorUnlessExported) {
  auto with = [](const std::string& exported) {
    return exchange(R"({"listen": "tcp", "steps": [{"read": 4, "save": "x")" + exported + "}]}",
                    R"({"connect": "server", "steps": [{"send": "${x}"}]})");
  };
  EXPECT_THAT(read_bad(with("")), ElementsAre(HasSubstr("4:42 unknown variable 'x'")));
  EXPECT_THAT(read_bad(with(", \"export\": true")), ElementsAre());
}

TEST(Reader, ExportNeedsOneValueAndSomethingKept) {
  EXPECT_THAT(bad_steps("[{\"read\": 4, \"export\": true}]"),
              ElementsAre(HasSubstr("3:24 'export' without anything that is kept")));
  EXPECT_THAT(read_bad(exchange(R"x({"listen": "tcp", "each": [
    {"recv": {"line": "(?P<x>.)"}, "export": true}]})x",
                                R"({"connect": "server"})")),
              ElementsAre("3:46 'export' from 'each' would set one name many times"));
}

TEST(Reader, NamesThatAreTakenCannotBeSaved) {
  EXPECT_THAT(bad_steps("[{\"read\": 4, \"save\": \"seed\"}]"),
              ElementsAre(HasSubstr("3:22 'seed' is a variable that netrig gives")));
  EXPECT_THAT(
      read_bad(scenario_with("\"vars\": {\"x\": 1},\n\"actors\": {\"a\": {\"bind\": \"udp\", "
                             "\"steps\": [{\"read\": 4, \"save\": \"x\"}]}}")),
      ElementsAre(HasSubstr("3:63 'x' is in \"vars\" already")));
}

TEST(Reader, UnknownSocketsAreToldWithTheNearest) {
  EXPECT_THAT(
      bad_steps(
          "[{\"socket\": \"tcp\", \"as\": \"second\"},\n{\"close\": true, \"on\": \"secnd\"}]"),
      ElementsAre("4:23 unknown socket 'secnd' (did you mean 'second'?)"));
  EXPECT_THAT(bad_steps("[{\"poll\": {\"listener\": \"POLLIN\"}}]"),
              ElementsAre(HasSubstr("3:12 unknown socket 'listener'")));
  EXPECT_THAT(bad_steps("[{\"send_msg\": \"x\", \"rights\": [\"lost\"]}]"),
              ElementsAre(HasSubstr("3:31 unknown socket 'lost'")));
}

TEST(Reader, UnknownStepsAreTold) {
  EXPECT_THAT(bad_steps("[{\"recv\": {\"random\": 5, \"like\": \"server.9\"}}]"),
              ElementsAre(HasSubstr("3:33 unknown step 'server.9'")));
  EXPECT_THAT(bad_steps("[{\"recv\": {\"random\": 5}}]"),
              ElementsAre(HasSubstr("3:22 random octets that are expected need 'like'")));
}

TEST(Reader, NetworkAndExpectationsNameHosts) {
  EXPECT_THAT(
      read_bad(scenario_with("\"network\": {\n\"a -> c\": {\"loss\": \"1%\"},\n"
                             "\"rules\": [{\"on\": \"a -> a\", \"do\": \"drop\"}]},\n"
                             "\"actors\": {\"a\": {\"bind\": \"udp\"}, \"b\": {\"host\": \"a\"}},\n"
                             "\"expect\": [{\"delivery\": \"a -> b\", \"lost\": 0},\n"
                             "{\"connections\": \"a\", \"accepted\": 0},\n"
                             "{\"capture\": \"sny\", \"count\": 0}]")),
      ElementsAre(HasSubstr("3:1 unknown host 'c'"),
                  HasSubstr("4:18 a host's packets to itself do not cross the network"),
                  HasSubstr("6:25 'b' is not a host but an actor on the host 'a'"),
                  HasSubstr("7:17 'a' has no connections: its transport is udp"),
                  "8:13 unknown kind of packets 'sny' (did you mean 'syn'?)"));
}

// ---------------------------------------------------------------- meaning

TEST(Reader, ConditionsOnAStreamNeedAFrame) {
  EXPECT_THAT(bad_steps("[{\"recv\": {\"contains\": \"x\"}},\n{\"recv\": {\"any_of\": [\"a\", "
                        "{\"prefix\": \"b\"}]}}]"),
              ElementsAre(HasSubstr("3:12 on a stream 'contains' needs"),
                          HasSubstr("4:28 on a stream 'prefix' needs")));
  EXPECT_THAT(bad_steps("[{\"recv\": {\"contains\": \"x\", \"length\": 4}}, {\"read\": 9, "
                        "\"data\": {\"prefix\": \"x\"}}]"),
              ElementsAre());
  EXPECT_THAT(
      read_bad(exchange(R"({"bind": "udp"})",
                        R"({"connect": "server", "steps": [{"recv": {"contains": "x"}}]})")),
      ElementsAre());
}

TEST(Reader, CollectingDatagramsNeedsAnEnd) {
  EXPECT_THAT(read_bad(exchange(R"({"bind": "udp", "steps": [{"collect": true}]})",
                                R"({"connect": "server"})")),
              ElementsAre(HasSubstr("2:60 on datagrams 'collect' needs 'until'")));
}

TEST(Reader, ABarrierInsideEachIsAMistake) {
  EXPECT_THAT(
      read_bad(exchange(
          "{\"listen\": \"tcp\", \"each\": [{\"repeat\": 2, \"steps\": [\n{\"barrier\": \"b\"}]}]}",
          R"({"connect": "server"})")),
      ElementsAre(HasSubstr("3:13 a barrier inside 'each'")));
}

TEST(Reader, OpeningsMustFitTheirTransport) {
  EXPECT_THAT(
      read_bad(scenario_with("\"actors\": {\"a\": {\"listen\": \"tcp://b:80\"}, \"b\": {}}")),
      ElementsAre("2:28 'a' is on the host 'a' and cannot have an address of 'b'"));
  EXPECT_THAT(
      read_bad(exchange(R"({"listen": "tcp"})", R"({"connect": "server", "from": "udp://:1"})")),
      ElementsAre("4:31 'from' is udp, and the connection is tcp"));
  EXPECT_THAT(read_bad(scenario_with("\"actors\": {\"a\": {\"bind\": \"tcp://:65536\"}}")),
              ElementsAre("2:26 port 65536 is out of range (ports are 0..65535)"));
}

TEST(Reader, PatternsAndFiltersMustCompile) {
  EXPECT_THAT(bad_steps("[{\"recv\": {\"line\": \"(a\"}}]"),
              ElementsAre(HasSubstr("3:20 this pattern does not compile: missing ): (a")));
  EXPECT_THAT(bad_steps("[{\"recv\": {\"line\": \"((a{1000}){1000}){1000}\"}}]"),
              ElementsAre(HasSubstr("3:20 this pattern does not compile")));
  EXPECT_THAT(
      read_bad(scenario_with("\"actors\": {\"a\": {\"listen\": \"tcp\"}},\n"
                             "\"packets\": {\"p\": \"prot ${a.port}\",\n\"syn\": \"tcp\"}")),
      ElementsAre(HasSubstr("3:18 this filter does not compile"),
                  HasSubstr("4:1 'syn' is built in")));
}

TEST(Reader, InstancesAreLimitedAllTogether) {
  EXPECT_THAT(read_bad(scenario_with("\"actors\": {\"a\": {\"bind\": \"udp\", \"count\": 60000},\n"
                                     "\"b\": {\"bind\": \"udp\", \"count\": 60000}}")),
              ElementsAre(HasSubstr("3:1 more than 100000 instances")));
}

TEST(Reader, PayloadsAreLimited) {
  EXPECT_THAT(bad_steps("[{\"send\": [{\"random\": \"200MiB\"}, {\"random\": \"200MiB\"}]}]"),
              ElementsAre(HasSubstr("3:11 a payload of more than 268435456 octets")));
}

// ---------------------------------------------------------------- many at once

TEST(Reader, MistakesOfAllStagesAreToldTogetherInOrderOfPlace) {
  EXPECT_THAT(read_bad("{\"name\": \"x\", \"sed\": 4,\n"
                       "\"actors\": {\"server\": {\"listen\": \"tcp\", \"steps\": [{\"sned\": 1},\n"
                       "{\"send\": \"${nobody}\"}]},\n"
                       "\"client\": {\"connect\": \"sever\", \"steps\": [{\"sleep\": 5},\n"
                       "{\"recv\": {\"line\": \"(\"}}]}}}"),
              ElementsAre("1:15 unknown key 'sed' (did you mean 'seed'?)",
                          "2:51 unknown verb 'sned' (did you mean 'send'?)",
                          HasSubstr("3:10 unknown variable 'nobody'"),
                          "4:23 unknown actor 'sever' (did you mean 'server'?)",
                          HasSubstr("4:52 'sleep' must be"),
                          HasSubstr("5:19 this pattern does not compile")));
}

TEST(Reader, AMisspeltOpeningIsNotToldTwice) {
  EXPECT_THAT(read_bad(exchange("{\"lisen\": \"tcp\"}", R"({"connect": "server"})")),
              ElementsAre("2:23 unknown key 'lisen' (did you mean 'listen'?)"));
}

TEST(Reader, NoTreeIsTooOddToBeJudged) {
  // Every value of the format in turn is replaced by values of all kinds: mistakes come, nothing
  // breaks.
  const std::string keys[] = {"name", "tags",    "backends", "skip",   "seed",    "timeout",
                              "vars", "network", "actors",   "ladder", "packets", "expect"};
  const std::string values[] = {"null",
                                "1",
                                "-1.5",
                                "\"${\"",
                                "\"x\"",
                                "[]",
                                "[[[]]]",
                                "{}",
                                "[{}]",
                                "{\"a\": null}",
                                "{\"a\": {\"a\": {}}}",
                                "[null, 1, \"a\"]",
                                "true"};
  for (const std::string& key : keys) {
    for (const std::string& value : values) {
      auto result =
          read_scenario_text("{\"name\": \"x\", \"" + key + "\": " + value + "}", "t.json");
      EXPECT_EQ(result.mistakes.empty(), result.scenario.has_value()) << key << value;
      for (const char* inner : {"listen", "connect", "from", "each", "steps", "options", "count"}) {
        read_scenario_text(
            scenario_with("\"actors\": {\"a\": {\"" + std::string(inner) + "\": " + value + "}}"),
            "t.json");
      }
    }
  }
}

TEST(Reader, StepsOfOddShapesAreMistakesNotCrashes) {
  const std::string verbs[] = {
      "send",       "recv",       "eof",           "collect",      "socket",  "bind",
      "listen",     "accept",     "connect",       "read",         "write",   "send_to",
      "recv_from",  "send_msg",   "recv_msg",      "shutdown",     "close",   "reset",
      "get_option", "set_option", "local_address", "peer_address", "poll",    "pair",
      "sleep",      "barrier",    "repeat",        "for",          "together"};
  const std::string values[] = {
      "null",   "1.5", "\"\"",        "\"${x}\"",         "[]",
      "[null]", "{}",  "{\"x\": {}}", "{\"pattern\": 1}", "{\"any_of\": {}}",
      "[[{}]]"};
  for (const std::string& verb : verbs) {
    for (const std::string& value : values) {
      auto result =
          read_scenario_text(client_steps("[{\"" + verb + "\": " + value + ", \"steps\": " + value +
                                          ", \"in\": " + value + ", \"until\": " + value +
                                          ", \"save\": " + value + ", \"as\": " + value + "}]"),
                             "t.json");
      EXPECT_FALSE(result.mistakes.empty()) << verb << value;
    }
  }
}

TEST(Reader, EndlessMistakesAreCounted) {
  std::string steps = "[{\"connect\": \"nobody\"}";
  for (int i = 0; i < 500; ++i) steps += ",\n{\"connect\": \"nobody\"}";
  auto mistakes = bad_steps(steps + "]");
  ASSERT_EQ(mistakes.size(), kDiagnosticsMax + 1);
  EXPECT_THAT(mistakes.back(), HasSubstr("and 301 more mistakes"));
}

// ---------------------------------------------------------------- files

TEST(Reader, FilesThatCannotBeReadAreAnswers) {
  Folder folder;
  auto problem = [](const std::string& path) {
    auto result = read_scenario(path);
    EXPECT_TRUE(result.source);
    return mistakes_of(result);
  };
  EXPECT_THAT(problem(folder.path() + "/none.json"), ElementsAre("0:0 no such file"));
  EXPECT_THAT(problem(folder.path()), ElementsAre("0:0 it is a directory"));
  const std::string pipe = folder.path() + "/pipe.json";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(problem(pipe), ElementsAre("0:0 it is not a regular file"));
  const std::string big = folder.write("big.json", "");
  std::filesystem::resize_file(big, kScenarioBytesMax + 1);
  EXPECT_THAT(problem(big),
              ElementsAre(HasSubstr("0:0 it has 16777217 octets, 16MiB are the limit")));
}

TEST(Reader, PayloadFilesAreReadFromTheScenariosFolder) {
  Folder folder;
  folder.write("in/data.bin", "0123456789");
  auto payload_of = [&](const std::string& payload) {
    auto result =
        read_scenario(folder.write("in/t.json", client_steps("[{\"send\": " + payload + "}]")));
    EXPECT_THAT(mistakes_of(result), ElementsAre());
    const auto& send = std::get<SendArguments>(step_of(result, "client", 0).arguments);
    return std::get<Bytes>(send.payload.form);
  };
  EXPECT_EQ(payload_of(R"({"file": "data.bin"})"), "0123456789");
  EXPECT_EQ(payload_of(R"({"file": "./data.bin", "range": "2..4"})"), "234");
  EXPECT_EQ(payload_of(R"({"file": "data.bin", "range": "8.."})"), "89");
}

TEST(Reader, PayloadFilesNeverLeaveTheFolder) {
  Folder folder;
  folder.write("secret", "x");
  folder.write("in-beside/secret", "x");
  folder.write("in/data.bin", "0123456789");
  std::filesystem::create_symlink(folder.path() + "/secret", folder.path() + "/in/link");
  auto problem = [&](const std::string& payload) {
    auto result =
        read_scenario(folder.write("in/t.json", client_steps("[{\"send\": " + payload + "}]")));
    auto mistakes = mistakes_of(result);
    return mistakes.empty() ? std::string("none") : mistakes[0];
  };
  for (const char* path : {"../secret", "link", "/etc/passwd", "../in-beside/secret"}) {
    EXPECT_THAT(problem(fmt::format("{{\"file\": \"{}\"}}", path)),
                HasSubstr("3:20 the file '" + std::string(path) +
                          "': it is outside of the scenario's folder"));
  }
  EXPECT_THAT(problem(R"({"file": "none"})"), HasSubstr("3:20 the file 'none': no such file"));
  EXPECT_THAT(problem(R"({"file": "."})"), HasSubstr("it is a directory"));
  EXPECT_THAT(problem(R"({"file": "data.bin", "range": "5..10"})"),
              HasSubstr("it has only 10 octets"));
}

TEST(Reader, ExpectationsOfACaptureNeedNoActors) {
  Folder folder;
  const std::string good =
      folder.write("good.json", R"({"packets": {"p": "tcp port 80"}, "expect": [
    {"capture": "p", "count": 1}, {"order": ["syn", "fin"]},
    {"time": ["syn", "fin"], "is": "..1s"}]})");
  auto result = read_expectations(good);
  EXPECT_THAT(mistakes_of(result), ElementsAre());
  ASSERT_TRUE(result.scenario);
  EXPECT_EQ(result.scenario->expectations.size(), 3u);
  const std::string bad =
      folder.write("bad.json", "{\"expect\": [\n{\"connections\": \"a\", \"accepted\": 1}]}");
  EXPECT_THAT(mistakes_of(read_expectations(bad)),
              ElementsAre(HasSubstr("2:2 'connections' can only be checked in a run")));
}

TEST(Reader, StreamsOfACaptureAreNamedByAddresses) {
  Folder folder;
  auto mistakes = [&](const std::string& direction) {
    return mistakes_of(read_expectations(folder.write(
        "t.json", "{\"expect\": [\n{\"stream\": \"" + direction + "\", \"is\": \"x\"}]}")));
  };
  EXPECT_THAT(mistakes("10.0.0.1:4000 -> 10.0.0.2:80"), ElementsAre());
  EXPECT_THAT(mistakes("client -> server"), ElementsAre(HasSubstr("2:12 ")));
}

}  // namespace
}  // namespace netrig
