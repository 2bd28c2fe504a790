#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <optional>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/base/text.h"
#include "harness/real/sandbox.h"
#include "harness/real/sandbox_parts.h"

namespace netrig {
namespace {

constexpr rlim_t kWantedDescriptors = 4096;

// The number in a one-number file of /proc/sys; nothing if there is none.
std::optional<int64_t> setting(const std::string& path) {
  const std::string text = read_text(path);
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

SandboxProblem good(std::string what, std::string detail) {
  return {std::move(what), true, std::move(detail), ""};
}

// What to do when the kernel refuses namespaces for no reason that its settings tell.
std::string way_to_namespaces(Errno error) {
  if (error == Errno(EPERM)) {
    return "in Docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN";
  }
  // namespaces(7): a limit here, or of a user namespace around this one.
  if (error == Errno(ENOSPC)) {
    return "raise user.max_*_namespaces by sysctl, outside of the container if this is one";
  }
  return "use --host-network";
}

SandboxProblem user_namespaces_allowed() {
  const std::string what = "user namespaces";
  for (const char* kind : {"user", "net", "pid", "mnt"}) {
    const std::string name = fmt::format("max_{}_namespaces", kind);
    if (setting("/proc/sys/user/" + name) != 0) continue;
    return {what, false, fmt::format("user.{} is 0", name),
            fmt::format("sysctl -w user.{}=10000", name)};
  }
  if (::geteuid() != 0) {
    if (setting("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
      return {what, false, "kernel.unprivileged_userns_clone is 0 (Debian)",
              "sysctl -w kernel.unprivileged_userns_clone=1, or run as root"};
    }
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1) {
      return {what, false, "kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu)",
              "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root"};
    }
  }
  const pid_t child = clone_process(kSandboxNamespaces);
  if (child == 0) ::_exit(0);
  if (child < 0) {
    const Errno error(errno);
    return {what, false, fmt::format("clone answers {} ({})", error.text(), error.name()),
            way_to_namespaces(error)};
  }
  ::waitpid(child, nullptr, 0);
  return good(what, "allowed");
}

// What the child of a real sandbox finds: bits of its exit status.
enum Missing : int { kCapture = 1, kOwnProcesses = 2 };

int try_inside() {
  const Fd packets(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  std::error_code error;
  const bool own = std::filesystem::read_symlink("/proc/self", error) == std::to_string(::getpid());
  return (packets ? 0 : kCapture) | (own ? 0 : kOwnProcesses);
}

SandboxProblem user_ids() {
  if (::geteuid() == 0) return good("user ids", "all of them: servers can change their user");
  return good("user ids", fmt::format("your own ({}) only: a server that changes its user needs "
                                      "root, or an option to stay",
                                      ::geteuid()));
}

// `error`: of start_in_sandbox().
SandboxProblem not_made(const std::string& error) {
  const bool map = error.find("_map") != std::string::npos;
  return {"sandbox", false, error,
          map ? "Ubuntu 24.04: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, "
                "or give netrig an AppArmor profile with `userns,`"
              : "in Docker: --security-opt seccomp=unconfined --security-opt "
                "apparmor=unconfined --cap-add SYS_ADMIN"};
}

std::vector<SandboxProblem> whole_sandbox() {
  std::vector<SandboxProblem> found;
  auto child = start_in_sandbox({.host_count = 2}, try_inside);
  if (!child) {
    found.push_back(not_made(child.error()));
    return found;
  }
  found.push_back(good("sandbox", "network, PID and mount namespaces work"));
  const int missing = wait_for_sandbox(*child);
  if ((missing & kCapture) == 0) {
    found.push_back(good("capture", "AF_PACKET works in the sandbox"));
  } else {
    found.push_back({"capture", false, "AF_PACKET sockets are refused in the sandbox",
                     "load the module: modprobe af_packet"});
  }
  if ((missing & kOwnProcesses) == 0) {
    found.push_back(good("programs", "can be started and watched"));
  } else {
    found.push_back({"programs", false, "the kernel refuses a /proc of the sandbox's own",
                     "in Docker: --security-opt systempaths=unconfined"});
  }
  found.push_back(user_ids());
  return found;
}

SandboxProblem descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::string detail = fmt::format("at most {} open files", limit.rlim_max);
  if (limit.rlim_max >= kWantedDescriptors) return good("open files", detail);
  return {"open files", false, detail, fmt::format("ulimit -Hn {}", kWantedDescriptors)};
}

}  // namespace

std::optional<SandboxProblem> why_no_sandbox() {
  if (SandboxProblem namespaces = user_namespaces_allowed(); !namespaces.ok) return namespaces;
  const auto child = start_in_sandbox({.host_count = 1}, [] { return 0; });
  if (!child) return not_made(child.error());
  wait_for_sandbox(*child);
  return std::nullopt;
}

std::vector<SandboxProblem> probe_sandbox() {
  std::vector<SandboxProblem> found;
  found.push_back(user_namespaces_allowed());
  if (found.front().ok) {
    for (auto& problem : whole_sandbox()) found.push_back(std::move(problem));
  }
  found.push_back(descriptors());
  return found;
}

}  // namespace netrig
