#pragma once
// Kernel sockets behind SocketApi, for one host. Every descriptor is non-blocking; a blocking call
// is tried, and the fiber waits on the loop between tries. What hosts share is in SocketContext.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/real/access_policy.h"
#include "harness/real/capture_tap.h"
#include "harness/real/datagram_path.h"
#include "harness/real/host_table.h"
#include "harness/real/packet_carrier.h"
#include "harness/real/real_loop.h"
#include "harness/real/sockaddr.h"
#include "harness/real/socket_state.h"
#include "harness/sockets/socket_api.h"

namespace netrig {

// What all hosts of a world share. `unsupported` collects faults that this backend cannot apply.
struct SocketContext {
  RealLoop& loop;
  const HostTable& hosts;
  const AccessPolicy& policy;
  SocketRegister& sockets;
  DatagramPath& datagrams;
  CaptureTap& tap;
  std::vector<std::string>& unsupported;
  PacketCarrier* carrier = nullptr;  // null: all hosts are on lo
  std::string congestion = {};       // of TCP sockets; empty: the kernel's default
  uint64_t next_connection = 1;      // names Unix connections in the capture

  // Sockets made from now on are `host`'s: Unix sockets are found by all hosts.
  void enter(size_t host, int domain) {
    if (carrier != nullptr) carrier->enter(domain == AF_UNIX ? std::nullopt : std::optional(host));
  }
  // A call of `host` may have given the kernel packets.
  void carry(size_t host) {
    if (carrier != nullptr) carrier->carry(host);
  }
};

class RealSockets final : public SocketApi {
 public:
  RealSockets(SocketContext& context, size_t host) : context_(context), host_(host) {}

  Result<Socket> socket(int domain, int type, int protocol) override;
  Result<std::pair<Socket, Socket>> socketpair(int domain, int type, int protocol) override;
  Result<void> close(Socket socket) override;
  Result<void> set_nonblocking(Socket socket, bool on) override;

  Result<void> bind(Socket socket, const Endpoint& local) override;
  Result<void> listen(Socket socket, int backlog) override;
  Result<Accepted> accept(Socket socket) override;
  Result<void> connect(Socket socket, const Endpoint& peer) override;
  Result<void> shutdown(Socket socket, int how) override;

  Result<size_t> send(Socket socket, ByteView data, int flags) override;
  Result<size_t> recv(Socket socket, std::span<char> buffer, int flags) override;
  Result<size_t> sendto(Socket socket, ByteView data, int flags, const Endpoint& to) override;
  Result<ReceivedFrom> recvfrom(Socket socket, std::span<char> buffer, int flags) override;
  Result<size_t> sendmsg(Socket socket, std::span<const ByteView> parts, int flags,
                         const Endpoint* to, const ControlData& control) override;
  Result<ReceivedMessage> recvmsg(Socket socket, std::span<const std::span<char>> parts,
                                  int flags) override;

  Result<int64_t> getsockopt(Socket socket, int level, int name) override;
  Result<void> setsockopt(Socket socket, int level, int name, int64_t value) override;
  Result<void> set_linger(Socket socket, LingerOption linger) override;
  Result<LingerOption> get_linger(Socket socket) override;
  Result<Bytes> getsockopt_bytes(Socket socket, int level, int name, size_t size) override;
  Result<void> setsockopt_bytes(Socket socket, int level, int name, ByteView value) override;
  Result<Credentials> peer_credentials(Socket socket) override;

  Result<Endpoint> getsockname(Socket socket) override;
  Result<Endpoint> getpeername(Socket socket) override;
  Result<size_t> readable_octets(Socket socket) override;
  Result<int> poll(std::span<PollEntry> entries, Duration timeout) override;

  // At the end of the world: every handle, without waiting.
  void close_all();

 private:
  using State = std::shared_ptr<SocketState>;

  Result<State> find(Socket socket) const;
  void choose_congestion(int fd);
  Socket add_handle(const State& state);
  // A state for a descriptor made or received here.
  Result<State> adopt(Fd fd);
  void close_state(const State& state, bool may_wait);
  void linger(SocketState& state);
  void tell_closing(SocketState& state, bool closed);

  // Waits until the descriptor is ready. The error says why a try must not be repeated: EAGAIN
  // after the socket's own `timeout` or if the call must not block, TIMEOUT at the fiber's
  // deadline.
  Result<void> wait(const State& state, uint32_t epoll_events, std::optional<Instant> limit);
  Result<void> wait_for_room(const State& state, SocketState* full, std::optional<Instant> limit);
  Result<void> woken(Loop::Woken woken, std::optional<Instant> limit) const;
  std::optional<Instant> limit_of(const std::optional<Duration>& timeout) const;
  bool may_block(const SocketState& state, int flags) const;

  Result<void> prepare_source(SocketState& state, const Endpoint& peer);
  Result<void> check_link(const SocketState& state, const Endpoint& peer);
  Result<void> connect_stream(const State& state, const Endpoint& peer);
  Result<void> await_connection(const State& state, const SocketAddress& peer);
  void connected(SocketState& state, const Endpoint& peer);
  void connecting_tcp(SocketState& state, const Endpoint& peer);
  Result<void> connect_datagram(SocketState& state, const Endpoint& peer);

  struct Message;  // one sendmsg, gathered
  Result<size_t> send_message(const State& state, const Message& message);
  Result<size_t> send_stream(const State& state, const Message& message);
  Result<size_t> send_record(const State& state, const Message& message);
  Result<size_t> send_datagram_of(const State& state, const Message& message);
  void sent_stream(SocketState& state, ByteView data);
  Result<Bytes> encode_control(const ControlData& control);

  struct Reception;
  Result<ReceivedMessage> receive(const State& state, std::span<const std::span<char>> parts,
                                  int flags, bool wants_control);
  Result<ReceivedMessage> receive_once(const State& state, std::span<const std::span<char>> parts,
                                       int flags, bool wants_control);
  void decode_control(struct msghdr& message, ReceivedMessage& received);
  void after_reception(SocketState& state, ByteView data, bool at_end);

  SocketContext& context_;
  size_t host_;
  std::map<int, State> handles_;
};

}  // namespace netrig
