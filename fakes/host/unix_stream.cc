// UnixStream: octets without boundaries (unix_stream_sendmsg, unix_stream_read_generic).

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fakes/host/unix_socket.h"
#include "harness/sockets/stream_call.h"

namespace netrig {
namespace {

bool same_credentials(const UnixRecord& a, const UnixRecord& b) {
  if (a.credentials.has_value() != b.credentials.has_value()) return false;
  return !a.credentials ||
         (a.credentials->pid == b.credentials->pid && a.credentials->uid == b.credentials->uid &&
          a.credentials->gid == b.credentials->gid);
}

// The caller's parts, filled one after the other.
class Filler {
 public:
  explicit Filler(std::span<const std::span<char>> parts) : parts_(parts) {
    for (const auto part : parts) room_ += part.size();
  }
  size_t room() const { return room_; }
  void put(ByteView data) {
    room_ -= data.size();
    while (!data.empty()) {
      const std::span<char> part = parts_.front().subspan(used_);
      const size_t size = std::min(part.size(), data.size());
      if (size > 0) std::memcpy(part.data(), data.data(), size);
      data.remove_prefix(size);
      used_ += size;
      if (used_ == parts_.front().size()) {
        parts_ = parts_.subspan(1);
        used_ = 0;
      }
    }
  }

 private:
  std::span<const std::span<char>> parts_;
  size_t used_ = 0;  // of the first of parts_
  size_t room_ = 0;
};

}  // namespace

Result<size_t> UnixStream::send(const OutgoingMessage& message) {
  if ((message.flags & MSG_OOB) != 0) return fail_with(EOPNOTSUPP);
  if (message.to) return fail_with(is_connected() ? EISCONN : EOPNOTSUPP);
  if (!has_peer()) return fail_with(ENOTCONN);
  if (send_shutdown_) return fail_with(EPIPE);
  const size_t record_max = unix_stream_record_max(options_.send_buffer);
  size_t sent = 0;
  while (sent < message.size) {
    const auto other = peer();
    if (other == nullptr || send_shutdown_) {  // sending may have closed it (rights)
      return sent > 0 ? Result<size_t>(sent) : fail_with(EPIPE);
    }
    // sock_alloc_send_pskb().
    if (sent == 0 && error_) return fail_with(*take_error());
    if (!has_room()) return sent > 0 ? Result<size_t>(sent) : fail_with(EAGAIN);
    const auto parts = stream_window(message.parts, sent, record_max);
    OutgoingMessage with_octets = message;
    if (sent > 0) with_octets.rights.clear();  // they go with the first octet
    auto record = make_record(with_octets, *other);
    if (!record) return fail_with(record.error());
    record->data = host_.network().pool().join(parts.data(), parts.size());
    const size_t size = record->data.size();
    charge(*record, unix_true_size(size, true));
    capture_data(record->data.view());
    static_cast<UnixStream&>(*other).push(std::move(*record));
    sent += size;
  }
  return sent;
}

Result<void> UnixStream::receive(std::span<const std::span<char>> parts, int flags,
                                 IncomingMessage& message) {
  if (!is_connected()) return fail_with(EINVAL);
  if ((flags & MSG_OOB) != 0) return fail_with(EOPNOTSUPP);
  Filler filler(parts);
  const bool peek = (flags & MSG_PEEK) != 0;
  const UnixRecord* first = nullptr;
  UnixRecord taken;  // keeps what `first` was
  // A read of nothing takes what came with the next octet, and a look goes on, with or without
  // room, to the first rights.
  for (size_t i = 0; i < queue_.size() && (filler.room() > 0 || peek || first == nullptr);) {
    UnixRecord& record = queue_[i];
    // Messages of different senders are never glued together, if the reader wants to know.
    if (first != nullptr && options_.pass_credentials && !same_credentials(*first, record)) break;
    const size_t size = std::min(record.data.size() - record.taken, filler.room());
    filler.put(record.data.view().substr(record.taken, size));
    message.size += size;
    const bool has_rights = !record.rights.empty();
    if (first == nullptr) {
      message.from = record.from->value_or(Endpoint::unix_unnamed());
      message.has_from = record.from->has_value();
    }
    if (first == nullptr || has_rights) fill_ancillary(record, message, has_rights);
    if (peek) {
      if (first == nullptr) first = &record;
      ++i;
    } else {
      record.taken += size;
      queued_octets_ -= size;
      record.drop_rights();
      if (record.taken == record.data.size()) {
        taken = pop();
        first = &taken;
      } else {
        first = &record;
      }
    }
    if (has_rights) break;  // unix(7): rights end what is received together
  }
  if (first != nullptr) return {};
  if (error_) return fail_with(*take_error());
  if (receive_shutdown_) return {};
  return fail_with(EAGAIN);
}

}  // namespace netrig
