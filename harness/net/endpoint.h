#pragma once
// Where a socket is: IPv4 or IPv6 address and port, or a Unix path or abstract name. Plain values
// with text forms; no sockaddr here (harness/real knows those), no name resolution anywhere.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/quantity.h"

namespace netrig {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(uint32_t host_order);
  static IpAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  static IpAddress v6(const std::array<uint8_t, 16>& network_order);
  // Dotted decimal, or RFC 4291 text with `::` and embedded IPv4; no zone, no brackets.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v6() const { return v6_; }
  bool is_loopback() const;                                          // 127.0.0.0/8, ::1
  bool is_unspecified() const;                                       // 0.0.0.0, ::
  uint32_t v4_host_order() const;                                    // only if !is_v6()
  const std::array<uint8_t, 16>& octets() const { return octets_; }  // v4 uses the first four
  std::string to_string() const;                                     // RFC 5952

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v6_ = false;
  std::array<uint8_t, 16> octets_{};
};

enum class Transport : uint8_t { kTcp, kUdp, kUnixStream, kUnixDgram, kUnixSeqpacket };

// "tcp", "udp", "unix", "unix_dgram", "unix_seqpacket": the names that scenarios use.
std::string_view transport_name(Transport transport);
std::optional<Transport> transport_from_name(std::string_view name);
constexpr bool is_unix(Transport t) {
  return t >= Transport::kUnixStream;
}
// True where a receive ends at a message's boundary (udp, unix_dgram, unix_seqpacket).
constexpr bool keeps_boundaries(Transport t) {
  return t != Transport::kTcp && t != Transport::kUnixStream;
}
// True where a socket must be connected or accepted before data flows (tcp, unix, unix_seqpacket).
constexpr bool has_connections(Transport t) {
  return t == Transport::kTcp || t == Transport::kUnixStream || t == Transport::kUnixSeqpacket;
}

class Endpoint {
 public:
  enum class Kind : uint8_t { kIp, kUnix };

  Endpoint() = default;  // 0.0.0.0:0
  Endpoint(IpAddress address, uint16_t port) : address_(address), port_(port) {}
  static Endpoint unix_path(std::string path);             // a file system path
  static Endpoint unix_abstract(const std::string& name);  // without the leading NUL
  static Endpoint unix_unnamed();

  Kind kind() const { return kind_; }
  const IpAddress& address() const { return address_; }
  uint16_t port() const { return port_; }
  // As in sun_path: a path, "\0name" for an abstract name, empty for an unnamed socket.
  const std::string& path() const { return path_; }
  bool is_abstract() const { return !path_.empty() && path_[0] == '\0'; }

  // "10.0.0.1:80", "[::1]:80", "unix:/run/app.sock", "unix:@name", "unix:" (unnamed).
  std::string to_string() const;
  // The inverse of to_string.
  static Parsed<Endpoint> parse(std::string_view text);

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;

 private:
  Kind kind_ = Kind::kIp;
  IpAddress address_;
  uint16_t port_ = 0;
  std::string path_;
};

}  // namespace netrig
