#include "fakes/parity/program_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace netrig {
namespace {

constexpr SocketOption kOptions[] = {{"SO_ERROR", SOL_SOCKET, SO_ERROR, false},
                                     {"SO_TYPE", SOL_SOCKET, SO_TYPE, true},
                                     {"SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, false},
                                     {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, true},
                                     {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, true},
                                     {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, true},
                                     {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, true},
                                     {"SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, false},
                                     {"SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, false},
                                     {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, true},
                                     {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, true},
                                     {"SO_PASSCRED", SOL_SOCKET, SO_PASSCRED, true},
                                     {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, false},
                                     {"TCP_CORK", IPPROTO_TCP, TCP_CORK, true},
                                     {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, false},
                                     {"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, false},
                                     {"IP_TTL", IPPROTO_IP, IP_TTL, true},
                                     {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, true},
                                     {"option 4711", SOL_SOCKET, 4711, true}};

using Bit = std::pair<int, const char*>;

std::string words_of(int flags, std::span<const Bit> bits) {
  std::string words;
  for (const auto& [bit, word] : bits) {
    if ((flags & bit) != 0) words += (words.empty() ? "" : "|") + std::string(word);
  }
  return words.empty() ? "-" : words;
}

}  // namespace

std::string poll_words(short events) {
  constexpr Bit kBits[] = {{POLLIN, "IN"},      {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
                           {POLLERR, "ERR"},    {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"},
                           {POLLRDHUP, "RDHUP"}};
  return words_of(events, kBits);
}

std::string message_flag_words(int flags) {
  constexpr Bit kBits[] = {
      {MSG_TRUNC, "TRUNC"}, {MSG_CTRUNC, "CTRUNC"}, {MSG_EOR, "EOR"}, {MSG_OOB, "OOB"}};
  return words_of(flags, kBits);
}

// "A5B100": payloads are runs of one letter, another for each call.
std::string run_lengths(ByteView octets) {
  std::string words;
  for (size_t i = 0; i < octets.size();) {
    const size_t end = std::min(octets.find_first_not_of(octets[i], i), octets.size());
    words += fmt::format("{}{}", octets[i], end - i);
    i = end;
  }
  return words;
}

std::span<const SocketOption> program_options() {
  return kOptions;
}

}  // namespace netrig
