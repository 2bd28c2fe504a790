#include "harness/real/host_names.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <sys/mount.h>
#include <unistd.h>

#include "harness/base/errno.h"

namespace netrig {

std::expected<void, std::string> name_hosts(const HostTable& hosts, const std::string& folder) {
  constexpr const char* kHosts = "/etc/hosts";
  if (::access(kHosts, F_OK) != 0) return {};  // names are then resolved by nobody
  std::string text = "127.0.0.1 localhost\n::1 localhost\n";
  for (size_t host = 0; host < hosts.size(); ++host) {
    text += fmt::format("{} {}\n", hosts.address(host, false).to_string(), hosts.name(host));
    text += fmt::format("{} {}\n", hosts.address(host, true).to_string(), hosts.name(host));
  }
  const std::string file = folder + "/.hosts";
  std::ofstream(file) << text;
  const bool put = ::mount(file.c_str(), kHosts, nullptr, MS_BIND, nullptr) == 0;
  const Errno error(errno);
  ::unlink(file.c_str());
  if (put) return {};
  return std::unexpected(
      fmt::format("cannot mount {}: {} ({})", kHosts, error.text(), error.name()));
}

}  // namespace netrig
