#include "harness/run/needed_programs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "harness/process/program_path.h"

namespace netrig {

namespace {

// By name of the program. Where several packages have it, the smallest.
constexpr auto kPackages = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"aiosmtpd", "python3-aiosmtpd"},
    {"curl", "curl"},
    {"dig", "bind9-dnsutils"},
    {"dnsmasq", "dnsmasq-base"},
    {"fcgiwrap", "fcgiwrap"},
    {"ftp", "tnftp"},
    {"haproxy", "haproxy"},
    {"iperf3", "iperf3"},
    {"mariadb", "mariadb-client-core"},
    {"mariadbd", "mariadb-server-core"},
    {"memcached", "memcached"},
    {"mosquitto", "mosquitto"},
    {"mysql", "mariadb-client-core"},
    {"named", "bind9"},
    {"nc", "netcat-openbsd"},
    {"nginx", "nginx"},
    {"node", "nodejs"},
    {"ntpd", "ntpsec"},
    {"openssl", "openssl"},
    {"perl", "perl"},
    {"php", "php-cli"},
    {"php-fpm", "php-fpm"},
    {"php-fpm8.2", "php8.2-fpm"},
    {"php8.2", "php8.2-cli"},
    {"postgres", "postgresql"},
    {"psql", "postgresql-client"},
    {"python3", "python3"},
    {"redis-cli", "redis-tools"},
    {"redis-server", "redis-server"},
    {"ruby", "ruby"},
    {"smtpd", "opensmtpd"},
    {"socat", "socat"},
    {"sshd", "openssh-server"},
    {"swaks", "swaks"},
    {"tshark", "tshark"},
    {"unbound", "unbound"},
    {"vsftpd", "vsftpd"},
    {"wget", "wget"},
});

}  // namespace

std::string_view debian_package(std::string_view program) {
  const auto found =
      std::ranges::find(kPackages, program, [](const auto& entry) { return entry.first; });
  return found == kPackages.end() ? std::string_view() : found->second;
}

std::optional<std::string> missing_program(const Scenario& scenario, std::string_view path) {
  const std::string folders = path_with_servers(path);
  for (const NeededProgram& needed : scenario.needs) {
    const auto found = find_program(needed.program, folders);
    if (found) continue;
    const std::string_view package =
        needed.package.empty() ? debian_package(needed.program) : std::string_view(needed.package);
    std::string what = found.error() == Errno(EACCES)
                           ? fmt::format("{} cannot be executed", needed.program)
                           : fmt::format("{} is not installed", needed.program);
    if (package.empty()) return what;
    return fmt::format("{} (Debian package {})", what, package);
  }
  return std::nullopt;
}

}  // namespace netrig
