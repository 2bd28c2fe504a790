#include "harness/process/process_tree.h"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace netrig {
namespace {

constexpr int kKillRoundsMax = 100;

struct Seen {
  pid_t parent = -1;
  char state = 0;
  std::string name;
};

// proc(5): "pid (comm) state ppid ..."; comm may hold spaces and parentheses.
bool parse_stat(const std::string& text, Seen& seen) {
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return false;
  seen.name = text.substr(open + 1, close - open - 1);
  std::istringstream rest(text.substr(close + 1));
  return static_cast<bool>(rest >> seen.state >> seen.parent);
}

std::map<pid_t, Seen> all_processes() {
  std::map<pid_t, Seen> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    std::ifstream file(fmt::format("/proc/{}/stat", entry->d_name));
    std::string text;
    Seen seen;
    if (std::getline(file, text, '\0') && parse_stat(text, seen)) {
      found[static_cast<pid_t>(std::stol(entry->d_name))] = std::move(seen);
    }
  }
  return found;
}

}  // namespace

std::vector<ProcessEntry> descendants(pid_t ancestor) {
  const std::map<pid_t, Seen> processes = all_processes();
  const auto belongs = [&](pid_t pid) {
    for (size_t depth = 0; depth <= processes.size(); ++depth) {
      const auto process = processes.find(pid);
      if (process == processes.end()) return false;
      if (process->second.parent == ancestor) return true;
      pid = process->second.parent;
    }
    return false;  // pids were used anew while we read
  };
  std::vector<ProcessEntry> found;
  for (const auto& [pid, seen] : processes) {
    if (seen.state != 'Z' && belongs(pid)) found.push_back({pid, seen.name});
  }
  return found;
}

bool kill_descendants(pid_t ancestor) {
  for (int round = 0; round < kKillRoundsMax; ++round) {
    const std::vector<ProcessEntry> left = descendants(ancestor);
    if (left.empty()) return true;
    // Stopped first: what is stopped cannot start another before it is killed.
    for (const ProcessEntry& process : left) ::kill(process.pid, SIGSTOP);
    for (const ProcessEntry& process : left) ::kill(process.pid, SIGKILL);
  }
  return false;
}

}  // namespace netrig
