#pragma once
// The sandbox: a child process in its own user, network, PID and mount namespace, in which a run's
// ports collide with nobody's, nothing leaves the machine and nothing outlives it: when the child
// ends, or its parent, the kernel kills what is left inside. No run and no world is known here.

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace netrig {

// What a network of its own sets for TCP; the sysctls' names (ip-sysctl).
struct TcpSettings {
  bool ecn = false;  // tcp_ecn at 1: connections ask for it
  // tcp_congestion_control; reno is the one that every kernel has and every namespace may choose.
  // One that is not allowed leaves the kernel's own.
  std::string congestion = "reno";
};

struct SandboxOptions {
  // lo gets the addresses of hosts 1..host_count (see host_address).
  size_t host_count = 8;
  TcpSettings tcp = {};
  // Absolute folders that stay visible, read-only, where they lie below one that is made fresh.
  std::vector<std::string> visible = {};
  // Makes more of the network than lo: called inside, before anything else is set up, while the
  // machine's /dev and /proc are still there. The error is a sentence. May be empty.
  std::function<std::expected<void, std::string>()> network = {};
};

// A started child. It does not wait for it: the owner does (waitpid or pidfd), or kills it.
struct SandboxChild {
  pid_t pid = -1;  // in the caller's PID namespace
};

// Runs `body` as PID 1 of a new sandbox; what it returns is the child's exit status. Must be called
// from a process without threads. Inside: the working folder is /tmp; /tmp, /run, /var/tmp and
// /dev/shm are fresh and writable, /dev has a few harmless devices, everything else is read-only
// (descriptors opened before keep their rights); lo is up with MTU 1500 and without offloads.
// Anything that the set-up cannot do is the error: a sentence that names the call and the errno.
// The child dies with the calling thread.
std::expected<SandboxChild, std::string> start_in_sandbox(const SandboxOptions& options,
                                                          const std::function<int()>& body);

// Waits for the child: its exit status, or 128 + the signal that killed it.
int wait_for_sandbox(const SandboxChild& child);

// One thing that a backend needs of the machine, for `netrig doctor`.
struct SandboxProblem {
  std::string what;  // "user namespaces"
  bool ok = true;
  std::string detail;  // what was found: "user.max_user_namespaces is 0"
  std::string fix;     // a command or a sentence; empty if ok
};
// Tries everything for real, in a forked child where that could leave traces.
std::vector<SandboxProblem> probe_sandbox();
// The one thing for want of which no sandbox can be made at all, tried for real; empty if one can.
std::optional<SandboxProblem> why_no_sandbox();

}  // namespace netrig
