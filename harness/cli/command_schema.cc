#include <CLI/CLI.hpp>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/exit_status.h"

namespace netrig {

void add_schema_command(CLI::App& app, CommandLine& line) {
  auto reference = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("schema", "Prints the JSON Schema (draft-07) of scenario files");
  command->add_flag("--reference", *reference,
                    "prints the reference of the format instead, as Markdown");
  command->footer(
      "Examples:\n"
      "  netrig schema > scenarios/schema/scenario-1.json\n"
      "  netrig schema --reference | less");
  command->callback([&line, reference] {
    line.chosen = [&line, reference] {
      line.console.out(*reference ? scenario_format_reference() : scenario_json_schema());
      return static_cast<int>(kExitPass);
    };
  });
}

}  // namespace netrig
