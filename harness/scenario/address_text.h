#pragma once
// The text form of an Address: "tcp", "udp6://:53", "tcp://server:80", "unix:${tmp}/a.sock",
// "unix:@name". Syntax only; whether a host exists is judged elsewhere.

#include <expected>
#include <string>
#include <string_view>

#include "harness/scenario/model.h"

namespace netrig {

inline constexpr size_t kUnixPathMax = 107;  // sun_path without its NUL (unix(7))

struct AddressMistake {
  std::string message;  // a sentence without a full stop
  std::string hint;     // may be empty
};

std::expected<Address, AddressMistake> parse_address(std::string_view text, Location at = {});

// "tcp", "udp6", "unix_dgram", ...: the words an address starts with.
const std::vector<std::string>& address_schemes();

// True for what is meant as an address and not as an actor's name: a scheme, or anything with a
// colon.
bool looks_like_address(std::string_view text);

// Where netrig puts an actor's Unix socket if the file does not say: "${tmp}/server.sock"; every
// instance of many has its own.
std::vector<Template::Segment> default_socket_path(const std::string& actor, bool many);

}  // namespace netrig
