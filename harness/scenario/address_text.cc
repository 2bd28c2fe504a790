#include "harness/scenario/address_text.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/scenario/format_table.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

using Checked = std::expected<void, AddressMistake>;

std::unexpected<AddressMistake> wrong(std::string message, std::string hint = {}) {
  return std::unexpected(AddressMistake{std::move(message), std::move(hint)});
}

Checked parse_port(Address& address, std::string_view text) {
  Parsed<int64_t> port = parse_integer(text);
  if (!port) return wrong(fmt::format("'{}' is not a port", text), "ports are numbers, 0..65535");
  if (*port < 0 || *port > 65535) {
    return wrong(fmt::format("port {} is out of range", text), "ports are 0..65535");
  }
  address.port = static_cast<uint16_t>(*port);
  return {};
}

Checked parse_host(Address& address, std::string_view text, bool bracketed) {
  if (text.empty() && !bracketed) return {};  // the actor's own
  std::optional<IpAddress> ip = IpAddress::parse(text);
  if (bracketed && (!ip || !ip->is_v6())) {
    return wrong(fmt::format("'{}' is not an IPv6 address", text));
  }
  if (!bracketed && text.find(':') != std::string_view::npos) {
    return wrong(fmt::format("'{}' is not an IPv6 address in brackets", text),
                 "as in tcp://[::1]:80");
  }
  if (!ip && !is_name(text)) {
    return wrong(fmt::format("'{}' is neither an IP address nor a host's name", text));
  }
  if (!ip) {
    address.host = text;
    return {};
  }
  if (!ip->is_v6() && address.v6) {
    return wrong(fmt::format("'{}' is an IPv4 address, and {}6 is asked for", text,
                             transport_name(address.transport)));
  }
  address.ip = ip;
  address.v6 = ip->is_v6();
  return {};
}

Checked parse_ip_part(Address& address, std::string_view text) {
  std::string_view name = transport_name(address.transport);
  if (text.find("${") != std::string_view::npos) {
    return wrong("only the path of a Unix socket can hold a variable of the run",
                 "name the actor instead, or set the variable in \"vars\"");
  }
  if (!text.starts_with("//")) {
    return wrong(fmt::format("'{}:' goes on with '//'", name),
                 fmt::format("{0}://:80 is port 80, {0}://server:80 is a host and a port", name));
  }
  text.remove_prefix(2);
  std::string_view host = text;
  std::optional<std::string_view> port;
  bool bracketed = text.starts_with('[');
  if (bracketed) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return wrong("'[' is never closed");
    host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (rest.starts_with(':')) {
      port = rest.substr(1);
    } else if (!rest.empty()) {
      return wrong(fmt::format("after ']' comes ':' and a port, not '{}'", rest));
    }
  } else if (size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (Checked checked = parse_host(address, host, bracketed); !checked) return checked;
  return port ? parse_port(address, *port) : Checked{};
}

Checked parse_unix_part(Address& address, std::string_view text) {
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    if (!text.starts_with('/') && !text.starts_with("${")) {
      return wrong("after 'unix://' comes a path from the root",
                   "unix:///run/app.sock, unix:app.sock or unix:@name");
    }
  }
  if (text.starts_with('@')) {
    address.abstract = true;
    text.remove_prefix(1);
  }
  if (text.empty()) return wrong("the path is empty", "unix alone lets netrig choose one");
  if (text.find('\0') != std::string_view::npos) return wrong("a path cannot hold a NUL");
  auto segments = parse_template(text);
  if (!segments) return wrong(segments.error());
  size_t octets = 0;  // at least: variables may add some
  for (const Template::Segment& segment : *segments) octets += segment.literal.size();
  if (octets > kUnixPathMax) {
    return wrong(
        fmt::format("the path has {} octets, a Unix socket takes {}", octets, kUnixPathMax),
        "unix(7): sun_path");
  }
  address.path.at = address.at;
  address.path.segments = std::move(*segments);
  return {};
}

}  // namespace

std::expected<Address, AddressMistake> parse_address(std::string_view text, Location at) {
  Address address;
  address.at = at;
  size_t colon = text.find(':');
  std::string_view scheme = text.substr(0, colon);
  std::string_view base = scheme;
  if (scheme == "tcp6" || scheme == "udp6") {
    address.v6 = true;
    base.remove_suffix(1);
  }
  std::optional<Transport> transport = transport_from_name(base);
  if (!transport) {
    std::string hint = "one of " + join_or(address_schemes());
    if (auto nearest = nearest_name(scheme, address_schemes())) {
      hint = fmt::format("did you mean '{}'?", *nearest);
    }
    return wrong(fmt::format("unknown transport '{}'", scheme.substr(0, 60)), hint);
  }
  address.transport = *transport;
  if (colon == std::string_view::npos) return address;
  std::string_view rest = text.substr(colon + 1);
  Checked checked =
      is_unix(*transport) ? parse_unix_part(address, rest) : parse_ip_part(address, rest);
  if (!checked) return std::unexpected(checked.error());
  return address;
}

const std::vector<std::string>& address_schemes() {
  static const std::vector<std::string> names = {"tcp",  "udp",        "tcp6",          "udp6",
                                                 "unix", "unix_dgram", "unix_seqpacket"};
  return names;
}

bool looks_like_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return true;
  const std::vector<std::string>& schemes = address_schemes();
  return std::find(schemes.begin(), schemes.end(), text) != schemes.end();
}

std::vector<Template::Segment> default_socket_path(const std::string& actor, bool many) {
  std::vector<Template::Segment> path = {{.literal = {}, .variable = "tmp"}};
  append_literal(path, "/" + actor + (many ? "-" : ".sock"));
  if (many) {
    path.push_back({.literal = {}, .variable = "i"});
    append_literal(path, ".sock");
  }
  return path;
}

}  // namespace netrig
