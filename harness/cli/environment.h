#pragma once
// Environment variables of netrig itself, for scenarios that ask for some by name (`env`).

#include "harness/scenario/reader.h"

namespace netrig {

// The same options, with the process's environment.
ReadOptions with_environment(ReadOptions options);

}  // namespace netrig
