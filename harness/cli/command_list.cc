#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/discovery.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/run_request.h"
#include "harness/report/escape.h"

namespace netrig {

namespace {

struct ListArguments {
  std::vector<std::string> paths, tags;
  std::optional<std::string> keywords;
  bool json = false;
};

struct Row {
  std::string path, name, tags;
};

std::string json_line(const std::string& path, const Scenario& scenario) {
  nlohmann::ordered_json line{{"scenario", path},
                              {"id", scenario.id},
                              {"name", scenario.name},
                              {"about", scenario.about},
                              {"tags", scenario.tags},
                              {"backends", scenario.backends},
                              {"skip", scenario.skip ? scenario.skip->reason : ""}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

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

int list(const ListArguments& arguments, Console& console) {
  auto selection = parse_selection(arguments.keywords, arguments.tags);
  if (!selection) return usage_error(console, "list", selection.error());
  auto files = discover(arguments.paths);
  if (!files) return usage_error(console, "list", files.error());

  std::vector<Row> rows;
  size_t listed = 0, broken = 0;
  for (const std::string& path : *files) {
    ReadResult file = read_scenario(path);
    if (!file.scenario) {
      ++broken;
      console.error(mistakes_of(file));
      continue;
    }
    const Scenario& scenario = *file.scenario;
    if (!selection->matches({scenario.id, scenario.name, path, scenario.tags})) continue;
    ++listed;
    if (arguments.json) {
      console.out(json_line(path, scenario));
    } else {
      rows.push_back({printable_line(path), printable_line(scenario.name),
                      printable_line(fmt::format("{}", fmt::join(scenario.tags, " ")))});
    }
  }
  console.out(table(rows));
  if (broken > 0) return kExitBadFile;
  if (listed > 0) return kExitPass;
  console.error("netrig list: no scenario was found\n");
  return kExitNothingRan;
}

}  // namespace

void add_list_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = app.add_subcommand("list", "Lists scenarios: path, name, tags");
  command
      ->add_option("PATH", arguments->paths,
                   "files, and folders searched for *.json (default: scenarios)")
      ->type_name(" ");
  command->add_option("-k", arguments->keywords, "only those that this holds for")
      ->type_name("EXPR");
  command->add_option("-t", arguments->tags, "only those with this tag; of several, any")
      ->allow_extra_args(false)
      ->type_name("TAG");
  command->add_flag("--json", arguments->json, "one line of JSON a scenario");
  command->footer(
      "Examples:\n"
      "  netrig list\n"
      "  netrig list scenarios/udp -t loss\n"
      "  netrig list --json | jq -r .name");
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return list(*arguments, line.console); };
  });
}

}  // namespace netrig
