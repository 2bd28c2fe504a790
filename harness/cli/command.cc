#include "harness/cli/command.h"

#include <fmt/format.h>

#include "harness/cli/exit_status.h"
#include "harness/report/escape.h"
#include "harness/report/failure_text.h"

namespace netrig {

int usage_error(Console& console, const std::string& command, const std::string& message) {
  console.error(fmt::format("netrig {}: {}\nSee netrig {} --help\n", command,
                            printable_line(message), command));
  return kExitUsage;
}

std::string mistakes_of(const ReadResult& file) {
  return printable(mistakes_text(*file.source, file.mistakes));
}

}  // namespace netrig
