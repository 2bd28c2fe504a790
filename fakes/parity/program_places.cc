#include "fakes/parity/program_places.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace netrig {
namespace {

constexpr uint16_t kEphemeral = 32768;

}  // namespace

ProgramPlaces::ProgramPlaces(const World& world, bool one_host, SocketPlaces places)
    : one_host_(one_host), places_(std::move(places)), tmp_(world.tmp()) {
  for (size_t host = 0; host < 2; ++host) {
    for (const bool v6 : {false, true}) {
      addresses_[host][v6 ? 1 : 0] = world.address(host == 0 ? "a" : "b", v6);
    }
  }
}

Endpoint ProgramPlaces::endpoint(int domain, size_t host, uint8_t choice) const {
  if (domain == AF_UNIX) {
    const int number = choice % 3;
    if (choice % 8 == 7) return Endpoint::unix_path(tmp_ + "/no-such-folder/x");
    if (choice % 2 == 0) {
      return Endpoint::unix_abstract(fmt::format("{}-{}", places_.unix_prefix, number));
    }
    return Endpoint::unix_path(fmt::format("{}/{}-{}", tmp_, places_.unix_prefix, number));
  }
  const bool v6 = domain == AF_INET6;
  const auto port = static_cast<uint16_t>(choice % 8 == 7 ? 0 : places_.first_port + choice % 3);
  if (one_host_) {
    if (choice % 5 == 3) {
      return Endpoint(v6 ? *IpAddress::parse("::") : *IpAddress::parse("0.0.0.0"), port);
    }
    if (choice % 5 == 4) {
      return Endpoint(v6 ? *IpAddress::parse("::1") : *IpAddress::parse("127.0.0.1"), port);
    }
    return Endpoint(addresses_[0][v6 ? 1 : 0], port);
  }
  // Mostly the own one for binding and the other's for connecting; who calls decides by chance.
  const size_t whose = choice / 8 % 2 == 0 ? host : 1 - host;
  return Endpoint(addresses_[whose][v6 ? 1 : 0], port);
}

std::string ProgramPlaces::shown_port(uint16_t port) const {
  if (port >= places_.first_port && port < places_.first_port + 3) {
    return fmt::format("p{}", port - places_.first_port);
  }
  return port >= kEphemeral ? "eph" : std::to_string(port);
}

std::string ProgramPlaces::shown(const Endpoint& endpoint) const {
  if (endpoint.kind() == Endpoint::Kind::kUnix) {
    const std::string& path = endpoint.path();
    if (path.empty()) return "unnamed";
    const size_t at = path.find(places_.unix_prefix + "-");
    if (at != std::string::npos) {
      return fmt::format("{}x{}", endpoint.is_abstract() ? "@" : "tmp/",
                         path.substr(at + places_.unix_prefix.size() + 1));
    }
    return endpoint.is_abstract() ? "@auto" : path;
  }
  for (size_t host = 0; host < 2; ++host) {
    for (const IpAddress& address : addresses_[host]) {
      if (endpoint.address() == address) {
        return fmt::format("{}{}:{}", host == 0 ? "a" : "b", address.is_v6() ? "6" : "",
                           shown_port(endpoint.port()));
      }
    }
  }
  return fmt::format("{}:{}", endpoint.address().to_string(), shown_port(endpoint.port()));
}

}  // namespace netrig
