#pragma once
// Paths of Unix sockets as names: what two spellings have in common, by text alone. No file system
// is asked, so a symbolic link is not seen.

#include <string>
#include <string_view>

namespace netrig {

// An absolute path without "." and "..", doubled or trailing slashes.
std::string normalised_path(std::string_view path);

}  // namespace netrig
