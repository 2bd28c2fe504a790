// Reads every file of corpus/ as a user's would be. A good file has no mistakes and its long form
// is a fixed point. A bad one says in its first lines where its mistakes are and what they are told
// with:
//   // expect: LINE:COLUMN: part of the message
// and all of them must be told, no others, at exactly these places. (pytests/test_schema_corpus.py
// judges the same files by the schema, which knows less: `// schema: accepts` marks what it cannot
// see.)
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "harness/scenario/reader.h"

namespace netrig {
namespace {

const std::string kCorpus = std::string(NETRIG_SOURCE_DIR) + "/harness/scenario/corpus/";

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus + folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::string place_and_message(const Diagnostic& mistake) {
  return std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column) + ": " +
         mistake.message;
}

std::string told(const ReadResult& result) {
  std::string text;
  for (const Diagnostic& mistake : result.mistakes) {
    text += format_diagnostic(*result.source, mistake);
  }
  return text;
}

std::vector<std::string> expectations_of(const std::string& path) {
  static const std::string kMark = "// expect: ";
  std::vector<std::string> expectations;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line) && line.starts_with("//");) {
    if (line.starts_with(kMark)) expectations.push_back(line.substr(kMark.size()));
  }
  return expectations;
}

TEST(Corpus, IsLargeEnoughToMeanSomething) {
  EXPECT_GE(files_of("good").size(), 40u);
  EXPECT_GE(files_of("bad").size(), 90u);
}

TEST(Corpus, GoodFilesHaveNoMistakes) {
  for (const std::string& path : files_of("good")) {
    const ReadResult result = read_scenario(path);
    EXPECT_TRUE(result.scenario.has_value()) << told(result);
  }
}

TEST(Corpus, TheLongFormOfGoodFilesReadsAndIsItsOwnLongForm) {
  for (const std::string& path : files_of("good")) {
    const ReadResult first = read_scenario(path);
    const ReadResult second = read_scenario_text(first.expanded, path);
    EXPECT_TRUE(second.scenario.has_value()) << path << "\n" << first.expanded << told(second);
    EXPECT_EQ(first.expanded, second.expanded) << path;
  }
}

TEST(Corpus, BadFilesAreToldAboutAtExactlyTheirPlaces) {
  for (const std::string& path : files_of("bad")) {
    const std::vector<std::string> expectations = expectations_of(path);
    ASSERT_FALSE(expectations.empty()) << path;
    const ReadResult result = read_scenario(path);
    EXPECT_FALSE(result.scenario.has_value()) << path;
    EXPECT_EQ(result.mistakes.size(), expectations.size()) << told(result);
    for (size_t i = 0; i < std::min(expectations.size(), result.mistakes.size()); ++i) {
      const std::string answer = place_and_message(result.mistakes[i]);
      const size_t place_end = expectations[i].find(": ") + 2;
      EXPECT_EQ(answer.substr(0, place_end), expectations[i].substr(0, place_end)) << told(result);
      EXPECT_THAT(answer, testing::HasSubstr(expectations[i].substr(place_end))) << path;
    }
  }
}

TEST(Corpus, EveryMistakeQuotesItsLine) {
  for (const std::string& path : files_of("bad")) {
    const ReadResult result = read_scenario(path);
    for (const Diagnostic& mistake : result.mistakes) {
      const std::string text = format_diagnostic(*result.source, mistake);
      EXPECT_NE(text.find(" | "), std::string::npos) << text;
      EXPECT_NE(text.find('^'), std::string::npos) << text;
      EXPECT_FALSE(mistake.message.ends_with('.')) << text;
    }
  }
}

}  // namespace
}  // namespace netrig
