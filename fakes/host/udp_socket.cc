#include "fakes/host/udp_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/inet_table.h"
#include "harness/net/mapped_address.h"

namespace netrig {
namespace {

constexpr uint32_t kSmallPiece = 832;  // kmalloc's size classes, skb and shared info included
constexpr uint32_t kMediumPiece = 1280;
constexpr uint32_t kLargePiece = 2304;
constexpr size_t kUdpHeader = 8;

size_t capacity_of(std::span<const std::span<char>> parts) {
  size_t total = 0;
  for (const auto part : parts) total += part.size();
  return total;
}

size_t copy_out(ByteView octets, std::span<const std::span<char>> parts) {
  size_t copied = 0;
  for (const auto part : parts) {
    const size_t here = std::min(part.size(), octets.size() - copied);
    if (here > 0) std::memcpy(part.data(), octets.data() + copied, here);
    copied += here;
  }
  return copied;
}

bool is_udp_option(int name) {
  switch (name) {
    case UDP_CORK:
    case 10:  // UDPLITE_SEND_CSCOV
    case 11:  // UDPLITE_RECV_CSCOV
    case UDP_ENCAP:
    case UDP_NO_CHECK6_TX:
    case UDP_NO_CHECK6_RX:
    case UDP_SEGMENT:
    case UDP_GRO:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Measured on Linux 6.18 with lo at an MTU of 1500 and offloads off.
uint32_t udp_true_size(size_t payload, bool v6) {
  const size_t fragment = v6 ? 1448 : 1480;  // multiples of 8 (RFC 791, RFC 8200 4.5)
  const size_t whole = v6 ? 1460 : 1480;
  const size_t tail_room = v6 ? 216 : 212;  // a short second fragment is copied into the first
  const size_t octets = payload + kUdpHeader;
  const auto piece = [&](size_t size) {
    if (size <= (v6 ? 192u : 205u)) return kSmallPiece;
    return size <= (v6 ? 640u : 653u) ? kMediumPiece : kLargePiece;
  };
  if (octets <= whole) return piece(octets);
  const auto full = static_cast<uint32_t>(octets / fragment);
  const size_t last = octets % fragment;
  const uint32_t size = full * kLargePiece;
  if (last == 0 || (full == 1 && last <= tail_room)) return size;
  return size + piece(last);
}

UdpSocket::UdpSocket(FakeHost& host, int domain)
    : InetSocket(host, domain, SOCK_DGRAM, Transport::kUdp) {}
UdpSocket::~UdpSocket() = default;

Result<void> UdpSocket::listen(int) {
  return fail_with(EOPNOTSUPP);
}
Result<SocketRef> UdpSocket::accept(Endpoint&) {
  return fail_with(EOPNOTSUPP);
}

// __ip4_datagram_connect(), __ip6_datagram_connect(): an error that waits is left waiting.
Result<void> UdpSocket::connect(const Endpoint& peer) {
  if (peer.kind() != Endpoint::Kind::kIp) return fail_with(EAFNOSUPPORT);
  if (auto ready = prepare_source(peer); !ready) return ready;
  if (auto bound = autobind(); !bound) return bound;
  if (peer.address().is_v6() && !is_v6()) return fail_with(EAFNOSUPPORT);
  if (!peer.address().is_v6() && v6only_) return fail_with(EAFNOSUPPORT);
  const IpAddress target = unmapped(peer.address());
  if (is_multicast(target)) return fail_with(target.is_v6() ? EINVAL : ENETUNREACH);
  if (!target.is_v6() && target.v4_host_order() == 0x7fffffffu && !options_.broadcast) {
    return fail_with(EACCES);
  }
  const auto way = way_to(peer);
  if (!way) return fail_with(way.error());
  if (local_address_.is_unspecified()) local_address_ = way->source.address();
  peer_ = way->destination;
  // ip_route_connect() writes over the flow that what MSG_MORE holds back is to take.
  if (held_ && !peer_->address().is_v6())
    held_->way = {{way->source.address(), local_port_}, *peer_};
  connected_ = true;
  has_source_ = true;
  host_.inet_changed();
  return {};
}

Result<Endpoint> UdpSocket::peer_endpoint() const {
  if (!peer_ || peer_->port() == 0) return fail_with(ENOTCONN);
  return shown(*peer_);
}

// inet_shutdown(): the halves are closed even where it answers ENOTCONN.
Result<void> UdpSocket::shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return fail_with(EINVAL);
  if (how != SHUT_WR) receive_shutdown_ = true;
  if (how != SHUT_RD) send_shutdown_ = true;
  changed();
  return connected_ ? Result<void>() : fail_with(ENOTCONN);
}

// udp_recvmsg() and __skb_recv_udp(): an error comes before what waits in the queue.
Result<void> UdpSocket::receive(std::span<const std::span<char>> parts, int flags,
                                IncomingMessage& message) {
  if ((flags & MSG_ERRQUEUE) != 0) return fail_with(EAGAIN);
  if (const auto error = take_error()) return fail_with(*error);
  if (queue_.empty()) return fail_with(EAGAIN);
  const Queued& datagram = queue_.front();
  const ByteView octets = datagram.payload.view();
  const size_t capacity = capacity_of(parts);
  message.size = copy_out(octets, parts);
  if (octets.size() > capacity) {
    message.flags |= MSG_TRUNC;
    if ((flags & MSG_TRUNC) != 0) message.size = octets.size();
  }
  message.from = shown(Endpoint(datagram.source, datagram.source_port));
  message.has_from = true;
  if (reader_queue_ == 0) reader_queue_ = queue_.size();
  if ((flags & MSG_PEEK) != 0) return {};
  --reader_queue_;
  dequeued(datagram.true_size);
  host_.network().arrived(datagram.trace, datagram.arrived_at, true);
  queue_.pop_front();
  return {};
}

// udp_rmem_release(): what was read goes back to the buffer a quarter of it at a time, or when the
// reader has nothing left.
void UdpSocket::dequeued(uint32_t true_size) {
  deficit_ += true_size;
  const auto threshold = static_cast<uint64_t>(options_.receive_buffer) / 4;
  if (deficit_ < threshold && reader_queue_ > 0) return;
  memory_ -= std::min(memory_, std::exchange(deficit_, 0));
}

size_t UdpSocket::readable_octets() const {
  return queue_.empty() ? 0 : queue_.front().payload.size();
}

// datagram_poll().
short UdpSocket::poll_events() const {
  short events = POLLOUT;
  if (has_error()) events |= POLLERR;
  if (receive_shutdown_) events |= POLLRDHUP | POLLIN;
  if (receive_shutdown_ && send_shutdown_) events |= POLLHUP;
  if (!queue_.empty()) events |= POLLIN;
  return events;
}

Result<int64_t> UdpSocket::get_option(int level, int name) {
  if (level != IPPROTO_UDP) return InetSocket::get_option(level, name);
  if (!is_udp_option(name)) return fail_with(ENOPROTOOPT);
  return kept_option(level, name, 0);
}

Result<void> UdpSocket::set_option(int level, int name, int64_t value) {
  if (level != IPPROTO_UDP) return InetSocket::set_option(level, name, value);
  if (!is_udp_option(name)) return fail_with(ENOPROTOOPT);
  if (name == UDP_SEGMENT) {
    if (value < 0 || value > 65535) return fail_with(EINVAL);
    return keep_option(level, name, static_cast<int>(value));
  }
  if (name == UDP_ENCAP && value != 0) return fail_with(ENOPROTOOPT);
  if (name == UDP_CORK) {
    corked_ = value != 0;
    if (!corked_ && held_) {
      Held held = std::move(*held_);
      held_.reset();
      transmit(route(held.way), host_.network().pool().copy(held.octets));
    }
  }
  return keep_option(level, name, value != 0 ? 1 : 0);
}

bool UdpSocket::closed() {
  if (!detached_) host_.inet().release(*this);
  changed();
  return false;
}

void UdpSocket::drain_unread() {
  while (!queue_.empty()) {
    host_.network().arrived(queue_.front().trace, queue_.front().arrived_at, false);
    queue_.pop_front();
  }
  memory_ = deficit_ = reader_queue_ = 0;
}

// __udp_enqueue_schedule_skb(): what finds no room is dropped without a word, but an empty queue
// takes anything.
void UdpSocket::deliver(FakePacket&& packet) {
  auto& datagram = std::get<FakeUdp>(packet.body);
  const uint32_t size = udp_true_size(datagram.payload.size(), packet.source.is_v6());
  if (memory_ > 0 && memory_ + size > static_cast<uint64_t>(options_.receive_buffer)) return;
  memory_ += size;
  Queued& queued = queue_.place_at_back();
  queued.payload = std::move(datagram.payload);
  queued.source = packet.source;
  queued.source_port = datagram.source_port;
  queued.trace = packet.trace();
  queued.arrived_at = host_.loop().now();
  queued.true_size = size;
  changed();
}

// udp_err(): only a connected socket is told, unless it asked for all (IP_RECVERR).
void UdpSocket::told_error(Errno error, bool hard) {
  const bool asked = kept_option(IPPROTO_IP, IP_RECVERR, 0) != 0 ||
                     (is_v6() && kept_option(IPPROTO_IPV6, IPV6_RECVERR, 0) != 0);
  if (!asked && (!hard || !connected_)) return;
  set_error(error);
}

}  // namespace netrig
