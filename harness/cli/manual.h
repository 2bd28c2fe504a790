#pragma once
// The manual page netrig(1), made from the command line's outline. Pure text.

#include <string>

#include "harness/cli/outline.h"

namespace netrig {

// man(7) macros.
std::string manual_page(const CommandLineOutline& outline, const std::string& version);

}  // namespace netrig
