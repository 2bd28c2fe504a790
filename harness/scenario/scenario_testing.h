#pragma once
// Helpers of the reader's tests: short scenarios, read from text, and their mistakes as text.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/scenario/reader.h"

namespace netrig {

// "3:7 unknown actor 'sever' (did you mean 'server'?)"
inline std::vector<std::string> mistakes_of(const ReadResult& result) {
  std::vector<std::string> texts;
  for (const Diagnostic& mistake : result.mistakes) {
    std::string text = fmt::format("{}:{} {}", mistake.at.line, mistake.at.column, mistake.message);
    for (const std::string& detail : mistake.details) text += " (" + detail + ")";
    texts.push_back(text);
  }
  return texts;
}

// Reads text that must be without mistakes; without them the test goes no further.
inline ReadResult read_good(const std::string& text, const ReadOptions& options = {}) {
  ReadResult result = read_scenario_text(text, "test.json", options);
  EXPECT_EQ(mistakes_of(result), std::vector<std::string>());
  if (!result.scenario) throw std::runtime_error("not read");
  return result;
}

// { "name": "x", <top> }
inline std::string scenario_with(const std::string& top) {
  return "{\"name\": \"x\",\n" + top + "}";
}

// A server and a client with these steps; the client's begin in line 3, column 1.
inline std::string exchange(const std::string& server, const std::string& client) {
  return scenario_with("\"actors\": {\"server\": " + server + ",\n\"client\":\n" + client + "}");
}

// A client of a TCP server with these steps, which begin in line 3, column 1.
inline std::string client_steps(const std::string& steps) {
  return scenario_with(
      "\"actors\": {\"server\": {\"listen\": \"tcp\"}, \"client\": {\"connect\": \"server\", "
      "\"steps\":\n" +
      steps + "}}");
}

inline const Step& step_of(const ReadResult& result, const std::string& actor, size_t index) {
  return find_actor(*result.scenario, actor)->steps.at(index);
}

}  // namespace netrig
