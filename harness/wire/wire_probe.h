#pragma once
// What the wire needs of this machine beyond the sandbox (sandbox.h), tried for real in one: for
// `netrig doctor`, and for a run that could not start. It plays nothing and leaves nothing.

#include <vector>

#include "harness/real/sandbox.h"

namespace netrig {

// Where a sandbox can be made: namespaces for hosts, and a port, with the kind that a run would
// get. That TUN cannot be had is no problem as long as veth can.
std::vector<SandboxProblem> probe_wire();

}  // namespace netrig
