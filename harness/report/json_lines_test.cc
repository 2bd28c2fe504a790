#include "harness/report/json_lines.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace netrig {
namespace {

using Json = nlohmann::ordered_json;

struct Told {
  std::string text;
  std::unique_ptr<Reporter> reporter =
      make_json_lines_reporter([this](std::string_view line) { text += line; });
};

TEST(JsonLines, HasTheKeysOfTheDesign) {
  RunResult result;
  result.scenario = "a.json";
  result.id = "a";
  result.name = "A";
  result.backend = "real";
  result.seed = 7;
  result.verdict = Verdict::kFail;
  result.findings.push_back({{{31, 5, 2}, "expected 1, got 2", {"more"}}, "client", "client.2"});
  DeliveryStatistics direction;
  direction.direction = "client -> server";
  direction.sent = 3;
  direction.lost = 1;
  direction.lost_ordinals = {2};
  result.delivery.push_back(direction);
  result.counters["packets"] = 9;
  result.fingerprint = "abc";
  result.capture = "out/a/real-7/capture.pcapng";
  result.again = "netrig run a.json --backend real --seed 7";
  result.ladder = "not for scripts";
  result.duration = 5ms;

  Told told;
  told.reporter->result(result, SourceFile("a.json", ""));
  ASSERT_EQ(told.text.find('\n'), told.text.size() - 1);
  Json line = Json::parse(told.text);
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"scenario", "id", "name", "row", "backend", "seed",
                                            "verdict", "level", "reason", "findings", "delivery",
                                            "counters", "fingerprint", "fingerprints", "capture",
                                            "again", "spec", "part_spec", "duration_ns"}));
  EXPECT_EQ(line["verdict"], "fail");
  EXPECT_EQ(line["findings"][0]["line"], 31);
  EXPECT_EQ(line["findings"][0]["message"], "expected 1, got 2");
  EXPECT_EQ(line["delivery"][0]["lost_ordinals"], Json::array({2}));
  EXPECT_EQ(line["counters"]["packets"], 9);
  EXPECT_EQ(line["duration_ns"], 5'000'000);
}

TEST(JsonLines, TellsABrokenFileAsALineWithItsMistakes) {
  Told told;
  told.reporter->broken_file(SourceFile("b.json", "{"), {{{1, 2, 1}, "unexpected end", {}}});
  Json line = Json::parse(told.text);
  EXPECT_EQ(line["scenario"], "b.json");
  EXPECT_EQ(line["verdict"], "broken");
  EXPECT_EQ(line["reason"], "unexpected end");
  EXPECT_EQ(line["findings"][0]["column"], 2);
}

TEST(JsonLines, StaysJsonIfAPathIsNoUtf8) {
  Told told;
  told.reporter->broken_file(SourceFile("\xff.json", "{"), {{{1, 2, 1}, "\xfe", {}}});
  EXPECT_EQ(Json::parse(told.text)["scenario"], "\xef\xbf\xbd.json");
}

}  // namespace
}  // namespace netrig
