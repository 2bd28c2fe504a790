#include "harness/process/program_path.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/text.h"

namespace netrig {
namespace {

// 0, or why this file cannot be run.
int why_not(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EACCES;
  return ::access(file.c_str(), X_OK) == 0 ? 0 : errno;
}

template <typename Visit>
void each_folder(std::string_view path, const Visit& visit) {
  while (!path.empty()) {
    const size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    if (!folder.empty()) visit(folder);
    path = colon == std::string_view::npos ? std::string_view() : path.substr(colon + 1);
  }
}

}  // namespace

std::string path_with_servers(std::string_view path) {
  std::string all(path.empty() ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (const std::string_view folder : {"/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    bool there = false;
    each_folder(all, [&](std::string_view one) { there |= one == folder; });
    if (!there) all.append(":").append(folder);
  }
  return all;
}

Result<std::string> find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) {
    const int problem = why_not(name);
    return problem == 0 ? Result<std::string>(name) : fail_with(problem);
  }
  int answer = ENOENT;
  std::string found;
  each_folder(path, [&](std::string_view folder) {
    if (!found.empty()) return;
    const std::string file = std::string(folder) + "/" + name;
    const int problem = why_not(file);
    if (problem == 0) found = file;
    if (problem == EACCES) answer = EACCES;
  });
  return found.empty() ? Result<std::string>(fail_with(answer)) : found;
}

}  // namespace netrig
