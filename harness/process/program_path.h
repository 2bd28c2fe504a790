#pragma once
// Where a program is that was named without a folder: the PATH of programs under test. The
// administrator's folders are part of it, so that an ordinary user finds servers too.

#include <expected>
#include <string>
#include <string_view>

#include "harness/base/errno.h"

namespace netrig {

// `path` (as in the environment) and, where they are missing, the folders of servers behind it.
std::string path_with_servers(std::string_view path);

// The file that execvp(3) would run: `name` itself if it has a '/', else the first executable of
// that name in `path`. ENOENT: there is none; EACCES: there are only ones that cannot be executed.
Result<std::string> find_program(const std::string& name, std::string_view path);

}  // namespace netrig
