#pragma once
// Starts one program under test and keeps watch over everything that it starts itself. Between
// netrig and the program stands a keeper: a small process that adopts what the program leaves
// behind (PR_SET_CHILD_SUBREAPER), so that whatever a program starts stays known as the program's,
// daemons too. It reads no output and waits for nothing: a world's loop does.

#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/base/errno.h"
#include "harness/base/fd.h"

namespace netrig {

struct ProgramCommand {
  std::vector<std::string> arguments;              // [0] is looked for on the environment's PATH
  std::map<std::string, std::string> environment;  // all of it
  std::string folder;                              // working folder
};

// How the first process of a program ended.
struct ProgramEnd {
  int status = 0;  // exit status, if `signal` is 0
  int signal = 0;  // that killed it

  // "ended with exit status 1", "was killed by SIGSEGV".
  std::string to_string() const;
};

// The descriptors are non-blocking and belong to the caller.
struct StartedProgram {
  pid_t keeper = -1;  // a child of the caller, who must wait for it
  pid_t pid = -1;     // the program's first process
  Fd report;          // what take_program_end reads; ends when the whole program is gone
  Fd input;           // to its stdin
  Fd output;          // from its stdout
  Fd errors;          // from its stderr
};

// Where starting failed: the call ("execve", "fork") and its errno.
struct StartProblem {
  std::string call;
  Errno error;
};

// The program gets a session of its own, signals as after boot, no descriptor but 0, 1 and 2, no
// core file, and of the capabilities (if it runs as root) those that a server needs: it can change
// its user, but mount nothing and look into no other process. Must be called from a process without
// threads.
std::expected<StartedProgram, StartProblem> start_program(const ProgramCommand& command);

// Reads from StartedProgram::report: the end of the first process, once it is known. `gone` is set
// when nothing of the program is left.
std::optional<ProgramEnd> take_program_end(const Fd& report, bool& gone);

}  // namespace netrig
