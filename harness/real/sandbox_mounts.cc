#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "harness/real/sandbox_parts.h"

namespace netrig {
namespace {

std::expected<void, std::string> make_all_read_only() {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  // mount_setattr(2), Linux 5.12: one call for the whole tree.
  if (::syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) !=
      0) {
    return std::unexpected(system_error("cannot make the file system read-only (mount_setattr)"));
  }
  return {};
}

// The namespace's own settings, the same on every machine, whatever the machine's are; best effort.
void set_up_kernel_settings() {
  const std::pair<const char*, const char*> settings[] = {
      // RFC 4862 5.4: no duplicate-address detection on devices that a test may add.
      {"ipv6/conf/all/accept_dad", "0"},
      {"ipv6/conf/default/accept_dad", "0"},
      // Linux's defaults but for the upper ends: what one burst can hold must fit into the ring of
      // the
      // capture.
      {"ipv4/tcp_rmem", "4096 131072 1048576"},
      {"ipv4/tcp_wmem", "4096 16384 1048576"},
      // The one algorithm that every kernel has and every namespace may choose.
      {"ipv4/tcp_congestion_control", "reno"},
  };
  for (const auto& [name, value] : settings) {
    static_cast<void>(write_file(std::string("/proc/sys/net/") + name, value));
  }
}

}  // namespace

std::expected<void, std::string> set_up_mounts() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return std::unexpected(system_error("cannot make mounts private"));
  }
  if (auto done = make_all_read_only(); !done) return done;
  for (const char* folder : {"/tmp", "/run", "/var/tmp", "/dev/shm"}) {
    struct stat status{};
    if (::stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    const char* options = "mode=1777";
    if (::mount("netrig", folder, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
      return std::unexpected(system_error(std::string("cannot mount a tmpfs on ") + folder));
    }
  }
  // Of the new PID namespace, or every process of the machine would be seen under a wrong number.
  // Where parts of the old /proc are covered (containers), the kernel refuses; nothing here depends
  // on it.
  static_cast<void>(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
  set_up_kernel_settings();
  if (::chdir("/tmp") != 0) return std::unexpected(system_error("cannot enter /tmp"));
  return {};
}

}  // namespace netrig
