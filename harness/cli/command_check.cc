#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/discovery.h"
#include "harness/cli/environment.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/run_request.h"

namespace netrig {

namespace {

struct CheckArguments {
  std::vector<std::string> paths, set;
  bool quiet = false;
};

// Of the first row that has some: what is wrong with one is mostly wrong with others too.
std::string mistakes_in(const std::string& path, const std::map<std::string, std::string>& set) {
  const ReadOptions options = with_environment({.set = set});
  ReadResult file = is_parts_file(path) ? read_parts(path, options) : read_scenario(path, options);
  if (!file.scenario) return mistakes_of(file);
  for (size_t i = 1; i < file.rows.size(); ++i) {
    ReadOptions row = options;
    for (const auto& [name, value] : file.rows[i].settings) row.set[name] = value;
    ReadResult one = read_scenario(path, row);
    if (one.scenario) continue;
    for (Diagnostic& mistake : one.mistakes) {
      mistake.details.push_back("in the matrix's row " + file.rows[i].name);
    }
    return mistakes_of(one);
  }
  return "";
}

int check(const CheckArguments& arguments, Console& console) {
  auto set = parse_assignments(arguments.set);
  if (!set) return usage_error(console, "check", set.error());
  auto files = discover(arguments.paths, Discover::kParts);
  if (!files) return usage_error(console, "check", files.error());
  size_t broken = 0;
  for (const std::string& path : *files) {
    const std::string mistakes = mistakes_in(path, *set);
    if (mistakes.empty()) continue;
    ++broken;
    console.out(mistakes);
  }
  if (!arguments.quiet) {
    console.out(fmt::format("{}, {} with mistakes\n", plural(files->size(), "file"), broken));
  }
  if (broken > 0) return kExitBadFile;
  return files->empty() ? kExitNothingRan : kExitPass;
}

}  // namespace

void add_check_command(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command =
      app.add_subcommand("check", "Reads scenarios and tells all their mistakes, without running");
  command
      ->add_option("PATH", arguments->paths,
                   "files, and folders searched for *.json (default: scenarios)")
      ->type_name(" ");
  command->add_option("--set", arguments->set, "another value for an entry of vars")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command->add_flag("-q", arguments->quiet, "only the mistakes");
  command->footer(
      "Examples:\n"
      "  netrig check\n"
      "  netrig check scenarios/tcp my-scenario.json\n"
      "\n"
      "Exit status: 0 no mistakes, 3 some, 4 no file was found.");
  command->callback([&line, arguments] {
    line.chosen = [&line, arguments] { return check(*arguments, line.console); };
  });
}

}  // namespace netrig
