#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "harness/base/fd.h"
#include "harness/real/sandbox_parts.h"

namespace netrig {
namespace {

// With everything that is mounted below it.
std::expected<void, std::string> make_read_only(const char* folder) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  // mount_setattr(2), Linux 5.12: one call for the whole tree.
  if (::syscall(SYS_mount_setattr, AT_FDCWD, folder, AT_RECURSIVE, &attributes,
                sizeof(attributes)) != 0) {
    return std::unexpected(
        system_error(std::string("cannot make ") + folder + " read-only (mount_setattr)"));
  }
  return {};
}

std::expected<void, std::string> mount_tmpfs(const char* folder, const char* options) {
  if (::mount("netrig", folder, "tmpfs", MS_NOSUID, options) != 0) {
    return std::unexpected(system_error(std::string("cannot mount a tmpfs on ") + folder));
  }
  return {};
}

// Disks and the machine's memory are devices, too, and a read-only mount does not keep root from
// writing to them: of /dev only what every program needs is left. Made in /tmp, which is fresh, and
// put over /dev as it is.
std::expected<void, std::string> replace_devices() {
  const char* made = "/tmp/dev";
  if (::mkdir(made, 0755) != 0) return std::unexpected(system_error("cannot make /tmp/dev"));
  if (auto done = mount_tmpfs(made, "mode=755,size=64k"); !done) return done;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    const std::string from = std::string("/dev/") + name;
    const std::string to = std::string(made) + "/" + name;
    const Fd file(::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    // What this machine does not have is missing inside as well.
    static_cast<void>(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr));
  }
  const std::pair<const char*, const char*> links[] = {{"/proc/self/fd", "/tmp/dev/fd"},
                                                       {"/proc/self/fd/0", "/tmp/dev/stdin"},
                                                       {"/proc/self/fd/1", "/tmp/dev/stdout"},
                                                       {"/proc/self/fd/2", "/tmp/dev/stderr"}};
  for (const auto& [target, link] : links) static_cast<void>(!::symlink(target, link));
  static_cast<void>(::mkdir("/tmp/dev/shm", 01777));
  if (::mount(made, "/dev", nullptr, MS_MOVE, nullptr) != 0) {
    return std::unexpected(system_error("cannot put a fresh /dev in place"));
  }
  static_cast<void>(::rmdir(made));
  return mount_tmpfs("/dev/shm", "mode=1777,size=1g");
}

constexpr const char* kFreshFolders[] = {"/tmp", "/run", "/var/tmp"};

// Folders that fresh ones will cover, held by descriptors until they have.
std::vector<std::pair<std::string, Fd>> hold(const std::vector<std::string>& folders) {
  std::vector<std::pair<std::string, Fd>> held;
  for (const std::string& folder : folders) {
    const bool covered = std::ranges::any_of(
        kFreshFolders, [&](const std::string& fresh) { return folder.starts_with(fresh + "/"); });
    Fd descriptor(covered ? ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1);
    if (descriptor) held.emplace_back(folder, std::move(descriptor));
  }
  return held;
}

// The mounts that they came from are read-only, and so are these.
std::expected<void, std::string> show(const std::vector<std::pair<std::string, Fd>>& held) {
  for (const auto& [folder, descriptor] : held) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const std::string from = "/proc/self/fd/" + std::to_string(descriptor.get());
    if (::mount(from.c_str(), folder.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      return std::unexpected(system_error("cannot show " + folder + " in the sandbox"));
    }
  }
  return {};
}

}  // namespace

void set_up_kernel_settings(const TcpSettings& tcp) {
  const std::pair<const char*, std::string_view> settings[] = {
      // RFC 4862 5.4: no duplicate-address detection on devices that a test may add.
      {"ipv6/conf/all/accept_dad", "0"},
      {"ipv6/conf/default/accept_dad", "0"},
      // Linux's defaults but for the upper ends: what one burst can hold must fit into the ring of
      // the capture.
      {"ipv4/tcp_rmem", "4096 131072 1048576"},
      {"ipv4/tcp_wmem", "4096 16384 1048576"},
      {"ipv4/tcp_congestion_control", tcp.congestion},
      // Servers under test listen on their own ports, whoever runs them.
      {"ipv4/ip_unprivileged_port_start", "0"},
      // ip-sysctl: 1 asks for ECN and agrees to it, 2 only agrees, as Linux does by default.
      {"ipv4/tcp_ecn", tcp.ecn ? "1" : "2"},
  };
  for (const auto& [name, value] : settings) {
    static_cast<void>(write_file(std::string("/proc/sys/net/") + name, value));
  }
}

std::expected<void, std::string> set_up_mounts(const SandboxOptions& options) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return std::unexpected(system_error("cannot make mounts private"));
  }
  if (auto done = make_read_only("/"); !done) return done;
  const auto held = hold(options.visible);
  for (const char* folder : kFreshFolders) {
    struct stat status{};
    if (::stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    if (auto done = mount_tmpfs(folder, "mode=1777,size=2g"); !done) return done;
  }
  if (auto done = replace_devices(); !done) return done;
  if (auto done = show(held); !done) return done;
  // Of the new PID namespace, or every process of the machine would be seen under a wrong number.
  // Where parts of the old /proc are covered (containers), the kernel refuses; nothing here depends
  // on it.
  static_cast<void>(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
  set_up_kernel_settings(options.tcp);
  // Root's files in /proc would still be the machine's: /proc/sysrq-trigger, /proc/sys/kernel.
  if (auto done = make_read_only("/proc"); !done) return done;
  if (::chdir("/tmp") != 0) return std::unexpected(system_error("cannot enter /tmp"));
  return {};
}

}  // namespace netrig
