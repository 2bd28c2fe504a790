#pragma once
// Which processes belong to a program: its keeper's descendants, as /proc tells. A snapshot: what
// is not stopped may have changed by the time it is read.

#include <string>
#include <sys/types.h>
#include <vector>

namespace netrig {

struct ProcessEntry {
  pid_t pid = -1;
  std::string name;  // as in /proc/PID/comm
};

// Those below `ancestor`, by pid, itself not included; zombies are left out.
std::vector<ProcessEntry> descendants(pid_t ancestor);

// SIGKILL to all of them, again and again until none is seen (those of a fork bomb too, unless it
// is faster). Answers whether none was left.
bool kill_descendants(pid_t ancestor);

}  // namespace netrig
