#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/environment.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/run_request.h"
#include "harness/link/link_text.h"
#include "harness/report/escape.h"

namespace netrig {

namespace {

constexpr size_t kRowsShownMax = 20;

struct ShowArguments {
  std::string file;
  std::vector<std::string> set;
  bool expanded = false;
};

std::string transport_of(const Address& address) {
  std::string text(transport_name(address.transport));
  if (address.v6) text += "6";
  if (address.port) text += fmt::format(" port {}", *address.port);
  return text;
}

std::string opening_of(const Actor& actor) {
  switch (actor.opening) {
    case Opening::kListen:
      return "listens on " + transport_of(actor.address);
    case Opening::kBind:
      return "is bound to " + transport_of(actor.address);
    case Opening::kConnect:
      return "connects to " +
             (actor.target.actor.empty() ? transport_of(actor.target.address) : actor.target.actor);
    case Opening::kNone:
      return "makes its own calls";
  }
  return "";
}

std::string actor_line(const Actor& actor) {
  std::string line = opening_of(actor);
  line += ", " + plural(actor.has_each ? actor.each.size() : actor.steps.size(), "step");
  if (actor.has_each) line += " for each connection";
  if (actor.count > 1) line += fmt::format(", {} of them", actor.count);
  if (actor.host != actor.name) line += ", on host " + actor.host;
  return line;
}

std::string link_line(const LinkSpec& link) {
  return fmt::format("{} -> {}: {}", link.from, link.to,
                     fmt::join(describe_faults(link.config), ", "));
}

// Label and values in two columns, the label once.
class Columns {
 public:
  void add(const char* label, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      text_ += fmt::format("  {:<9} {}\n", std::exchange(label, ""), printable_line(value));
    }
  }
  void add(const char* label, const std::string& value) {
    if (!value.empty()) add(label, std::vector<std::string>{value});
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Of a matrix: its first row, and the names of all.
std::string summary(const std::string& path, const Scenario& scenario,
                    const std::vector<MatrixRow>& rows) {
  Columns columns;
  columns.add("file", path);
  columns.add("about", split_lines(scenario.about));
  columns.add("tags", fmt::format("{}", fmt::join(scenario.tags, ", ")));
  columns.add("backends", scenario.backends.empty()
                              ? "any"
                              : fmt::format("{}", fmt::join(scenario.backends, ", ")));
  if (scenario.level != Level::kMust) columns.add("level", std::string(level_name(scenario.level)));
  columns.add("spec", fmt::format("{}", fmt::join(scenario.spec, ", ")));
  std::vector<std::string> needs;
  for (const NeededProgram& needed : scenario.needs) needs.push_back(needed.program);
  columns.add("needs", fmt::format("{}", fmt::join(needs, ", ")));
  if (scenario.skip) columns.add("skipped", scenario.skip->reason);
  if (scenario.expected_failure) columns.add("xfail", scenario.expected_failure->reason);
  columns.add("seed", fmt::format("{}", scenario.seed));
  if (scenario.timeout) columns.add("timeout", format_duration(*scenario.timeout));
  size_t width = 0;
  for (const Actor& actor : scenario.actors) width = std::max(width, actor.name.size());
  std::vector<std::string> lines;
  for (const Actor& actor : scenario.actors) {
    lines.push_back(fmt::format("{:<{}}  {}", actor.name, width, actor_line(actor)));
  }
  columns.add("actors", lines);
  lines.clear();
  for (const MatrixRow& row : rows) {
    if (lines.size() == kRowsShownMax) {
      lines.push_back(fmt::format("... and {}", plural(rows.size() - kRowsShownMax, "more row")));
      break;
    }
    lines.push_back(row.name);
  }
  columns.add("matrix", lines);
  lines.clear();
  for (const LinkSpec& link : scenario.links) lines.push_back(link_line(link));
  columns.add("network", lines);
  lines.clear();
  for (const auto& [name, kind] : scenario.packets) lines.push_back(name);
  columns.add("packets", fmt::format("{}", fmt::join(lines, ", ")));
  columns.add("expects", plural(scenario.expectations.size(), "expectation"));
  return fmt::format("{}: {}\n", scenario.id, printable_line(scenario.name)) + columns.text();
}

int show(const ShowArguments& arguments, Console& console) {
  auto set = parse_assignments(arguments.set);
  if (!set) return usage_error(console, "show", set.error());
  ReadResult file = read_scenario(arguments.file, with_environment({.set = *set}));
  if (!file.scenario) {
    console.error(mistakes_of(file));
    return kExitBadFile;
  }
  console.out(arguments.expanded ? file.expanded
                                 : summary(arguments.file, *file.scenario, file.rows));
  return kExitPass;
}

}  // namespace

void add_show_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<ShowArguments>();
  CLI::App* command = app.add_subcommand("show", "Shows what a scenario says");
  command->add_option("FILE", arguments->file, "the scenario")->required()->type_name(" ");
  command->add_flag("--expanded", arguments->expanded,
                    "the long form: variables, ladder and shorthands written out");
  command->add_option("--set", arguments->set, "another value for an entry of vars")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command->footer(
      "Examples:\n"
      "  netrig show scenarios/udp-loss.json\n"
      "  netrig show --expanded scenarios/ladder.json > long-form.json");
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return show(*arguments, line.console); };
  });
}

}  // namespace netrig
