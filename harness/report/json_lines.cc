#include "harness/report/json_lines.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "harness/report/output_file.h"

namespace netrig {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kKeys[] = {
    "scenario", "id",        "name",        "row",          "backend",  "seed",
    "verdict",  "level",     "reason",      "findings",     "delivery", "counters",
    "notes",    "processes", "fingerprint", "fingerprints", "capture",  "again",
    "spec",     "part_spec", "duration_ns", "earlier"};

std::string dump_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string result_line(const RunResult& result) {
  Json all = Json::parse(result_to_json(result), nullptr, false);
  Json line = Json::object();
  for (std::string_view key : kKeys) {
    std::string name(key);
    if (all.is_object() && all.contains(name)) line[name] = std::move(all[name]);
  }
  return dump_line(line);
}

// As result.json says findings, so that a script reads both alike.
std::string broken_line(const SourceFile& file, const std::vector<Diagnostic>& mistakes) {
  RunResult result;
  result.scenario = file.path();
  result.files = file.paths();
  for (const Diagnostic& mistake : mistakes) result.findings.push_back({mistake, "", ""});
  Json all = Json::parse(result_to_json(result), nullptr, false);
  return dump_line(Json{
      {"scenario", file.path()},
      {"verdict", "broken"},
      {"reason", mistakes.empty() ? "" : mistakes[0].message},
      {"findings", all.is_object() && all.contains("findings") ? all["findings"] : Json::array()}});
}

class JsonLinesReporter : public Reporter {
 public:
  JsonLinesReporter(TextSink sink, std::optional<OutputFile> file)
      : sink_(std::move(sink)), file_(std::move(file)) {}

  void started(size_t /*runs_planned*/) override {}

  void broken_file(const SourceFile& file, const std::vector<Diagnostic>& mistakes) override {
    write(broken_line(file, mistakes));
  }

  void result(const RunResult& result, const SourceFile& /*source*/) override {
    write(result_line(result));
  }

  std::string finished(const Totals& /*totals*/) override { return file_ ? file_->commit() : ""; }

 private:
  void write(const std::string& line) {
    if (file_) {
      file_->append(line);
    } else {
      sink_(line);
    }
  }

  TextSink sink_;
  std::optional<OutputFile> file_;
};

}  // namespace

std::unique_ptr<Reporter> make_json_lines_reporter(TextSink sink) {
  return std::make_unique<JsonLinesReporter>(std::move(sink), std::nullopt);
}

std::expected<std::unique_ptr<Reporter>, std::string> open_json_lines_reporter(
    const std::string& path) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<JsonLinesReporter>(nullptr, std::move(*file));
}

}  // namespace netrig
