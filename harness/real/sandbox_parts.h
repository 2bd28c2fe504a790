#pragma once
// The steps of making a sandbox, one by one: shared by sandbox.cc and the probe behind `netrig
// doctor`.

#include <cstdint>
#include <expected>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "harness/real/sandbox.h"

namespace netrig {

inline constexpr uint64_t kSandboxNamespaces =
    CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS;

// "what: No such file or directory (ENOENT)", of the current errno.
std::string system_error(std::string_view what);

// For small files below /proc. read_text: empty if it cannot be read.
std::expected<void, std::string> write_file(const std::string& path, std::string_view text);
std::string read_text(const std::string& path);

// fork(2) with CLONE_* flags: 0 in the child. glibc has no wrapper that continues on the same
// stack.
pid_t clone_process(uint64_t flags);

// uid_map, gid_map and setgroups of a child in a new user namespace.
std::expected<void, std::string> write_id_maps(pid_t child);

// What a network namespace's own settings are, the same on every machine; best effort.
void set_up_kernel_settings(const TcpSettings& tcp);

// In the new mount namespace: private, read-only, fresh temporary folders, /dev and /proc, cwd
// /tmp; and the network namespace's settings.
std::expected<void, std::string> set_up_mounts(const SandboxOptions& options);

}  // namespace netrig
