#pragma once
// How an actor begins: `listen`, `bind` and `connect`, with the options and addresses that stand
// beside them, and the first `accept` that a listening actor does by itself. Steps are not run
// here.

#include "harness/run/verbs.h"

namespace netrig {

// `listen` and `bind`; nothing for other actors. The service is announced.
std::optional<Finding> open_service(ActorRun& run);
// `connect`. Waits until the service is there and the connection is made.
std::optional<Finding> open_connection(Branch& branch);
// Does the actor accept one connection before its first step? Not if it has an `accept` step
// itself.
bool accepts_by_itself(const Actor& actor);
std::optional<Finding> accept_first(Branch& branch);

// "server cannot bind to 10.0.0.1:80: EADDRINUSE (Address already in use)".
Finding opening_failed(const ActorRun& run, Location at, const std::string& what, Errno error);

}  // namespace netrig
