#pragma once
// The books of a run: connections and the octets that went into and out of them, so that what
// nobody read is found at the end whatever the timing was, and a fingerprint of what every actor
// saw. Plain book-keeping: it opens no socket and waits for nothing.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/net/endpoint.h"

namespace netrig {

// Octets written by one end of a TCP connection and never read by the other.
struct UnreadStream {
  std::string sender;  // instances
  std::string receiver;
  uint64_t octets = 0;
};

class Ledger {
 public:
  uint64_t next_connection() { return ++connections_; }

  // `owner`: the instance whose socket is at `local`, connected to `remote`.
  void opened(const Endpoint& local, const Endpoint& remote, const std::string& owner);
  void wrote(const Endpoint& local, const Endpoint& remote, uint64_t octets);
  void read(const Endpoint& local, const Endpoint& remote, uint64_t octets);
  // For every connection of which both ends are known.
  std::vector<UnreadStream> unread() const;

  // Adds to what `instance` saw, in its own order.
  void saw(const std::string& instance, ByteView what);
  // The same, with octets of which there may be many.
  void saw(const std::string& instance, ByteView what, ByteView octets);
  // Hex of a 64-bit hash over all instances' sights, in order of their names; no times in it.
  std::string fingerprint() const;

 private:
  struct End {
    std::string owner;
    uint64_t wrote = 0;
    uint64_t read = 0;
  };
  uint64_t connections_ = 0;
  std::map<std::pair<Endpoint, Endpoint>, End> ends_;
  std::map<std::string, uint64_t> sights_;
};

}  // namespace netrig
