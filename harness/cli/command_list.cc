#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/discovery.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/plan.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"
#include "harness/report/json_lines.h"

namespace netrig {

namespace {

using Json = nlohmann::ordered_json;

struct ListArguments {
  RunArguments run;  // of its options those that change which runs there are
  bool json = false;
};

struct Row {
  std::string path, name, tags;
};

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// One run that `netrig run` would make, with the command that makes it alone: who schedules runs
// himself (the pytest plugin) needs to know nothing of seeds, backends and whatever else tells
// runs apart. `verdict` is "" unless it is settled without running.
Json run_json(const PlannedRun& run) {
  return {{"backend", run.options.backend},
          {"seed", run.options.seed},
          {"row", run.options.row},
          {"verdict", run.settled ? verdict_name(run.settled->verdict) : ""},
          {"reason", run.settled ? run.settled->reason : ""},
          {"again", run.options.again}};
}

Json scenario_json(const PlannedRun& first_run) {
  const Scenario& scenario = *first_run.scenario;
  return {{"scenario", first_run.options.scenario_path},
          {"id", scenario.id},
          {"name", scenario.name},
          {"about", scenario.about},
          {"tags", scenario.tags},
          {"backends", scenario.backends},
          {"skip", scenario.skip ? scenario.skip->reason : ""},
          {"runs", Json::array()}};
}

// As `netrig run --json` tells it, with the text for people beside: there is no run to tell it.
std::string broken_line(const BrokenFile& file, const std::string& text) {
  Json line;
  make_json_lines_reporter([&](std::string_view told) {
    line = Json::parse(told, nullptr, false);
  })->broken_file(*file.source, file.mistakes);
  line["text"] = text;
  return json_line(line);
}

// Gathers what the plan hands out, run by run, into one line a scenario. A row of a matrix that is
// broken has a line of its own, and the rows after it are another line of the same file.
class Listing {
 public:
  Listing(Console& console, bool json) : console_(console), json_(json) {}

  void add(const BrokenFile& file) {
    finish_scenario();
    ++broken_;
    const std::string text = printable(mistakes_text(*file.source, file.mistakes));
    if (json_) console_.out(broken_line(file, text));
    console_.error(text);
  }

  void add(const PlannedRun& run) {
    if (line_.is_null() || line_["scenario"] != run.options.scenario_path) {
      finish_scenario();
      ++listed_;
      line_ = scenario_json(run);
      const Scenario& scenario = *run.scenario;
      rows_.push_back({printable_line(run.options.scenario_path), printable_line(scenario.name),
                       printable_line(fmt::format("{}", fmt::join(scenario.tags, " ")))});
    }
    line_["runs"].push_back(run_json(run));
  }

  int finish();

 private:
  void finish_scenario() {
    if (json_ && !line_.is_null()) console_.out(json_line(line_));
    line_ = nullptr;
  }

  Console& console_;
  bool json_;
  Json line_;  // of the scenario whose runs are being gathered; null: none
  std::vector<Row> rows_;
  size_t listed_ = 0, broken_ = 0;
};

std::string table(const std::vector<Row>& rows) {
  size_t path_width = 0, name_width = 0;
  for (const Row& row : rows) {
    path_width = std::max(path_width, display_width(row.path));
    name_width = std::max(name_width, display_width(row.name));
  }
  auto padded = [](const std::string& text, size_t width) {
    return text + std::string(width - display_width(text), ' ');
  };
  std::string text;
  for (const Row& row : rows) {
    std::string line = padded(row.path, path_width) + "  " + padded(row.name, name_width);
    if (!row.tags.empty()) line += "  " + row.tags;
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

int Listing::finish() {
  finish_scenario();
  if (!json_) console_.out(table(rows_));
  if (broken_ > 0) return kExitBadFile;
  if (listed_ > 0) return kExitPass;
  console_.error("netrig list: no scenario was found\n");
  return kExitNothingRan;
}

int list(const ListArguments& arguments, Console& console) {
  auto request = parse_run_request(arguments.run, known_backends());
  if (!request) return usage_error(console, "list", request.error());
  auto files = discover(request->paths);
  if (!files) return usage_error(console, "list", files.error());
  PlanSources sources = real_plan_sources();
  if (const auto known = add_known_failures(*request, sources); !known) {
    for (const std::string& line : split_lines(known.error())) {
      console.error("netrig list: " + printable_line(line) + "\n");
    }
    return kExitBadFile;
  }
  RunPlan plan(*request, std::move(*files), std::move(sources));
  Listing listing(console, arguments.json);
  while (auto item = plan.next()) {
    std::visit([&](const auto& one) { listing.add(one); }, *item);
  }
  return listing.finish();
}

}  // namespace

void add_list_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<ListArguments>();
  RunArguments& run = arguments->run;
  CLI::App* command = app.add_subcommand("list", "Lists scenarios: path, name, tags");
  auto one_each = [](CLI::Option* option, const char* type) {
    option->allow_extra_args(false)->type_name(type);
  };
  command
      ->add_option("PATH", run.paths, "files, and folders searched for *.json (default: scenarios)")
      ->type_name(" ");
  command->add_option("-k", run.keywords, "only those that this holds for")->type_name("EXPR");
  one_each(command->add_option("-t", run.tags, "only those with this tag; of several, any"), "TAG");
  command->add_flag("--json", arguments->json,
                    "one line of JSON a scenario, with the runs that `netrig run` would make");
  one_each(command->add_option("--backend", run.backends, "with --json: the runs on these only"),
           "fake|real|wire");
  command->add_option("--seed", run.seed, "with --json: instead of the file's own seed")
      ->type_name("N");
  one_each(command->add_option("--set", run.set, "another value for an entry of vars"),
           "NAME=VALUE");
  command
      ->add_option("--known-failures", run.known_failures,
                   "with --json: the runs as `netrig run` makes them with this file")
      ->type_name("FILE");
  command->add_flag("--host-network", run.host_network,
                    "with --json: the runs on this machine's own network");
  command->footer(
      "Examples:\n"
      "  netrig list\n"
      "  netrig list scenarios/udp -t loss\n"
      "  netrig list --json | jq -r .name\n"
      "  netrig list --json --backend fake | jq -r '.runs[]?.again'");
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return list(*arguments, line.console); };
  });
}

}  // namespace netrig
