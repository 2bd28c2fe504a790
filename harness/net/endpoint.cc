#include "harness/net/endpoint.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

#include "harness/base/bytes.h"
#include "harness/base/require.h"

namespace netrig {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

constexpr std::string_view kTransportNames[] = {"tcp", "udp", "unix", "unix_dgram",
                                                "unix_seqpacket"};

Parsed<uint16_t> parse_port(std::string_view text) {
  if (text.empty()) return std::unexpected("no port follows the colon");
  Parsed<int64_t> port = parse_integer(text);
  if (!port) return std::unexpected("as a port, " + port.error());
  if (*port < 0 || *port > 65535) {
    return std::unexpected(fmt::format("port {} is not in 0..65535", *port));
  }
  return static_cast<uint16_t>(*port);
}

}  // namespace

IpAddress IpAddress::v4(uint32_t host_order) {
  auto octet = [&](int shift) { return static_cast<uint8_t>(host_order >> shift); };
  return v4(octet(24), octet(16), octet(8), octet(0));
}

IpAddress IpAddress::v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.octets_ = {a, b, c, d};
  return address;
}

IpAddress IpAddress::v6(const std::array<uint8_t, 16>& network_order) {
  IpAddress address;
  address.v6_ = true;
  address.octets_ = network_order;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton(3) reads up to a NUL, so one inside would hide what follows.
  if (text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  address.v6_ = text.contains(':');
  if (inet_pton(address.v6_ ? AF_INET6 : AF_INET, terminated.c_str(), address.octets_.data()) !=
      1) {
    return std::nullopt;
  }
  return address;
}

bool IpAddress::is_loopback() const {
  return v6_ ? *this == v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}) : octets_[0] == 127;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(octets_.begin(), octets_.end(), [](uint8_t octet) { return octet == 0; });
}

uint32_t IpAddress::v4_host_order() const {
  NETRIG_REQUIRE(!v6_);
  return static_cast<uint32_t>(octets_[0]) << 24 | static_cast<uint32_t>(octets_[1]) << 16 |
         static_cast<uint32_t>(octets_[2]) << 8 | octets_[3];
}

std::string IpAddress::to_string() const {
  // glibc's inet_ntop writes IPv6 as RFC 5952 section 4 asks: lower case, the first longest run of
  // two or more zero groups as "::", IPv4-mapped addresses in dotted form.
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, octets_.data(), text, sizeof text);
  return text;
}

std::string_view transport_name(Transport transport) {
  return kTransportNames[static_cast<size_t>(transport)];
}

std::optional<Transport> transport_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(kTransportNames); ++i) {
    if (kTransportNames[i] == name) return static_cast<Transport>(i);
  }
  return std::nullopt;
}

Endpoint Endpoint::unix_path(std::string path) {
  Endpoint endpoint;
  endpoint.kind_ = Kind::kUnix;
  endpoint.path_ = std::move(path);
  return endpoint;
}

Endpoint Endpoint::unix_abstract(const std::string& name) {
  return unix_path(std::string(1, '\0') + name);
}

Endpoint Endpoint::unix_unnamed() {
  return unix_path("");
}

std::string Endpoint::to_string() const {
  if (kind_ == Kind::kUnix) {
    if (is_abstract()) return fmt::format("unix:@{}", std::string_view(path_).substr(1));
    // A file whose name starts with '@' must not read as an abstract name.
    return fmt::format("unix:{}{}", path_.starts_with('@') ? "./" : "", path_);
  }
  if (address_.is_v6()) return fmt::format("[{}]:{}", address_.to_string(), port_);
  return fmt::format("{}:{}", address_.to_string(), port_);
}

Parsed<Endpoint> Endpoint::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    text.remove_prefix(kUnixPrefix.size());
    if (text.starts_with('@')) return unix_abstract(std::string(text.substr(1)));
    if (text.contains('\0')) return std::unexpected("a socket's path holds no NUL");
    return unix_path(std::string(text));
  }
  const std::string shown = format_quoted(text);
  const bool bracketed = text.starts_with('[');
  const size_t close = bracketed ? text.find(']') : std::string_view::npos;
  if (bracketed && close == std::string_view::npos) {
    return std::unexpected(fmt::format("no ] closes the [ in {}", shown));
  }
  const size_t colon = bracketed ? close + 1 : text.rfind(':');
  if (colon >= text.size() || text[colon] != ':') {
    return std::unexpected(fmt::format("no port in {}, as in 10.0.0.1:80 or [::1]:80", shown));
  }
  std::string_view host = bracketed ? text.substr(1, close - 1) : text.substr(0, colon);
  const std::optional<IpAddress> address = IpAddress::parse(host);
  if (!address) {
    return std::unexpected(
        fmt::format("{} is neither an IPv4 nor an IPv6 address", format_quoted(host)));
  }
  if (address->is_v6() != bracketed) {
    return std::unexpected(
        fmt::format("an IPv6 address, and no other, stands in brackets before its "
                    "port, unlike {}",
                    shown));
  }
  Parsed<uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return std::unexpected(port.error());
  return Endpoint(*address, *port);
}

}  // namespace netrig
