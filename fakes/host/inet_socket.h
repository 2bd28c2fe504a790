#pragma once
// What TCP and UDP sockets of a simulated host share: local and remote address as Linux's inet_sock
// keeps them, binding, and the options of IP and IPv6. FakeHost owns it through SocketRef; it is in
// the host's InetTable while it has a port. Addresses inside are plain (inet_address.h).

#include <cstdint>
#include <optional>

#include "fakes/host/fake_socket.h"
#include "fakes/host/inet_address.h"

namespace netrig {

class InetSocket : public FakeSocket {
 public:
  InetSocket(FakeHost& host, int domain, int type, Transport transport);
  ~InetSocket() override;

  bool is_v6() const { return domain() == AF_INET6; }
  bool is_tcp() const { return transport() == Transport::kTcp; }
  uint64_t id() const { return id_; }
  // The host is gone, or its end has come: nothing of it is touched any more.
  virtual void detach() { detached_ = true; }

  // ---- for InetTable
  const IpAddress& local_address() const { return local_address_; }  // may be a wildcard
  uint16_t local_port() const { return local_port_; }                // 0: none
  const std::optional<Endpoint>& peer() const { return peer_; }
  bool reuses_address() const { return options_.reuse_address; }
  bool reuses_port() const { return options_.reuse_port; }
  bool takes_v4() const { return !is_v6() || !local_address_.is_v6() || is_dual(); }
  bool takes_v6() const { return is_v6() && local_address_.is_v6(); }
  // An IPv6 wildcard that takes IPv4 too.
  bool is_dual() const {
    return is_v6() && local_address_.is_v6() && local_address_.is_unspecified() && !v6only_;
  }
  // bind() was called on it, or on the listener that it came from.
  bool was_bound() const { return bound_; }
  virtual bool is_listening() const { return false; }

  Result<void> bind(const Endpoint& local) override;
  Result<Endpoint> local_endpoint() const override;
  Result<int64_t> get_option(int level, int name) override;
  Result<void> set_option(int level, int name, int64_t value) override;
  Result<Bytes> get_option_bytes(int level, int name, size_t size) override;
  Result<void> set_option_bytes(int level, int name, ByteView value) override;

 protected:
  friend class InetTable;

  // Where a packet to a destination goes and comes from.
  struct Way {
    Endpoint source;
    Endpoint destination;
  };

  // ip(7) and harness/real: a socket without an address gets its host's before it connects.
  Result<void> prepare_source(const Endpoint& peer);
  // The source address for a destination and what a wildcard destination means: ENETUNREACH where
  // no host has it.
  Result<Way> way_to(const Endpoint& destination) const;
  Result<void> autobind();  // EAGAIN if no port is free (inet_autobind)
  Endpoint shown(const Endpoint& plain) const;
  virtual bool is_closed_state() const = 0;     // sk_state is TCP_CLOSE
  virtual bool is_connected_state() const = 0;  // it has a route: IP_MTU can be told

  bool detached_ = false;
  bool v6only_ = false;
  bool bound_ = false;
  bool has_source_ = false;      // harness/real chooses none any more
  bool address_locked_ = false;  // SOCK_BINDADDR_LOCK
  bool port_locked_ = false;     // SOCK_BINDPORT_LOCK
  IpAddress local_address_;
  uint16_t local_port_ = 0;
  uint16_t shown_port_ = 0;  // inet_sport outlives inet_num
  std::optional<Endpoint> peer_;

 private:
  Result<void> check_bind(const Endpoint& local) const;
  Result<int64_t> get_ip_option(int name);
  Result<int64_t> get_ipv6_option(int name);
  Result<void> set_ip_option(int name, int value);
  Result<void> set_ipv6_option(int name, int value);

  uint64_t id_;
  // InetTable's.
  bool in_table_ = false;
  bool by_connect_ = false;
  size_t place_ = 0;
  uint64_t order_ = 0;
  // The host's list of live sockets.
  friend class FakeHost;
  size_t live_place_ = 0;
};

// What a sockaddr of the endpoint would measure: calls tell short ones from those of another
// family.
size_t sockaddr_size(const Endpoint& endpoint);

}  // namespace netrig
