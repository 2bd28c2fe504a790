#include "fakes/host/unix_socket.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>

#include "harness/base/require.h"

namespace netrig {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kSkbHeader = 256;                     // sizeof(struct sk_buff), cache aligned
constexpr size_t kSharedInfo = 320;                    // sizeof(struct skb_shared_info)
constexpr size_t kHeadMax = kPage - kSharedInfo;       // SKB_MAX_HEAD(0)
constexpr size_t kAllocMax = 4 * kPage - kSharedInfo;  // SKB_MAX_ALLOC
constexpr size_t kStreamPagesMax = 32768;              // UNIX_SKB_FRAGS_SZ
constexpr size_t kSmallestSlab = 512;
constexpr int64_t kOverflowId = 65534;  // what SCM_CREDENTIALS tells of an unknown sender

size_t page_align(size_t size) {
  return (size + kPage - 1) / kPage * kPage;
}

size_t head_true_size(size_t octets) {
  const size_t needed = (octets + 63) / 64 * 64 + kSharedInfo;
  size_t slab = kSmallestSlab;
  while (slab < needed) slab *= 2;
  return slab + kSkbHeader;
}

}  // namespace

// unix_stream_sendmsg() and unix_dgram_sendmsg(): how much goes into pages.
size_t unix_true_size(size_t octets, bool stream) {
  size_t paged = 0;
  if (stream && octets > kHeadMax) paged = std::min(octets, page_align(octets - kHeadMax));
  if (!stream && octets > kAllocMax) paged = page_align(octets - kAllocMax);
  return head_true_size(octets - std::min(paged, octets)) + page_align(paged);
}

size_t unix_stream_record_max(int send_buffer) {
  const size_t half = std::max(static_cast<size_t>(send_buffer) / 2, size_t{128}) - 64;
  return std::min(half, kHeadMax + kStreamPagesMax);
}

void UnixRecord::drop_rights() {
  // Taken out first: closing one may end in this queue again.
  for (const SocketRef& right : std::exchange(rights, {})) {
    if (--right->handles == 0) right->closed();
  }
}

SocketRef make_unix_socket(FakeHost& host, int type) {
  std::shared_ptr<UnixSocket> socket;
  if (type == SOCK_STREAM) {
    socket = std::make_shared<UnixStream>(host, type);
  } else {
    socket = std::make_shared<UnixMessages>(host, type);
  }
  host.unix_names().add(socket);
  return socket;
}

std::pair<SocketRef, SocketRef> make_unix_pair(FakeHost& host, int type) {
  SocketRef a = make_unix_socket(host, type);
  SocketRef b = make_unix_socket(host, type);
  UnixSocket::join(static_cast<UnixSocket&>(*a), static_cast<UnixSocket&>(*b));
  return {std::move(a), std::move(b)};
}

UnixSocket::UnixSocket(FakeHost& host, int type)
    : FakeSocket(host, AF_UNIX, type,
                 type == SOCK_STREAM  ? Transport::kUnixStream
                 : type == SOCK_DGRAM ? Transport::kUnixDgram
                                      : Transport::kUnixSeqpacket),
      id_(uint64_t{host.id()} << 40 | host.next_socket_id()) {}

UnixSocket::~UnixSocket() = default;

Credentials UnixSocket::own_credentials() const {
  const FakeHostOptions& who = host_.options();
  return {who.pid, who.uid, who.gid};
}

// unix_bind(): for paths, what is wrong with the name is told before that there is one already.
Result<void> UnixSocket::bind(const Endpoint& local) {
  UnixNames& names = host_.unix_names();
  const bool automatic = local.kind() == Endpoint::Kind::kUnix && local.path().empty();
  if (has_name() && automatic) return {};
  if (has_name()) {
    const auto fine = local.is_abstract() ? Result<void>() : names.may_bind(local, type());
    return fine ? fail_with(EINVAL) : fine;
  }
  auto bound = names.bind(local, shared_from_this());
  if (!bound) return fail_with(bound.error());
  *name_ = *bound;
  return {};
}

Result<void> UnixSocket::name_for_credentials() {
  if (!options_.pass_credentials || has_name()) return {};
  return bind(Endpoint::unix_unnamed());
}

Result<Endpoint> UnixSocket::local_endpoint() const {
  return name();
}

Result<Endpoint> UnixSocket::peer_endpoint() const {
  if (!has_peer()) return fail_with(ENOTCONN);
  if (const auto other = peer(); other != nullptr && !other->closed_) return other->name();
  return peer_name_.value_or(Endpoint::unix_unnamed());
}

// FIONREAD: of a datagram socket the next datagram's.
size_t UnixSocket::readable_octets() const {
  if (type() != SOCK_DGRAM) return queued_octets_;
  return queue_.empty() ? 0 : queue_.front().data.size();
}

// unix_poll() and unix_dgram_poll().
short UnixSocket::poll_events() const {
  int events = 0;
  if (error_) events |= POLLERR;
  if (receive_shutdown_ && send_shutdown_) events |= POLLHUP;
  if (receive_shutdown_) events |= POLLRDHUP | POLLIN;
  if (!queue_.empty() || !backlog_.empty()) events |= POLLIN;
  if (type() != SOCK_DGRAM && state_ == State::kClosed) events |= POLLHUP;
  bool writable = is_writable();
  if (type() == SOCK_DGRAM && writable && has_peer()) {
    const auto other = peer();
    if (other != nullptr && !other->closed_ && other->peer_id_ != id_ && other->queue_is_full()) {
      const_cast<UnixSocket&>(*other).wait_for_room(const_cast<UnixSocket&>(*this));
      writable = false;
    }
  }
  if (writable) events |= POLLOUT;
  return static_cast<short>(events);
}

Result<int64_t> UnixSocket::get_option(int level, int name) {
  if (level != SOL_SOCKET) return fail_with(EOPNOTSUPP);
  if (name == SO_ACCEPTCONN) return state_ == State::kListening ? 1 : 0;
  if (name == SO_PROTOCOL) return 0;
  if (name == SO_PASSCRED) return options_.pass_credentials ? 1 : 0;
  return FakeSocket::get_option(level, name);
}

Result<void> UnixSocket::set_option(int level, int name, int64_t value) {
  if (level != SOL_SOCKET) return fail_with(EOPNOTSUPP);
  if (name == SO_PASSCRED) {
    options_.pass_credentials = value != 0;
    return {};
  }
  // sk_setsockopt(): only for addresses with ports.
  if (name == SO_REUSEPORT && value != 0) return fail_with(EOPNOTSUPP);
  return FakeSocket::set_option(level, name, value);
}

Result<Credentials> UnixSocket::peer_credentials() const {
  return peer_credentials_;
}

void UnixSocket::charge(UnixRecord& record, size_t true_size) {
  record.true_size = true_size;
  record.sender = self();
  sent_memory_ += true_size;
}

// unix_write_space(): a sender is told only when a good part of its buffer is free.
void UnixSocket::release(UnixRecord& record) {
  const size_t size = std::exchange(record.true_size, 0);
  if (size == 0) return;
  const auto sender = record.sender.lock();
  if (sender == nullptr) return;
  sender->sent_memory_ -= std::min(size, sender->sent_memory_);
  if (sender->is_writable()) sender->changed();
}

void UnixSocket::wait_for_room(UnixSocket& who) {
  const auto is_who = [&](const auto& waiting) { return waiting.lock().get() == &who; };
  if (std::ranges::any_of(waiting_for_room_, is_who)) return;
  waiting_for_room_.push_back(who.self());
}

void UnixSocket::tell_room() {
  for (const auto& waiting : std::exchange(waiting_for_room_, {})) {
    if (const auto socket = waiting.lock()) socket->changed();
  }
}

// What a message carries besides octets (unix_scm_to_skb, maybe_add_creds).
Result<UnixRecord> UnixSocket::make_record(const OutgoingMessage& message, const UnixSocket& to) {
  UnixRecord record;
  record.from = name_;
  if (message.credentials) {
    const Credentials own = own_credentials();
    // scm_check_creds(): only root may be somebody else.
    const Credentials& told = *message.credentials;
    const bool true_words =
        (told.pid == 0 || told.pid == own.pid) && told.uid == own.uid && told.gid == own.gid;
    if (told.pid == 0) {
      record.credentials = own;
    } else if (own.uid == 0 || true_words) {
      record.credentials = told;
    } else {
      return fail_with(EPERM);
    }
  } else if (options_.pass_credentials || to.options_.pass_credentials) {
    record.credentials = own_credentials();
  }
  record.rights = message.rights;
  for (const SocketRef& right : record.rights) ++right->handles;
  return record;
}

void UnixSocket::push(UnixRecord&& record) {
  queued_octets_ += record.data.size();
  queue_.push_back(std::move(record));
  changed();
}

UnixRecord UnixSocket::pop() {
  UnixRecord record = std::move(queue_.front());
  queue_.pop_front();
  queued_octets_ -= record.data.size() - record.taken;
  release(record);
  tell_room();
  return record;
}

// scm_recv(): with SO_PASSCRED somebody is told always.
void UnixSocket::fill_ancillary(const UnixRecord& record, IncomingMessage& message,
                                bool with_rights) const {
  if (options_.pass_credentials) {
    message.credentials = {record.credentials.value_or(Credentials{0, kOverflowId, kOverflowId})};
  }
  if (!with_rights) return;
  message.rights = record.rights;
  for (const SocketRef& right : message.rights) ++right->handles;
}

void UnixSocket::purge() {
  while (!queue_.empty()) {
    UnixRecord record = std::move(queue_.front());
    queue_.pop_front();
    release(record);
  }
  queued_octets_ = 0;
}

}  // namespace netrig
