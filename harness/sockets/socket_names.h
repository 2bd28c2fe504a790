#pragma once
// Names of the socket API's constants, both ways: options, message flags, poll bits, domains,
// types. One table each; scenarios, messages and the journal use them. No call is made here.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netrig {

struct SocketOption {
  enum class Kind { kInteger, kLinger, kMicroseconds, kBytes };
  const char* name;  // "SO_RCVBUF"
  int level;
  int option;
  Kind kind;
};

const std::vector<SocketOption>& socket_options();
const SocketOption* find_socket_option(std::string_view name);

struct NamedBit {
  const char* name;
  int value;
};
const std::vector<NamedBit>& message_flags();   // MSG_PEEK ...
const std::vector<NamedBit>& poll_events();     // POLLIN ...
const std::vector<NamedBit>& socket_domains();  // AF_INET AF_INET6 AF_UNIX
const std::vector<NamedBit>& socket_types();    // SOCK_STREAM ...

std::optional<int> find_bit(const std::vector<NamedBit>& table, std::string_view name);
std::vector<std::string> names_of(const std::vector<NamedBit>& table);
// "POLLIN|POLLHUP"; "0" for none; bits without a name as hex.
std::string format_bits(const std::vector<NamedBit>& table, int bits);

}  // namespace netrig
