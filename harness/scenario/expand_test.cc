#include "harness/scenario/expand.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>

#include "harness/scenario/scenario_testing.h"

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Expand, ServicesWithoutAPortGetOneThatTheFileDoesNotUse) {
  auto result = read_good(scenario_with(R"("actors": {
    "a": {"listen": "tcp"}, "b": {"bind": "udp://"}, "c": {"listen": "tcp6://[::1]"},
    "d": {"listen": "tcp://:5002"}, "e": {"listen": "tcp://:0"},
    "f": {"steps": [{"socket": "tcp"}, {"connect": "tcp://10.0.0.1:5004"}]} })"));
  std::vector<int> ports;
  for (const Actor& actor : result.scenario->actors)
    ports.push_back(actor.address.port ? *actor.address.port : -1);
  EXPECT_THAT(ports, ElementsAre(5001, 5003, 5005, 5002, 0, -1));
  EXPECT_THAT(result.expanded, HasSubstr("\"tcp6://[::1]:5005\""));
}

TEST(Expand, UnixSocketsGetAPath) {
  auto result = read_good(scenario_with(R"("actors": {
    "a": {"listen": "unix"}, "b": {"bind": "unix_dgram", "count": 2},
    "c": {"connect": "b", "from": "unix_dgram"} })"));
  EXPECT_THAT(result.expanded, HasSubstr("\"unix:${tmp}/a.sock\""));
  EXPECT_THAT(result.expanded, HasSubstr("\"unix_dgram:${tmp}/b-${i}.sock\""));
  EXPECT_THAT(result.expanded, HasSubstr("\"unix_dgram:${tmp}/c.sock\""));
}

TEST(Expand, ADirectionThatIsDescribedTwiceIsAMistake) {
  auto result =
      read_scenario_text(scenario_with("\"network\": {\"a <-> b\": {\"loss\": \"1%\"},\n"
                                       "\"b <-> a\": {\"loss\": \"2%\"}},"
                                       "\"actors\": {\"a\": {\"bind\": \"udp\"}, \"b\": {}}"),
                         "t.json");
  EXPECT_THAT(mistakes_of(result), ElementsAre(HasSubstr("3:1 'b -> a' is described twice"),
                                               HasSubstr("3:1 'a -> b' is described twice")));
}

TEST(Expand, TooManyDirectionsAreRefused) {
  std::string actors = "\"x\": {\"bind\": \"udp\"}";
  for (int i = 0; i < 200; ++i) actors += fmt::format(", \"a{}\": {{\"bind\": \"udp\"}}", i);
  auto result = read_scenario_text(
      scenario_with("\"network\": {\"*\": {\"loss\": \"1%\"}}, \"actors\": {" + actors + "}"),
      "t.json");
  EXPECT_THAT(mistakes_of(result),
              ElementsAre(HasSubstr("2:13 201 hosts have too many directions")));
}

// The expanded text reads again, to the same expanded text. Files that are good come from the
// corpus and from the shipped scenarios; the ones here make sure that every expansion is met even
// without them.
std::vector<std::string> good_files() {
  std::vector<std::string> paths;
  for (const char* folder : {"/harness/scenario/corpus/good", "/scenarios"}) {
    std::error_code error;
    std::filesystem::recursive_directory_iterator entries(NETRIG_SOURCE_DIR + std::string(folder),
                                                          error);
    for (const auto& entry : entries) {
      const std::string path = entry.path().string();
      if (path.ends_with(".json") && !is_parts_file(path) &&
          path.find("/schema/") == std::string::npos)
        paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void expect_fixpoint(const ReadResult& first, const std::string& path) {
  ASSERT_EQ(mistakes_of(first), std::vector<std::string>()) << path;
  auto second = read_scenario_text(first.expanded, path);
  ASSERT_EQ(mistakes_of(second), std::vector<std::string>()) << path << "\n" << first.expanded;
  EXPECT_EQ(second.expanded, first.expanded) << path;
  EXPECT_EQ(second.scenario->hosts, first.scenario->hosts) << path;
  EXPECT_EQ(second.scenario->links.size(), first.scenario->links.size()) << path;
}

TEST(Expand, EveryExpansionIsAFixpoint) {
  for (const std::string& text :
       {scenario_with(R"("vars": {"n": 3, "t": "a ${i} $${x}"},
             "network": {"*": {"loss": "1%", "queue": "${n}"}, "a <-> b": {"delay": "1ms"},
                         "rules": [{"on": "b -> a", "nth": 2, "do": "drop"}]},
             "actors": {"a": {"bind": "udp", "steps": [{"send_to": "${t}", "to": "b"}]},
                        "b": {"bind": "unix_dgram"},
                        "c": {"listen": "tcp", "count": "${n}"}})"),
        scenario_with(R"("actors": {"s": {"bind": "unix_dgram"}, "c": {"connect": "s"}},
             "ladder": [{"c -> s": {"random": 20}, "takes": "5ms"}, {"c -x s": "$${lost}"},
                        {"s -> c": ["got ", {"u8": 1}], "note": "n"}])")}) {
    expect_fixpoint(read_scenario_text(text, "t.json"), text);
  }
}

TEST(Expand, EveryGoodFileExpandsToAFixpoint) {
  for (const std::string& path : good_files()) expect_fixpoint(read_scenario(path), path);
}

}  // namespace
}  // namespace netrig
