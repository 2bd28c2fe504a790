#include <CLI/CLI.hpp>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/completion.h"
#include "harness/cli/exit_status.h"
#include "harness/cli/manual.h"

namespace netrig {

namespace {

int complete(const std::string& shell, const CLI::App& app, Console& console) {
  const CommandLineOutline outline = outline_of(app);
  if (shell == "bash") {
    console.out(bash_completion(outline));
  } else if (shell == "zsh") {
    console.out(zsh_completion(outline));
  } else if (shell == "fish") {
    console.out(fish_completion(outline));
  } else {
    return usage_error(console, "completion",
                       "there is completion for bash, zsh and fish, not for '" + shell + "'");
  }
  return kExitPass;
}

}  // namespace

void add_completion_command(CLI::App& app, CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Prints a script that completes netrig's command line");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("bash|zsh|fish");
  command->footer(
      "Examples:\n"
      "  source <(netrig completion bash)\n"
      "  netrig completion zsh > ~/.zfunc/_netrig\n"
      "  netrig completion fish > ~/.config/fish/completions/netrig.fish");
  command->callback([&app, &line, shell] {
    line.chosen = [&app, &line, shell] { return complete(*shell, app, line.console); };
  });
}

void add_manual_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("manual", "Prints the manual page netrig(1)");
  command->footer(
      "Examples:\n"
      "  netrig manual | man -l -");
  command->callback([&app, &line] {
    line.chosen = [&app, &line] {
      line.console.out(manual_page(outline_of(app), line.version));
      return static_cast<int>(kExitPass);
    };
  });
}

}  // namespace netrig
