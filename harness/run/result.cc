#include "harness/run/result.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace netrig {

namespace {

using Json = nlohmann::ordered_json;

// In the order of the enumeration.
constexpr std::array<std::string_view, 12> kVerdictNames = {
    "pass",        "fail",  "unsupported", "invalid", "error", "skipped",
    "interrupted", "flaky", "not_run",     "xfail",   "xpass", "deviates"};

// `file` only where it is not the scenario's own.
Json finding_to_json(const Finding& finding, const std::vector<std::string>& files) {
  const Diagnostic& diagnostic = finding.diagnostic;
  Json json = {{"line", diagnostic.at.line},
               {"column", diagnostic.at.column},
               {"length", diagnostic.at.length},
               {"message", diagnostic.message},
               {"details", diagnostic.details},
               {"actor", finding.actor},
               {"step", finding.step}};
  const uint32_t file = diagnostic.at.file;
  if (file != 0 && file < files.size()) json["file"] = files[file];
  if (!finding.spec.empty()) json["spec"] = finding.spec;
  return json;
}

Finding finding_from_json(const Json& json, const std::vector<std::string>& files) {
  Finding finding;
  finding.diagnostic.at = {json.at("line"), json.at("column"), json.at("length")};
  finding.diagnostic.message = json.at("message");
  finding.diagnostic.details = json.at("details").get<std::vector<std::string>>();
  finding.actor = json.at("actor");
  finding.step = json.at("step");
  if (json.contains("file")) {
    const auto file = std::ranges::find(files, json.at("file").get<std::string>());
    if (file != files.end()) {
      finding.diagnostic.at.file = static_cast<uint32_t>(file - files.begin());
    }
  }
  if (json.contains("spec")) finding.spec = json.at("spec").get<std::vector<std::string>>();
  return finding;
}

Json delivery_to_json(const DeliveryStatistics& statistics) {
  Json latency = Json::object();
  const std::map<std::string, Duration> quantiles = latency_quantiles(statistics.latencies);
  for (const char* name : {"min", "p50", "p90", "p99", "max"}) {
    if (const auto it = quantiles.find(name); it != quantiles.end())
      latency[name] = it->second.count();
  }
  return Json{{"direction", statistics.direction},
              {"sent", statistics.sent},
              {"delivered", statistics.delivered},
              {"lost", statistics.lost},
              {"reordered", statistics.reordered},
              {"duplicated", statistics.duplicated},
              {"corrupted", statistics.corrupted},
              {"longest_loss_run", statistics.longest_loss_run},
              {"lost_ordinals", statistics.lost_ordinals},
              {"latency_ns", std::move(latency)}};
}

Json attempt_to_json(const EarlierAttempt& attempt) {
  return Json{{"verdict", verdict_name(attempt.verdict)},
              {"line", attempt.at.line},
              {"column", attempt.at.column},
              {"message", attempt.message},
              {"output", attempt.output}};
}

// A hundred values that have these quantiles: the real ones did not cross.
std::vector<Duration> latencies_from_json(const Json& json) {
  if (json.empty()) return {};
  const auto value = [&](const char* name) { return Duration{json.at(name).get<int64_t>()}; };
  std::vector<Duration> values = {value("min")};
  values.resize(50, value("p50"));
  values.resize(90, value("p90"));
  values.resize(99, value("p99"));
  values.push_back(value("max"));
  return values;
}

DeliveryStatistics delivery_from_json(const Json& json) {
  DeliveryStatistics statistics;
  statistics.direction = json.at("direction");
  statistics.sent = json.at("sent");
  statistics.delivered = json.at("delivered");
  statistics.lost = json.at("lost");
  statistics.reordered = json.at("reordered");
  statistics.duplicated = json.at("duplicated");
  statistics.corrupted = json.at("corrupted");
  statistics.longest_loss_run = json.at("longest_loss_run");
  statistics.lost_ordinals = json.at("lost_ordinals").get<std::vector<uint64_t>>();
  statistics.latencies = latencies_from_json(json.at("latency_ns"));
  return statistics;
}

Verdict verdict_from_name(std::string_view name) {
  for (size_t i = 0; i < kVerdictNames.size(); ++i) {
    if (kVerdictNames[i] == name) return static_cast<Verdict>(i);
  }
  return Verdict::kError;
}

RunResult from_json(const Json& json) {
  RunResult result;
  result.scenario = json.at("scenario");
  result.id = json.at("id");
  result.name = json.at("name");
  result.row = json.at("row");
  result.level = json.at("level");
  result.spec = json.at("spec").get<std::vector<std::string>>();
  result.part_spec = json.at("part_spec").get<std::vector<std::string>>();
  result.files = json.at("files").get<std::vector<std::string>>();
  result.backend = json.at("backend");
  result.seed = json.at("seed");
  result.verdict = verdict_from_name(json.at("verdict").get<std::string>());
  result.reason = json.at("reason");
  for (const Json& finding : json.at("findings")) {
    result.findings.push_back(finding_from_json(finding, result.files));
  }
  for (const Json& delivery : json.at("delivery")) {
    result.delivery.push_back(delivery_from_json(delivery));
  }
  result.counters = json.at("counters").get<std::map<std::string, int64_t>>();
  result.notes = json.value("notes", std::vector<std::string>());
  result.processes = json.value("processes", std::map<std::string, std::string>());
  result.fingerprint = json.at("fingerprint");
  result.fingerprints = json.at("fingerprints").get<std::map<std::string, std::string>>();
  result.output = json.at("output");
  result.capture = json.at("capture");
  result.again = json.at("again");
  result.ladder = json.at("ladder");
  result.duration = Duration{json.at("duration_ns").get<int64_t>()};
  return result;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  return kVerdictNames.at(static_cast<size_t>(verdict));
}

std::string result_to_json(const RunResult& result) {
  Json json = {{"scenario", result.scenario},
               {"id", result.id},
               {"name", result.name},
               {"row", result.row},
               {"backend", result.backend},
               {"seed", result.seed},
               {"level", result.level},
               {"spec", result.spec},
               {"part_spec", result.part_spec},
               {"files", result.files},
               {"verdict", verdict_name(result.verdict)},
               {"reason", result.reason}};
  json["findings"] = Json::array();
  for (const Finding& finding : result.findings) {
    json["findings"].push_back(finding_to_json(finding, result.files));
  }
  json["delivery"] = Json::array();
  for (const DeliveryStatistics& statistics : result.delivery) {
    json["delivery"].push_back(delivery_to_json(statistics));
  }
  json["counters"] = result.counters;
  if (!result.notes.empty()) json["notes"] = result.notes;
  if (!result.processes.empty()) json["processes"] = result.processes;
  json["fingerprint"] = result.fingerprint;
  json["fingerprints"] = result.fingerprints;
  json["capture"] = result.capture;
  json["again"] = result.again;
  json["output"] = result.output;
  json["ladder"] = result.ladder;
  json["duration_ns"] = result.duration.count();
  // Attempts come together in the parent: what crosses from a run's process has none.
  if (!result.earlier.empty()) json["earlier"] = Json::array();
  for (const EarlierAttempt& attempt : result.earlier) {
    json["earlier"].push_back(attempt_to_json(attempt));
  }
  // A file's name may hold octets that are no UTF-8: shown as U+FFFD instead of failing.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::expected<RunResult, std::string> result_from_json(std::string_view json) {
  try {
    return from_json(Json::parse(json));
  } catch (const Json::exception& error) {
    return std::unexpected(fmt::format("not a run's result: {}", error.what()));
  }
}

}  // namespace netrig
