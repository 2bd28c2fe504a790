// UnixMessages: datagram and seqpacket sockets (unix_dgram_sendmsg, unix_seqpacket_sendmsg,
// unix_dgram_recvmsg).

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

#include "fakes/host/unix_socket.h"

namespace netrig {
namespace {

// What a record on its way through the network carries in FakeUnixDatagram::message.
struct UnderWay {
  UnixRecord record;
  std::weak_ptr<UnixSocket> receiver;
  size_t true_size = 0;  // charged to its sender when it arrives; 0: a link has it meanwhile
};

}  // namespace

Result<std::shared_ptr<UnixSocket>> UnixMessages::receiver(const OutgoingMessage& message) {
  if (message.to && !is_seqpacket()) {
    if (message.to->kind() != Endpoint::Kind::kUnix || message.to->path().empty()) {
      return fail_with(EINVAL);
    }
    return find(*message.to);
  }
  if (!has_peer() || (is_seqpacket() && !is_connected())) return fail_with(ENOTCONN);
  auto other = peer();
  if (other != nullptr && other->handles > 0) return other;
  if (is_seqpacket()) {
    // One that was not accepted yet has no handle, but it is there.
    if (other != nullptr && !send_shutdown_) return other;
    return fail_with(EPIPE);
  }
  // The peer is gone: told once, then there is none.
  disconnect_datagram_peer(other.get());
  set_peer(nullptr);
  state_ = State::kClosed;
  changed();
  return fail_with(ECONNREFUSED);
}

Result<size_t> UnixMessages::send(const OutgoingMessage& message) {
  if ((message.flags & MSG_OOB) != 0) return fail_with(EOPNOTSUPP);
  if (is_seqpacket() && error_) return fail_with(*take_error());
  if (is_seqpacket() && !is_connected()) return fail_with(ENOTCONN);
  if (auto named = name_for_credentials(); !named) return fail_with(named.error());
  // The order is the kernel's: address, size, then buffer, then the receiver.
  if (message.to && !is_seqpacket() &&
      (message.to->kind() != Endpoint::Kind::kUnix || message.to->path().empty())) {
    return fail_with(EINVAL);
  }
  if (message.size + 32 > static_cast<size_t>(options_.send_buffer)) return fail_with(EMSGSIZE);
  if (error_) return fail_with(*take_error());
  if (send_shutdown_) return fail_with(EPIPE);
  if (!has_room()) return fail_with(EAGAIN);
  const auto to = receiver(message);
  if (!to) return fail_with(to.error());
  auto& other = static_cast<UnixMessages&>(**to);
  if (auto fine = check_receiver(other); !fine) return fail_with(fine.error());
  auto record = make_record(message, other);
  if (!record) return fail_with(record.error());
  record->data = host_.network().pool().join(message.parts.data(), message.parts.size());
  const size_t true_size = unix_true_size(message.size, false);
  if (is_seqpacket()) {
    charge(*record, true_size);
    capture_data(record->data.view());
    other.push(std::move(*record));
    return message.size;
  }
  send_through_network(std::move(*record), other, delayed(other) ? 0 : true_size);
  return message.size;
}

bool UnixMessages::delayed(const UnixSocket& to) const {
  return host_.network().crosses_faults(host_.id(), to.host().id(), Transport::kUnixDgram);
}

void UnixMessages::send_through_network(UnixRecord&& record, UnixMessages& to, size_t true_size) {
  Network& network = host_.network();
  auto under_way = std::make_shared<UnderWay>();
  FakeUnixDatagram datagram{.payload = record.data, .message = under_way};
  if (network.captures()) {
    const bool named = has_name() || to.has_name();
    datagram.to_service = named ? to.has_name() : id() < to.id();
    const Endpoint service = datagram.to_service ? to.name() : name();
    datagram.service = named ? service.to_string() : "socketpair";
    datagram.peer = datagram.to_service ? id() : to.id();
  }
  FakePacket packet;
  packet.from = host_.id();
  packet.to = to.host().id();
  packet.flow = flow_to(to);
  if (network.wants_activities()) packet.activity = host_.loop().activity();
  packet.body = std::move(datagram);
  under_way->receiver = to.self();
  under_way->record = std::move(record);
  under_way->record.sender = self();
  under_way->true_size = true_size;
  network.send(std::move(packet));
}

Result<void> UnixMessages::check_receiver(UnixSocket& to) {
  auto& other = static_cast<UnixMessages&>(to);
  if (!is_seqpacket() && other.has_peer() && !other.is_peer(*this)) return fail_with(EPERM);
  if (other.receive_shutdown_) return fail_with(EPIPE);
  // A peer that sends back, and the socket itself, are held up by the sender's own buffer only.
  if (&other != this && !other.is_peer(*this) && other.queue_is_full() && !delayed(other)) {
    other.wait_for_room(*this);
    return fail_with(EAGAIN);
  }
  return {};
}

// fate.h: the service is the end that was bound by hand.
Network::FlowId UnixMessages::flow_to(const UnixSocket& to) {
  const auto& other = static_cast<const UnixMessages&>(to);
  if (flow_receiver_ == other.id()) return flow_;
  UnixNames& names = host_.unix_names();
  const bool names_sender = has_name() && !other.has_name();
  const Endpoint service = names_sender ? name() : other.name();
  const FakeHost& owner = names_sender ? host_ : other.host();
  flow_ = host_.network().flow(
      host_.id(), other.host().id(),
      fmt::format("unix_dgram|{}:{}", host_.network().name(owner.id()), names.shown(service)),
      fmt::format("{}.{}>{}.{}", host_.id(), id(), other.host().id(), other.id()));
  flow_receiver_ = other.id();
  return flow_;
}

void deliver_unix_datagram(FakePacket&& packet) {
  auto& body = std::get<FakeUnixDatagram>(packet.body);
  const auto under_way = std::static_pointer_cast<UnderWay>(body.message);
  const auto receiver = under_way->receiver.lock();
  if (receiver == nullptr || receiver->handles == 0) return;
  // The duplicate brings octets only: rights are passed once.
  UnixRecord record;
  record.from = under_way->record.from;
  record.credentials = under_way->record.credentials;
  record.rights = std::exchange(under_way->record.rights, {});
  record.data = body.payload;
  // On a link the queue's limit was not asked when it was sent; a flood is lost here.
  if (receiver->queue_.size() > UnixSocket::kDelayedQueueMax) return;
  const auto sender = under_way->record.sender.lock();
  if (sender != nullptr && under_way->true_size > 0) sender->charge(record, under_way->true_size);
  record.arrived_at = receiver->host().loop().now();
  body.message.reset();
  record.packet = std::move(packet);
  receiver->push(std::move(record));
}

Result<void> UnixMessages::receive(std::span<const std::span<char>> parts, int flags,
                                   IncomingMessage& message) {
  if ((flags & MSG_OOB) != 0) return fail_with(EOPNOTSUPP);
  if (is_seqpacket() && !is_connected()) return fail_with(ENOTCONN);
  if (error_) return fail_with(*take_error());  // __skb_try_recv_datagram()
  if (queue_.empty()) {
    if (!receive_shutdown_ || !is_seqpacket()) return fail_with(EAGAIN);
    return {};
  }
  UnixRecord& record = queue_.front();
  const ByteView data = record.data.view();
  size_t copied = 0;
  for (const std::span<char> part : parts) {
    const size_t size = std::min(part.size(), data.size() - copied);
    if (size > 0) std::memcpy(part.data(), data.data() + copied, size);
    copied += size;
  }
  if (copied < data.size()) message.flags |= MSG_TRUNC;
  message.size = (flags & MSG_TRUNC) != 0 ? data.size() : copied;
  message.from = record.from->value_or(Endpoint::unix_unnamed());
  message.has_from = record.from->has_value();
  fill_ancillary(record, message, true);
  if ((flags & MSG_PEEK) != 0) return {};
  if (record.packet) host_.network().arrived(record.packet->trace(), record.arrived_at, true);
  pop();
  return {};
}

void UnixMessages::drain_unread() {
  for (UnixRecord& record : queue_) {
    if (record.packet) host_.network().arrived(record.packet->trace(), record.arrived_at, false);
    record.packet.reset();
  }
}

}  // namespace netrig
