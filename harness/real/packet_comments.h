#pragma once
// Who caused a captured packet: sockets tell what they do and why, and later, when the capture is
// read, each packet is traced back to it: TCP by sequence numbers, UDP by order. It sees packets
// and words, no socket. Only pure acknowledgements, and what processes send, stay without a
// comment.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "harness/net/endpoint.h"
#include "harness/net/packet.h"

namespace netrig {

class PacketComments {
 public:
  // Writes remembered a direction of a connection; older ones are forgotten, and so are their
  // comments.
  static constexpr size_t kWritesMax = 4096;
  // Datagrams remembered a pair of endpoints that were never seen in the capture.
  static constexpr size_t kDatagramsMax = 4096;

  void tcp_listening(const Endpoint& local, const std::string& activity);
  // A new connection from `local`; what was known of an earlier one between the two is forgotten.
  void tcp_connecting(const Endpoint& local, const Endpoint& peer, const std::string& activity);
  void tcp_wrote(const Endpoint& local, const Endpoint& peer, uint64_t octets,
                 const std::string& activity);
  // shutdown for writing, or close: whose FIN or RST it will be. The first one counts.
  void tcp_closing(const Endpoint& local, const Endpoint& peer, const std::string& activity);
  void udp_emitted(uint16_t source_port, const Endpoint& destination, std::string comment);
  // A port that belongs to the world though none of the above was called for it yet.
  void port_used(uint16_t port) { ports_.insert(port); }

  // True while the capture lacks the end of a connection that this world closed: its FIN and the
  // acknowledgement of it, or a RST.
  bool farewells_missing() const;
  bool connection_known(const Endpoint& local, const Endpoint& peer) const;
  // True if a port of the packet is one that was told.
  bool concerns(const Packet& packet) const;
  // In the order of the capture. Empty if nothing is known.
  std::string comment_for(const Packet& packet);

 private:
  struct Write {
    uint64_t end = 0;  // stream offset after its last octet
    std::string activity;
  };
  struct Direction {
    std::optional<uint32_t> isn;  // known once the SYN was seen
    uint64_t seen = 0;            // highest stream offset seen, to unwrap sequence numbers
    uint64_t written = 0;
    std::deque<Write> writes;
    std::string opening;
    std::string closing;
    std::optional<uint32_t> after_fin;     // the sequence number that acknowledges the FIN
    std::optional<uint32_t> acknowledged;  // the last acknowledgement that this direction sent
    bool reset = false;
  };
  using Pair = std::pair<Endpoint, Endpoint>;

  std::string tcp_comment(const Packet& packet);
  std::string udp_comment(const Packet& packet);
  const std::string* listener(const Endpoint& local) const;

  std::map<Pair, Direction> directions_;
  std::map<Endpoint, std::string> listeners_;
  std::map<std::pair<uint16_t, Endpoint>, std::deque<std::string>> datagrams_;
  std::set<uint16_t> ports_;
  // The last datagram that began as a first fragment: its later fragments have no ports.
  std::pair<IpHeader, std::string> fragmented_;
};

}  // namespace netrig
