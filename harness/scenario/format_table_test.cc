#include "harness/scenario/format_table.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "harness/scenario/reader.h"
#include "harness/scenario/validate.h"

namespace netrig {
namespace {

// A value of the format, put where a file may hold it, must have no mistakes.
std::vector<Diagnostic> mistakes_of(const std::string& json) {
  Node root;
  std::vector<Diagnostic> mistakes;
  if (parse_json(SourceFile("t.json", json), root, mistakes)) validate(root, mistakes);
  return mistakes;
}

std::string told(const std::vector<Diagnostic>& mistakes) {
  std::string text;
  for (const Diagnostic& mistake : mistakes) text += mistake.message + "\n";
  return text;
}

std::string file_with_step(const std::string& step) {
  return R"({ "name": "n", "actors": { "a": { "steps": [ )" + step + " ] } } }";
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool update_wanted() {
  return std::getenv("NETRIG_UPDATE") != nullptr;
}

TEST(FormatTable, HasEveryPartOnceInTheOrderOfItsNames) {
  std::set<std::string> names;
  for (const ObjectFormat& format : format_table()) {
    EXPECT_EQ(&format, &format_of(format.part));
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_FALSE(format.doc.empty()) << format.name;
  }
  EXPECT_EQ(format_table().size(), static_cast<size_t>(Part::kExpectation) + 1);
}

TEST(FormatTable, HasExactlyTheVerbsOfTheModelInItsOrder) {
  std::vector<std::string> heads;
  for (const Variant& variant : format_of(Part::kStep).variants) heads.push_back(variant.head.name);
  std::erase(heads, "use");  // expanded before there is a step
  EXPECT_EQ(heads, verb_names());
  EXPECT_EQ(verb_name(Verb::kSend), "send");
  EXPECT_EQ(verb_name(Verb::kSendTo), "send_to");
  EXPECT_EQ(verb_name(Verb::kPair), "pair");
  EXPECT_EQ(verb_name(Verb::kTogether), "together");
  EXPECT_EQ(verb_names().size(), static_cast<size_t>(Verb::kTogether) + 1);
}

TEST(FormatTable, SaysSomethingOfEveryKey) {
  for (const ObjectFormat& format : format_table()) {
    for (const KeyFormat& key : format.keys) {
      EXPECT_FALSE(key.doc.empty()) << format.name << "." << key.name;
      EXPECT_FALSE(key.forms.empty()) << format.name << "." << key.name;
      EXPECT_FALSE(key.doc.ends_with('.')) << format.name << "." << key.name;
    }
    for (const Variant& variant : format.variants) {
      EXPECT_FALSE(variant.head.doc.empty()) << variant.head.name;
      EXPECT_FALSE(variant.example.empty()) << variant.head.name;
      for (const std::string& shared : variant.shared) {
        EXPECT_NE(find_key(format.keys, shared), nullptr) << variant.head.name << " " << shared;
      }
    }
  }
}

TEST(FormatTable, GivesExamplesOfStepsThatItTakes) {
  for (const Variant& variant : format_of(Part::kStep).variants) {
    EXPECT_EQ(told(mistakes_of(file_with_step(variant.example))), "") << variant.example;
  }
}

TEST(FormatTable, GivesExamplesOfModifiersThatItTakes) {
  // Each modifier beside the first verb that it goes with.
  const ObjectFormat& step = format_of(Part::kStep);
  for (const KeyFormat& key : step.keys) {
    for (const Variant& variant : step.variants) {
      const bool takes = std::ranges::find(variant.shared, key.name) != variant.shared.end();
      if (!takes || variant.example.contains("\"" + key.name + "\"")) continue;
      std::string text = variant.example;
      text.insert(text.rfind('}'), ", \"" + key.name + "\": " + key.example);
      EXPECT_EQ(told(mistakes_of(file_with_step(text))), "") << text;
      break;
    }
  }
}

TEST(FormatTable, GivesExamplesOfPayloadsMatchersRungsAndExpectationsThatItTakes) {
  for (const Variant& variant : format_of(Part::kPayload).variants) {
    EXPECT_EQ(told(mistakes_of(file_with_step("{ \"send\": " + variant.example + " }"))), "");
  }
  for (const Variant& variant : format_of(Part::kMatcher).variants) {
    EXPECT_EQ(told(mistakes_of(file_with_step("{ \"recv\": " + variant.example + " }"))), "");
  }
  const std::string file = R"({ "name": "n", "actors": { "a": {} }, )";
  for (const Variant& variant : format_of(Part::kRung).variants) {
    EXPECT_EQ(told(mistakes_of(file + "\"ladder\": [ " + variant.example + " ] }")), "");
  }
  for (const Variant& variant : format_of(Part::kExpectation).variants) {
    EXPECT_EQ(told(mistakes_of(file + "\"expect\": [ " + variant.example + " ] }")), "");
  }
}

TEST(FormatTable, GivesExamplesOfKeysThatItTakes) {
  const std::string before = R"({ "name": "n", "actors": { "a": { "connect": "b" } }, )";
  for (const KeyFormat& key : format_of(Part::kFile).keys) {
    if (key.example.empty() || key.name == "name") continue;
    const std::string text = before + "\"" + key.name + "\": " + key.example + " }";
    EXPECT_EQ(told(mistakes_of(text)), "") << text;
  }
  for (const KeyFormat& key : format_of(Part::kActor).keys) {
    if (key.example.empty()) continue;
    std::string actor = "\"" + key.name + "\": " + key.example;
    if (key.needs == "each") actor += R"(, "each": [], "listen": "tcp")";
    if (key.needs == "listen") actor += R"(, "listen": "tcp")";
    if (key.needs == "connect") actor += R"(, "connect": "b")";
    const std::string text = R"({ "name": "n", "actors": { "a": { )" + actor + " } } }";
    EXPECT_EQ(told(mistakes_of(text)), "") << text;
  }
}

TEST(FormatTable, SplitsArrowsAndKnowsTheirThreeKinds) {
  const std::optional<Arrow> plain = parse_arrow("client -> web-server");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->from, "client");
  EXPECT_EQ(plain->kind, "->");
  EXPECT_EQ(plain->to, "web-server");
  EXPECT_EQ(parse_arrow("a <-> b")->kind, "<->");
  EXPECT_EQ(parse_arrow("  a   -x  b ")->kind, "-x");
  EXPECT_EQ(parse_arrow("a <-> b")->from, "a");
  for (const char* bad : {"", "a", "a->b", "a > b", "-> b", "a ->", "a -> b -> c", "a -> 1"}) {
    EXPECT_FALSE(parse_arrow(bad)) << bad;
  }
}

TEST(FormatTable, IsKeptAsTheSchemaInScenarios) {
  const std::string path = std::string(NETRIG_SOURCE_DIR) + "/scenarios/schema/scenario-1.json";
  if (update_wanted()) std::ofstream(path) << scenario_json_schema();
  EXPECT_EQ(read_file(path), scenario_json_schema()) << "NETRIG_UPDATE=1 writes it anew";
}

TEST(FormatTable, IsKeptAsTheReferenceInTheReadmeOfScenarios) {
  const std::string begin = "<!-- format reference: generated by netrig schema --reference -->\n";
  const std::string end = "<!-- end -->";
  const std::string path = std::string(NETRIG_SOURCE_DIR) + "/scenarios/README.md";
  std::string text = read_file(path);
  const size_t from = text.find(begin);
  const size_t to = text.find(end, from);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const size_t start = from + begin.size();
  if (update_wanted()) {
    text.replace(start, to - start, scenario_format_reference());
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text.substr(start, to - start), scenario_format_reference())
      << "NETRIG_UPDATE=1 writes it anew";
}

}  // namespace
}  // namespace netrig
