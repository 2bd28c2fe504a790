#pragma once
// Scripts that complete netrig's command line in a shell, made from its outline. Pure text.

#include <string>

#include "harness/cli/outline.h"

namespace netrig {

// bash(1) "Programmable Completion"; needs nothing of the bash-completion package.
std::string bash_completion(const CommandLineOutline& outline);
// zshcompsys(1): to be a file _netrig in $fpath, or sourced.
std::string zsh_completion(const CommandLineOutline& outline);
// fish's complete(1).
std::string fish_completion(const CommandLineOutline& outline);

}  // namespace netrig
