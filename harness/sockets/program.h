#pragma once
// A program under test on a host of a world: started, watched, signalled, ended, with all that it
// starts itself. Only worlds with real processes have programs. What it should do is the
// scenario's business; here is what it does.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/base/time.h"
#include "harness/net/endpoint.h"

namespace netrig {

struct ProgramOptions {
  std::string name;  // for messages and names of files
  std::string host;  // of the world
  std::vector<std::string> arguments;
  // On top of what every program gets: PATH, HOME and TMPDIR (the world's tmp), LANG, TZ.
  std::map<std::string, std::string> environment;
  std::string folder;  // working folder, absolute
  Bytes input;         // for its stdin, which ends behind it
  size_t output_max =
      size_t{16} << 20;  // octets kept of each stream; what is beyond is thrown away
};

// Its standard streams as far as they were read.
struct ProgramOutput {
  Bytes out;
  Bytes errors;
  bool cut = false;  // it wrote more than output_max

  // The last lines of both, each with "out: " or "err: " before it.
  std::vector<std::string> last_lines(size_t count) const;
};

class Program {
 public:
  // Ends whatever is left of it.
  virtual ~Program() = default;

  virtual pid_t pid() const = 0;  // of the first process, as others in the world see it
  // How the first process ended: a sentence without subject, and what a shell would call its
  // status.
  struct End {
    int status = 0;  // exit status, if `signal` is 0
    int signal = 0;
    std::string words;  // "ended with exit status 1", "was killed by SIGSEGV"
  };
  virtual const std::optional<End>& end() const = 0;
  // Nothing is left of it, neither its first process nor what that started.
  virtual bool gone() const = 0;
  virtual const ProgramOutput& output() const = 0;

  // From inside a fiber: suspends until there is news of it (output, an end) or the deadline has
  // passed.
  virtual void await_news(Instant deadline) = 0;

  virtual void send_signal(int signal) = 0;  // to the first process; none if it has ended
  virtual void kill_all() = 0;               // SIGKILL, to everything that it started
  // What runs of it now: "sh (12)".
  virtual std::vector<std::string> running() const = 0;
  // True if a process of it (not somebody else's) waits for peers that come to `at`.
  virtual bool listens(Transport transport, const Endpoint& at) const = 0;
  // Where its processes wait for peers: "tcp 127.0.0.1:80".
  virtual std::vector<std::string> listening() const = 0;
};

}  // namespace netrig
