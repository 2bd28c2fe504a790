#pragma once
// What all Unix sockets of the simulated hosts share: name, peer, queue, shutdown, and the memory
// that what was sent and not read holds. unix_stream.cc, unix_datagram.cc and unix_seqpacket.cc say
// what sending and receiving mean. The rules and their order are those of Linux's
// net/unix/af_unix.c.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"

namespace netrig {

class UnixSocket;

// One write (a stream's skb) or one datagram in a receive queue.
struct UnixRecord {
  SharedBytes data;
  size_t taken = 0;      // octets of a stream's record that were read
  size_t true_size = 0;  // what it costs its sender's buffer; 0: nothing
  std::weak_ptr<UnixSocket> sender;
  // The sender's name is asked for when it is received, not when it was sent: it may be bound
  // meanwhile, or closed.
  std::shared_ptr<const std::optional<Endpoint>> from;
  std::vector<SocketRef> rights;  // counted as handles
  std::optional<Credentials> credentials;
  std::optional<FakePacket> packet;  // of a datagram: for Network::arrived
  Instant arrived_at{};

  UnixRecord() = default;
  UnixRecord(UnixRecord&&) noexcept = default;
  UnixRecord& operator=(UnixRecord&&) noexcept = default;
  ~UnixRecord() { drop_rights(); }
  void drop_rights();
};

// sk_buff's truesize of a write on Linux (64-bit): head from kmalloc's size classes, the rest in
// pages. `stream` cuts otherwise than a datagram does.
size_t unix_true_size(size_t octets, bool stream);
// The most octets a stream's write puts into one record.
size_t unix_stream_record_max(int send_buffer);

class UnixSocket : public FakeSocket {
 public:
  static constexpr size_t kDatagramQueueMax = 10;   // net.unix.max_dgram_qlen
  static constexpr size_t kDelayedQueueMax = 1000;  // for datagrams that a faulty link let go

  UnixSocket(FakeHost& host, int type);
  ~UnixSocket() override;

  Result<void> bind(const Endpoint& local) override;
  Result<void> listen(int backlog) override;
  Result<SocketRef> accept(Endpoint& peer) override;
  Result<void> connect(const Endpoint& peer) override;
  Result<void> shutdown(int how) override;
  Result<Endpoint> local_endpoint() const override;
  Result<Endpoint> peer_endpoint() const override;
  size_t readable_octets() const override;
  short poll_events() const override;
  Result<int64_t> get_option(int level, int name) override;
  Result<void> set_option(int level, int name, int64_t value) override;
  Result<Credentials> peer_credentials() const override;
  bool closed() override;

  // socketpair(2).
  static void join(UnixSocket& a, UnixSocket& b);
  // Empties it, so that sockets under way inside each other's queues end.
  void purge();
  uint64_t id() const { return id_; }

 protected:
  enum class State : uint8_t { kClosed, kListening, kConnected };

  std::shared_ptr<UnixSocket> self() {
    return std::static_pointer_cast<UnixSocket>(shared_from_this());
  }
  bool has_name() const { return name_->has_value(); }
  Endpoint name() const { return name_->value_or(Endpoint::unix_unnamed()); }
  std::shared_ptr<UnixSocket> peer() const { return peer_.lock(); }  // null if closed
  bool has_peer() const { return peer_id_ != 0; }
  bool is_peer(const UnixSocket& other) const { return peer_id_ == other.id_; }
  bool is_connected() const { return state_ == State::kConnected; }
  Result<std::shared_ptr<UnixSocket>> find(const Endpoint& name) const;
  Result<void> name_for_credentials();  // a socket that passes credentials is bound by itself
  Credentials own_credentials() const;

  // ---- memory (sk_wmem_alloc)
  bool has_room() const { return sent_memory_ < static_cast<size_t>(options_.send_buffer); }
  bool is_writable() const {  // unix_writable()
    return state_ != State::kListening &&
           sent_memory_ * 4 <= static_cast<size_t>(options_.send_buffer);
  }
  void charge(UnixRecord& record, size_t true_size);
  void release(UnixRecord& record);
  bool queue_is_full() const { return queue_.size() > queue_max_; }
  // The current caller waits until this socket's queue or backlog has room.
  void wait_for_room(UnixSocket& who);
  void tell_room();

  // ---- queue
  Result<UnixRecord> make_record(const OutgoingMessage& message, const UnixSocket& to);
  void push(UnixRecord&& record);
  UnixRecord pop();
  void fill_ancillary(const UnixRecord& record, IncomingMessage& message, bool with_rights) const;
  void disconnect_datagram_peer(UnixSocket* old);  // null: it is gone
  void set_peer(const std::shared_ptr<UnixSocket>& other);

  // ---- capture
  enum class Ending : uint8_t { kFinished, kReset };
  void capture_connected(const std::string& service, UnixSocket& other);
  void capture_data(ByteView data);
  void capture_ending(Ending ending);

  friend void deliver_unix_datagram(FakePacket&& packet);

  State state_ = State::kClosed;
  bool receive_shutdown_ = false;
  bool send_shutdown_ = false;
  bool closed_ = false;
  std::deque<UnixRecord> queue_;
  size_t queued_octets_ = 0;

 private:
  Result<void> connect_datagram(const Endpoint& peer);
  Result<void> connect_stream(const Endpoint& peer);
  void peer_closed(bool reset);
  void close_connections();

  uint64_t id_;
  std::shared_ptr<std::optional<Endpoint>> name_ = std::make_shared<std::optional<Endpoint>>();
  std::weak_ptr<UnixSocket> peer_;
  uint64_t peer_id_ = 0;
  std::optional<Endpoint> peer_name_;     // of a peer that has closed
  size_t queue_max_ = kDatagramQueueMax;  // a listener's backlog
  size_t sent_memory_ = 0;
  std::vector<std::weak_ptr<UnixSocket>> waiting_for_room_;
  std::deque<std::shared_ptr<UnixSocket>> backlog_;
  Credentials peer_credentials_{0, -1, -1};
  uint64_t connection_ = 0;  // in the capture
  bool is_client_ = false;
  std::string service_;
};

class UnixStream final : public UnixSocket {
 public:
  using UnixSocket::UnixSocket;
  Result<size_t> send(const OutgoingMessage& message) override;
  Result<void> receive(std::span<const std::span<char>> parts, int flags,
                       IncomingMessage& message) override;
};

// Datagrams and seqpacket: messages that keep their boundaries.
class UnixMessages final : public UnixSocket {
 public:
  using UnixSocket::UnixSocket;
  Result<size_t> send(const OutgoingMessage& message) override;
  Result<void> receive(std::span<const std::span<char>> parts, int flags,
                       IncomingMessage& message) override;
  void drain_unread() override;

 private:
  bool is_seqpacket() const { return type() == SOCK_SEQPACKET; }
  Result<std::shared_ptr<UnixSocket>> receiver(const OutgoingMessage& message);
  Result<void> check_receiver(UnixSocket& to);
  // A link may keep it for a while: then nobody is held up by the receiver's queue.
  bool delayed(const UnixSocket& to) const;
  void send_through_network(UnixRecord&& record, UnixMessages& to, size_t true_size);
  Network::FlowId flow_to(const UnixSocket& to);

  uint64_t flow_receiver_ = 0;  // the socket that flow_ leads to
  Network::FlowId flow_ = 0;
};

}  // namespace netrig
