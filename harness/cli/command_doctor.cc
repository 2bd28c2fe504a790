#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/exit_status.h"
#include "harness/real/sandbox.h"
#include "harness/run/runner.h"

namespace netrig {

namespace {

bool all_ok(const std::vector<SandboxProblem>& probes) {
  return std::all_of(probes.begin(), probes.end(), [](const auto& probe) { return probe.ok; });
}

std::string diagnosis(const std::vector<SandboxProblem>& probes) {
  size_t width = 0;
  for (const SandboxProblem& probe : probes) width = std::max(width, display_width(probe.what));
  std::string text;
  for (const SandboxProblem& probe : probes) {
    std::string gap(width - display_width(probe.what) + 2, ' ');
    text += fmt::format("  {}{}{}", probe.what, gap, probe.ok ? "ok" : "NO");
    if (!probe.detail.empty()) text += ": " + probe.detail;
    text += "\n";
    for (const std::string& line : split_lines(probe.fix)) {
      if (!probe.ok) text += fmt::format("  {}fix: {}\n", std::string(width + 2, ' '), line);
    }
  }
  return text;
}

int doctor(Console& console) {
  const std::vector<std::string>& known = known_backends();
  std::vector<SandboxProblem> probes = probe_sandbox();
  bool real_works = all_ok(probes);
  for (const char* backend : {"fake", "real", "wire"}) {
    bool built = std::find(known.begin(), known.end(), backend) != known.end();
    if (!built) {
      console.out(fmt::format("{}: not in this build\n", backend));
    } else if (std::string_view(backend) == "real") {
      console.out(fmt::format("real: {}\n", real_works ? "works" : "does not work here"));
      console.out(diagnosis(probes));
    } else {
      console.out(fmt::format(
          "{}: works: simulated sockets in virtual time need nothing of this machine; TCP "
          "through faulty links, the same octets every time\n",
          backend));
    }
  }
  if (!real_works) {
    console.out(
        "Without the sandbox: netrig run --host-network plays scenarios on this machine's "
        "own loopback.\n");
  }
  return real_works ? kExitPass : kExitCannot;
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Says what this machine can run, and the fix for what it cannot");
  command->footer(
      "Examples:\n"
      "  netrig doctor\n"
      "\n"
      "Exit status: 0 the backend 'real' works, 5 it does not.");
  command->callback([&line] { line.chosen = [&line] { return doctor(line.console); }; });
}

}  // namespace netrig
