#pragma once
// Why this machine cannot run a backend, whatever the scenario: asked when a run could not start.
// It tells what one has to do about it; `netrig doctor` tells the rest.

#include <optional>
#include <string>

namespace netrig {

// Tries what the backend needs, for real. A sentence with the fix; empty if nothing is missing.
std::optional<std::string> why_machine_cannot(const std::string& backend);

}  // namespace netrig
