#pragma once
// TCP sockets of a simulated host (tcp(7)): Linux's socket states around a connection or listener
// of tcp::Stack. The stack keeps a connection as long as the protocol needs it; the socket lets go
// of it when it is closed or, after a failed connect(), disconnected.

#include <cstdint>
#include <optional>

#include "fakes/host/inet_socket.h"
#include "fakes/tcp/stack.h"

namespace netrig {

class TcpSocket final : public InetSocket,
                        public tcp::ConnectionObserver,
                        public tcp::ListenerObserver {
 public:
  TcpSocket(FakeHost& host, int domain);
  ~TcpSocket() override;

  Result<void> listen(int backlog) override;
  Result<SocketRef> accept(Endpoint& peer) override;
  Result<void> connect(const Endpoint& peer) override;
  Result<void> connect_finished() override;
  Result<void> shutdown(int how) override;
  Result<size_t> send(const OutgoingMessage& message) override;
  Result<void> receive(std::span<const std::span<char>> parts, int flags,
                       IncomingMessage& message) override;
  Result<Endpoint> peer_endpoint() const override;
  size_t readable_octets() const override;
  short poll_events() const override;
  Result<int64_t> get_option(int level, int name) override;
  Result<void> set_option(int level, int name, int64_t value) override;
  Result<Bytes> get_option_bytes(int level, int name, size_t size) override;
  Result<void> set_option_bytes(int level, int name, ByteView value) override;
  bool closed() override;
  bool lingered() const override;
  bool is_listening() const override { return listener_ != nullptr; }
  void detach() override;

  // ---- from the stack
  void connection_changed(tcp::Connection& connection) override;
  void connection_waits(tcp::Listener& listener) override;

 private:
  // `struct socket`'s state, which outlives the connection's.
  enum class Phase : uint8_t { kUnconnected, kConnecting, kConnected, kDisconnecting };

  Instant now() const;
  tcp::State state() const;  // TIME_WAIT is another socket's business on Linux: here CLOSED
  bool is_closed_state() const override { return state() == tcp::State::kClosed; }
  bool is_connected_state() const override { return connection_ != nullptr; }
  Result<void> start(const Endpoint& peer);
  void disconnect();  // tcp_disconnect()
  void release_port();
  void stop_listening();
  void begin_call();  // the connection learns who acts
  SocketRef make_child();
  Result<size_t> send_without_connection();
  Result<void> receive_without_connection(int flags);
  Result<void> receive_urgent(std::span<const std::span<char>> parts, int flags,
                              IncomingMessage& message);
  Result<size_t> discard(size_t octets);  // MSG_TRUNC
  std::optional<Errno> take_any_error();
  tcp::ConnectionOptions connection_options() const;
  void apply_options();
  Result<int64_t> get_tcp_option(int name);
  Result<void> set_tcp_option(int name, int64_t value);
  Result<void> set_keepalive_option(int name, int64_t value);
  int64_t max_segment() const;
  Bytes info(size_t size) const;

  Phase phase_ = Phase::kUnconnected;
  tcp::Connection* connection_ = nullptr;
  tcp::Listener* listener_ = nullptr;
  tcp::ConnectionOptions tcp_options_;
  int linger2_ = 60;               // as getsockopt tells: -1 none
  bool receive_shutdown_ = false;  // without a connection
  bool send_shutdown_ = false;
  bool ended_ = false;       // the connection has, and gave its port back
  uint32_t last_mss_ = 536;  // tp->mss_cache, which outlives a connection
};

}  // namespace netrig
