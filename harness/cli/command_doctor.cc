#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/exit_status.h"
#include "harness/real/sandbox.h"
#include "harness/wire/wire_probe.h"

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

void tell(Console& console, std::string_view backend, const std::vector<SandboxProblem>& probes) {
  console.out(fmt::format("{}: {}\n", backend, all_ok(probes) ? "works" : "does not work here"));
  console.out(diagnosis(probes));
}

// The wire stands on the sandbox: without one there is nothing to try it in.
std::vector<SandboxProblem> probes_of_wire(bool real_works) {
  if (real_works || !why_no_sandbox()) return probe_wire();
  return {{"sandbox", false, "there is none", "what real needs, wire needs too"}};
}

int doctor(Console& console) {
  console.out(
      "fake: works: simulated sockets in virtual time need nothing of this machine; TCP through "
      "faulty links, the same octets every time\n");
  const std::vector<SandboxProblem> real = probe_sandbox();
  const std::vector<SandboxProblem> wire = probes_of_wire(all_ok(real));
  tell(console, "real", real);
  tell(console, "wire", wire);
  if (!all_ok(real)) {
    console.out(
        "Without the sandbox: netrig run --host-network plays scenarios on this machine's "
        "own loopback.\n");
  }
  return all_ok(real) && all_ok(wire) ? kExitPass : kExitCannot;
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Says what this machine can run, and the fix for what it cannot");
  command->footer(
      "Examples:\n"
      "  netrig doctor\n"
      "\n"
      "Exit status: 0 every backend works, 5 'real' or 'wire' does not.");
  command->callback([&line] { line.chosen = [&line] { return doctor(line.console); }; });
}

}  // namespace netrig
