#include "harness/report/conformance.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "harness/report/output_file.h"

namespace netrig {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kLevels[] = {"must", "should", "may"};
constexpr const char* kVerdicts[] = {"fail", "pass", "unsupported", "unknown"};  // the first wins

struct Requirement {
  std::map<std::string, size_t> counts;  // by verdict
  Json runs = Json::array();

  std::string verdict() const {
    for (const char* verdict : kVerdicts) {
      if (counts.contains(verdict)) return verdict;
    }
    return "unknown";
  }
};

bool is_failure(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kXfail || verdict == Verdict::kDeviates;
}

std::string message_of(const RunResult& result, const std::string& spec) {
  for (const Finding& finding : result.findings) {
    if (std::ranges::find(finding.spec, spec) != finding.spec.end()) {
      return finding.diagnostic.message;
    }
  }
  return result.findings.empty() ? result.reason : result.findings.front().diagnostic.message;
}

class ConformanceReporter : public Reporter {
 public:
  explicit ConformanceReporter(OutputFile file) : file_(std::move(file)) {}

  void started(size_t /*runs_planned*/) override {}
  void broken_file(const SourceFile& /*file*/, const std::vector<Diagnostic>& /*all*/) override {}

  void result(const RunResult& result, const SourceFile& /*source*/) override {
    std::set<std::string> ids(result.spec.begin(), result.spec.end());
    ids.insert(result.part_spec.begin(), result.part_spec.end());
    for (const std::string& id : ids) {
      Requirement& requirement = requirements_[{id, result.level}];
      const std::string verdict = conformance_verdict(result, id);
      ++requirement.counts[verdict];
      if (requirement.runs.size() >= kConformanceRunsMax) continue;
      Json run = {{"scenario", result.scenario},
                  {"row", result.row},
                  {"backend", result.backend},
                  {"seed", result.seed},
                  {"verdict", verdict_name(result.verdict)}};
      if (verdict != "pass") run["message"] = message_of(result, id);
      requirement.runs.push_back(std::move(run));
    }
  }

  std::string finished(const Totals& /*totals*/) override {
    Json all = {{"netrig_conformance", 1}, {"summary", Json::object()}};
    for (const char* level : kLevels) {
      for (const char* verdict : {"pass", "fail", "unsupported", "unknown"}) {
        all["summary"][level][verdict] = 0;
      }
    }
    all["requirements"] = Json::array();
    for (const auto& [key, requirement] : requirements_) {
      const auto& [id, level] = key;
      Json& count = all["summary"][level][requirement.verdict()];
      count = count.get<size_t>() + 1;
      Json one = {{"spec", id}, {"level", level}, {"verdict", requirement.verdict()}};
      for (const auto& [verdict, number] : requirement.counts) one[verdict] = number;
      one["runs"] = requirement.runs;
      all["requirements"].push_back(std::move(one));
    }
    file_.append(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return file_.commit();
  }

 private:
  OutputFile file_;
  std::map<std::pair<std::string, std::string>, Requirement> requirements_;  // by id and level
};

}  // namespace

std::string conformance_verdict(const RunResult& result, const std::string& spec) {
  switch (result.verdict) {
    case Verdict::kPass:
    case Verdict::kXpass:
    case Verdict::kFlaky:
      return "pass";
    case Verdict::kUnsupported:
    case Verdict::kSkipped:
      return "unsupported";
    default:
      break;
  }
  if (!is_failure(result.verdict)) return "unknown";
  const auto has = [&](const std::vector<std::string>& ids) {
    return std::ranges::find(ids, spec) != ids.end();
  };
  const bool blamed = std::ranges::any_of(
      result.findings, [&](const Finding& finding) { return has(finding.spec); });
  // A step that fails ends the run: what other steps check was perhaps never asked.
  return blamed || has(result.spec) ? "fail" : "unknown";
}

std::expected<std::unique_ptr<Reporter>, std::string> open_conformance_reporter(
    const std::string& path) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<ConformanceReporter>(std::move(*file));
}

}  // namespace netrig
