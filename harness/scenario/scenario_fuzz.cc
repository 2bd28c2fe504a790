// libFuzzer over the whole reader: whatever the octets, it answers, and what it takes for a
// scenario it takes again in its long form. Files are looked for beside a path that does not exist.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/base/require.h"
#include "harness/scenario/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr const char* kPath = "/nonexistent/fuzz.json";
  const std::string text(reinterpret_cast<const char*>(data), size);
  const netrig::ReadResult first = netrig::read_scenario_text(text, kPath);
  std::string told;
  for (const netrig::Diagnostic& mistake : first.mistakes) {
    told += netrig::format_diagnostic(*first.source, mistake);
  }
  NETRIG_REQUIRE(first.scenario.has_value() == told.empty());
  if (!first.scenario) return 0;
  const netrig::ReadResult second = netrig::read_scenario_text(first.expanded, kPath);
  NETRIG_REQUIRE(second.scenario.has_value());
  NETRIG_REQUIRE(second.expanded == first.expanded);
  // Another row of its matrix is the file with that row's settings: one row, or mistakes.
  netrig::ReadOptions options;
  for (const auto& [name, value] : first.rows.back().settings) options.set[name] = value;
  const netrig::ReadResult row = netrig::read_scenario_text(text, kPath, options);
  NETRIG_REQUIRE(row.scenario.has_value() == row.mistakes.empty());
  NETRIG_REQUIRE(!row.scenario || row.rows.size() == 1);
  return 0;
}
