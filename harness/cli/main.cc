// The program: reads the command line, hands over to one command, and answers its exit status.
// Nothing is decided here but what no command can decide for itself: usage errors, and a standard
// output that failed.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/exit_status.h"
#include "harness/report/escape.h"

namespace {

using netrig::CommandLine;
using netrig::Console;

// A descriptor 0, 1 or 2 that is closed would be given to the first file or socket that is opened.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    // Read-only also for 1 and 2: writing to what is closed stays an error.
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
  }
}

// A reader that went away is an error of the write, not the end of the program: its files must
// still be written. A handler instead of SIG_IGN, because programs that netrig starts would inherit
// that.
void survive_broken_pipes() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigaction(SIGPIPE, &action, nullptr);
}

void add_commands(CLI::App& app, CommandLine& line) {
  netrig::add_run_command(app, line);
  netrig::add_list_command(app, line);
  netrig::add_check_command(app, line);
  netrig::add_show_command(app, line);
  netrig::add_verify_command(app, line);
  netrig::add_schema_command(app, line);
  netrig::add_doctor_command(app, line);
  netrig::add_completion_command(app, line);
  netrig::add_manual_command(app, line);
}

int wrong_usage(Console& console, const std::string& name, const std::string& message) {
  console.error(name + ": " + netrig::printable_line(message) + "\nSee " + name + " --help\n");
  return netrig::kExitUsage;
}

// ": did you mean 'run'?", or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  auto nearest = netrig::nearest_name(word, known);
  return nearest ? ": did you mean '" + *nearest + "'?" : "";
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

// CLI11 would only say that something was not expected.
std::string unknown_option(const CLI::App& command, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  return "there is no option '" + word + "'" + suggestion(word, known);
}

// Help and version go to standard output and are no failure; the rest is wrong usage.
int answer_parse_end(const CLI::App& app, const CLI::ParseError& end, Console& console) {
  const CLI::App* command = &app;
  for (const CLI::App* chosen : app.get_subcommands()) command = chosen;
  if (end.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    bool is_version = dynamic_cast<const CLI::CallForVersion*>(&end) != nullptr;
    console.out(is_version ? std::string(end.what()) + "\n" : app.help());
    return netrig::kExitPass;
  }
  std::string name = command == &app ? "netrig" : "netrig " + command->get_name();
  std::vector<std::string> extras = app.remaining(true);
  bool is_option = !extras.empty() && extras[0].starts_with('-');
  if (dynamic_cast<const CLI::ExtrasError*>(&end) != nullptr && is_option) {
    return wrong_usage(console, name, unknown_option(*command, extras[0]));
  }
  return wrong_usage(console, name, end.what());
}

int dispatch(int argc, char** argv, Console& console) {
  CLI::App app(
      "Runs client/server exchanges written in JSON over TCP, UDP and Unix sockets,\n"
      "with a faulty network in between, and checks what crossed the wire.",
      "netrig");
  CommandLine line{console, nullptr, NETRIG_VERSION};
  app.set_version_flag("--version", "netrig " NETRIG_VERSION);
  app.require_subcommand(1);
  add_commands(app, line);
  app.footer(
      "Examples:\n"
      "  netrig run scenarios/hello-tcp.json\n"
      "  netrig check scenarios\n"
      "  netrig run --help\n"
      "\n" +
      std::string(netrig::kExitStatusHelp));
  const std::vector<std::string> names = command_names(app);
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty()) {
    return wrong_usage(console, "netrig", "a command is missing: " + netrig::join_or(names));
  }
  if (!first.starts_with('-') && std::find(names.begin(), names.end(), first) == names.end()) {
    std::string nearest = suggestion(first, names);
    if (nearest.empty()) nearest = ", only " + netrig::join_or(names);
    return wrong_usage(console, "netrig", "there is no command '" + first + "'" + nearest);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return answer_parse_end(app, end, console);
  }
  return line.chosen();
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  survive_broken_pipes();
  Console console;
  int status = netrig::kExitCannot;
  try {
    status = dispatch(argc, argv, console);
  } catch (const std::exception& bug) {
    console.error(std::string("netrig: internal error: ") + bug.what() + "\n");
  }
  if (!console.failed()) return status;
  if (std::string why = console.why(); !why.empty()) console.error("netrig: " + why + "\n");
  return status == netrig::kExitInterrupted ? status : netrig::kExitCannot;
}
