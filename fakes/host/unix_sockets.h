#pragma once
// Unix sockets of simulated hosts (unix(7)): stream, seqpacket and datagram, by path, abstract name
// or unnamed. Names are shared by all hosts of a world, as hosts share a file system on `real`;
// what a path may be is checked there. Urgent data (MSG_OOB) is not modelled: EOPNOTSUPP.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes/host/fake_socket.h"
#include "fakes/network/fake_packet.h"

namespace netrig {

class UnixSocket;

// Who is bound to which path or abstract name. A path outlives its socket (ECONNREFUSED) until it
// is unlinked, which nothing here does.
class UnixNames {
 public:
  // `tmp`: the run's own folder, normalised.
  explicit UnixNames(std::string tmp) : tmp_(std::move(tmp)) {}
  ~UnixNames();  // empties the queues of sockets that still live, which may hold each other
  UnixNames(const UnixNames&) = delete;
  UnixNames& operator=(const UnixNames&) = delete;

  // EADDRINUSE, EINVAL for no Unix name, EACCES outside the folders of a run, ENOENT or ENOTDIR for
  // a folder that is not there. An empty name is autobind: an abstract name of five hex digits.
  Result<Endpoint> bind(const Endpoint& name, const SocketRef& socket);
  // The errors of bind.
  Result<void> may_bind(const Endpoint& name, int type) const;
  // The errors of bind's check; ENOENT; ECONNREFUSED for a stale path or an abstract name of
  // nobody; EPROTOTYPE for a path of another type.
  Result<SocketRef> find(const Endpoint& name, int type) const;
  // A path stays behind, an abstract name does not. Accepted sockets have their listener's name
  // without being bound to it.
  void closed(const Endpoint& name, const FakeSocket& socket);
  // "${tmp}/x", "@name": as flows are named.
  std::string shown(const Endpoint& name) const;

  void add(const std::shared_ptr<UnixSocket>& socket);
  // Empties all queues: sockets under way in them end while their hosts still live (~FakeHost).
  void purge();
  uint64_t next_connection() { return ++connections_; }  // for the capture

 private:
  Result<void> check(const Endpoint& name) const;
  Result<Endpoint> autobind(const SocketRef& socket);

  std::string tmp_;
  std::map<std::string, std::weak_ptr<FakeSocket>> bound_;
  std::vector<std::weak_ptr<UnixSocket>> sockets_;
  size_t live_ = 0;  // of sockets_, when last counted
  uint64_t connections_ = 0;
  uint32_t next_auto_ = 1;
};

// type: SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET.
SocketRef make_unix_socket(FakeHost& host, int type);
std::pair<SocketRef, SocketRef> make_unix_pair(FakeHost& host, int type);
// A FakeUnixDatagram that a link let go.
void deliver_unix_datagram(FakePacket&& packet);

}  // namespace netrig
