// How many files a second the reader takes: small ones as scenarios usually are, and one of
// megabytes.
#include <benchmark/benchmark.h>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/scenario/reader.h"
#include "harness/scenario/validate.h"

namespace netrig {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  const std::string folder = std::string(NETRIG_SOURCE_DIR) + "/harness/scenario/corpus/good";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

std::string steps(int count) {
  std::string text = R"({ "name": "n", "actors": { "s": { "listen": "tcp" },
    "c": { "connect": "s", "steps": [ { "send": "x" })";
  for (int i = 0; i < count; ++i) text += R"(, { "send": "ping", "after": "1ms", "note": "n" })";
  return text + " ] } } }";
}

void parse_and_validate_small_files(benchmark::State& state) {
  const std::vector<std::string> texts = corpus();
  for (auto _ : state) {
    for (const std::string& text : texts) {
      Node root;
      std::vector<Diagnostic> mistakes;
      parse_json(SourceFile("t.json", text), root, mistakes);
      validate(root, mistakes);
      benchmark::DoNotOptimize(mistakes);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(texts.size()));
}
BENCHMARK(parse_and_validate_small_files);

void read_small_files(benchmark::State& state) {
  const std::vector<std::string> texts = corpus();
  const std::string path = std::string(NETRIG_SOURCE_DIR) + "/harness/scenario/corpus/good/x.json";
  for (auto _ : state) {
    for (const std::string& text : texts) {
      benchmark::DoNotOptimize(read_scenario_text(text, path));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(texts.size()));
}
BENCHMARK(read_small_files);

void read_many_steps(benchmark::State& state) {
  const std::string text = steps(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(read_scenario_text(text, "t.json"));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(read_many_steps)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace netrig
