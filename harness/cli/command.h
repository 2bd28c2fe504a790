#pragma once
// How a command presents itself to the dispatcher: it adds its options and its help, and when the
// command line names it, says what is to be done. Every add_... stands in the file of its command.

#include <functional>
#include <string>

#include "harness/cli/console.h"
#include "harness/scenario/reader.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace netrig {

struct CommandLine {
  Console& console;
  std::function<int()> chosen;  // answers the exit status
  std::string version = {};
};

void add_run_command(CLI::App& app, CommandLine& line);
void add_list_command(CLI::App& app, CommandLine& line);
void add_check_command(CLI::App& app, CommandLine& line);
void add_show_command(CLI::App& app, CommandLine& line);
void add_verify_command(CLI::App& app, CommandLine& line);
void add_schema_command(CLI::App& app, CommandLine& line);
void add_doctor_command(CLI::App& app, CommandLine& line);
void add_completion_command(CLI::App& app, CommandLine& line);
void add_manual_command(CLI::App& app, CommandLine& line);

// "netrig check: message" on standard error, and kExitUsage.
int usage_error(Console& console, const std::string& command, const std::string& message);

// The mistakes of a file, fit for a terminal.
std::string mistakes_of(const ReadResult& file);

}  // namespace netrig
