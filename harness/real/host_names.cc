#include "harness/real/host_names.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <sys/mount.h>
#include <unistd.h>

#include "harness/base/errno.h"

namespace netrig {

namespace {

// Over the file, or over what its name, a symbolic link, leads to.
std::expected<void, std::string> put_over(const char* path, const std::string& text,
                                          const std::string& folder) {
  if (::access(path, F_OK) != 0) return {};
  const std::string file = folder + "/.netrig-names";
  std::ofstream(file) << text;
  const bool put = ::mount(file.c_str(), path, nullptr, MS_BIND, nullptr) == 0;
  const Errno error(errno);
  ::unlink(file.c_str());
  if (put) return {};
  return std::unexpected(fmt::format("cannot mount {}: {} ({})", path, error.text(), error.name()));
}

}  // namespace

std::expected<void, std::string> name_hosts(const HostTable& hosts,
                                            const std::vector<std::string>& name_servers,
                                            const std::string& folder) {
  std::string names = "127.0.0.1 localhost\n::1 localhost\n";
  // Servers ask who they are, and would ask a name server that is not there (Debian's hosts(5) has
  // this address for it).
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) == 0 && machine[0] != '\0') {
    names += fmt::format("127.0.1.1 {}\n", machine.data());
  }
  for (size_t host = 0; host < hosts.size(); ++host) {
    names += fmt::format("{} {}\n", hosts.address(host, false).to_string(), hosts.name(host));
    names += fmt::format("{} {}\n", hosts.address(host, true).to_string(), hosts.name(host));
  }
  if (auto done = put_over("/etc/hosts", names, folder); !done) return done;
  std::string servers = "# of the hosts in this network\n";
  for (const std::string& name : name_servers) {
    const auto host = hosts.by_name(name);
    if (host) servers += fmt::format("nameserver {}\n", hosts.address(*host, false).to_string());
  }
  return put_over("/etc/resolv.conf", servers, folder);
}

}  // namespace netrig
