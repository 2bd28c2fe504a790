#include "harness/cli/discovery.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <system_error>

#include "harness/scenario/reader.h"

namespace netrig {

namespace {

namespace fs = std::filesystem;

bool is_skipped_folder(const fs::path& path) {
  std::string name = path.filename().string();
  return name == "schema" || name == "out" || name.starts_with('.');
}

std::string cannot_search(const std::string& folder, const std::error_code& error) {
  return fmt::format("cannot search {}: {}", folder, error.message());
}

std::expected<std::vector<std::string>, std::string> search(const std::string& folder,
                                                            Discover what) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error), end;
  while (!error && at != end) {
    std::error_code ignored;
    bool is_folder = !at->is_symlink(ignored) && at->is_directory(ignored);
    if (is_folder && is_skipped_folder(at->path())) {
      at.disable_recursion_pending();
    } else if (at->path().extension() == ".json" && at->is_regular_file(ignored) &&
               (what == Discover::kParts || !is_parts_file(at->path().string()))) {
      found.push_back(at->path().string());
    }
    at.increment(error);
  }
  if (error) return std::unexpected(cannot_search(folder, error));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> discover(const std::vector<std::string>& paths,
                                                              Discover what) {
  std::error_code error;
  std::vector<std::string> given = paths;
  if (given.empty()) {
    if (!fs::is_directory("scenarios", error)) {
      return std::unexpected("no PATH was given, and there is no folder 'scenarios' here");
    }
    given.emplace_back("scenarios");
  }
  std::vector<std::string> files;
  std::set<std::string> seen;
  auto add = [&](const std::string& file) {
    if (seen.insert(fs::path(file).lexically_normal().string()).second) files.push_back(file);
  };
  for (const std::string& path : given) {
    if (!fs::is_directory(path, error)) {
      add(path);
      continue;
    }
    auto found = search(path, what);
    if (!found) return std::unexpected(found.error());
    for (const std::string& file : *found) add(file);
  }
  return files;
}

}  // namespace netrig
