#include "harness/process/listening_sockets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <memory>
#include <netinet/tcp.h>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace netrig {
namespace {

using Inode = uint64_t;

std::set<Inode> sockets_of(const std::vector<pid_t>& processes) {
  std::set<Inode> inodes;
  for (const pid_t pid : processes) {
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> files(::opendir(folder.c_str()), ::closedir);
    if (!files) continue;
    while (const dirent* entry = ::readdir(files.get())) {
      std::array<char, 64> target{};
      const std::string file = folder + "/" + entry->d_name;
      const ssize_t size = ::readlink(file.c_str(), target.data(), target.size() - 1);
      constexpr std::string_view kSocket = "socket:[";
      if (size > 0 && std::string_view(target.data()).starts_with(kSocket)) {
        inodes.insert(std::strtoull(target.data() + kSocket.size(), nullptr, 10));
      }
    }
  }
  return inodes;
}

// "0100007F:1F90", and 32 digits for IPv6: words of 32 bits as they lie in memory.
std::optional<Endpoint> parse_address(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<uint8_t, 16> octets{};
  for (size_t word = 0; word * 8 < colon; ++word) {
    const uint32_t value = static_cast<uint32_t>(
        std::strtoul(std::string(text.substr(word * 8, 8)).c_str(), nullptr, 16));
    std::memcpy(octets.data() + word * 4, &value, 4);
  }
  const auto port =
      static_cast<uint16_t>(std::strtoul(std::string(text.substr(colon + 1)).c_str(), nullptr, 16));
  const IpAddress address = colon == 8 ? IpAddress::v4(octets[0], octets[1], octets[2], octets[3])
                                       : IpAddress::v6(octets);
  return Endpoint(address, port);
}

// proc(5), /proc/net/tcp: "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout
// inode"
void read_inet(const std::string& folder, const char* table, Transport transport,
               const std::set<Inode>& inodes, std::vector<ListeningSocket>& found) {
  std::ifstream file(folder + table);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::array<std::string, 10> field;
    for (std::string& one : field) fields >> one;
    const unsigned long state = std::strtoul(field[3].c_str(), nullptr, 16);
    // A bound UDP socket without a peer is in state 7 (TCP_CLOSE).
    if (state != (transport == Transport::kTcp ? TCP_LISTEN : TCP_CLOSE)) continue;
    if (!inodes.contains(std::strtoull(field[9].c_str(), nullptr, 10))) continue;
    if (const auto at = parse_address(field[1])) found.push_back({transport, *at});
  }
}

// "Num RefCount Protocol Flags Type St Inode Path"
void read_unix(const std::string& folder, const std::set<Inode>& inodes,
               std::vector<ListeningSocket>& found) {
  constexpr unsigned long kAcceptsConnections = 1UL << 16;  // __SO_ACCEPTCON
  std::ifstream file(folder + "unix");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::array<std::string, 7> field;
    for (std::string& one : field) fields >> one;
    std::string path;
    std::getline(fields >> std::ws, path);
    if (path.empty() || !inodes.contains(std::strtoull(field[6].c_str(), nullptr, 10))) continue;
    const bool accepts = (std::strtoul(field[3].c_str(), nullptr, 16) & kAcceptsConnections) != 0;
    const unsigned long type = std::strtoul(field[4].c_str(), nullptr, 16);
    Transport transport = Transport::kUnixDgram;
    if (type == SOCK_STREAM) transport = Transport::kUnixStream;
    if (type == SOCK_SEQPACKET) transport = Transport::kUnixSeqpacket;
    if (has_connections(transport) && !accepts) continue;
    found.push_back({transport, path[0] == '@' ? Endpoint::unix_abstract(path.substr(1))
                                               : Endpoint::unix_path(path)});
  }
}

}  // namespace

std::vector<ListeningSocket> listening_sockets(const std::vector<pid_t>& processes) {
  const std::set<Inode> inodes = sockets_of(processes);
  std::vector<ListeningSocket> found;
  if (inodes.empty()) return found;
  // All of one program are in one network namespace, which need not be ours; the first may be gone.
  for (const pid_t pid : processes) {
    const std::string folder = fmt::format("/proc/{}/net/", pid);
    if (::access((folder + "tcp").c_str(), R_OK) != 0) continue;
    read_inet(folder, "tcp", Transport::kTcp, inodes, found);
    read_inet(folder, "tcp6", Transport::kTcp, inodes, found);
    read_inet(folder, "udp", Transport::kUdp, inodes, found);
    read_inet(folder, "udp6", Transport::kUdp, inodes, found);
    read_unix(folder, inodes, found);
    break;
  }
  std::ranges::sort(found, {}, &ListeningSocket::at);
  return found;
}

bool reaches(const Endpoint& peer, Transport transport, const ListeningSocket& socket) {
  if (transport != socket.transport || peer.kind() != socket.at.kind()) return false;
  if (peer.kind() == Endpoint::Kind::kUnix) return peer == socket.at;
  if (peer.port() != socket.at.port()) return false;
  if (peer.address() == socket.at.address()) return true;
  // An IPv6 socket bound to :: takes IPv4 too, unless it has IPV6_V6ONLY: that is not told here.
  return socket.at.address().is_unspecified() &&
         (socket.at.address().is_v6() || !peer.address().is_v6());
}

}  // namespace netrig
