#include "harness/run/machine_refusal.h"

#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/real/sandbox.h"
#include "harness/wire/wire_probe.h"

namespace netrig {
namespace {

std::string told(std::string_view missing, const SandboxProblem& problem) {
  std::string fixes;
  for (const std::string& fix : split_lines(problem.fix)) {
    fixes += (fixes.empty() ? "" : "; ") + fix;
  }
  return fmt::format("this machine has {}: {} (fix: {}; `netrig doctor` says more)", missing,
                     problem.detail, fixes);
}

}  // namespace

std::optional<std::string> why_machine_cannot(const std::string& backend) {
  if (const auto problem = why_no_sandbox()) return told("no sandbox", *problem);
  if (backend != "wire") return std::nullopt;
  for (const SandboxProblem& problem : probe_wire()) {
    if (!problem.ok) return told("no wire", problem);
  }
  return std::nullopt;
}

}  // namespace netrig
