// UnixSocket: how sockets find each other and part: connect, listen, accept, shutdown, close.

#include <algorithm>
#include <cerrno>
#include <poll.h>

#include "fakes/host/unix_socket.h"

namespace netrig {

Result<std::shared_ptr<UnixSocket>> UnixSocket::find(const Endpoint& name) const {
  auto found = host_.unix_names().find(name, type());
  if (!found) return fail_with(found.error());
  return std::static_pointer_cast<UnixSocket>(*found);
}

void UnixSocket::set_peer(const std::shared_ptr<UnixSocket>& other) {
  peer_ = other;
  peer_id_ = other == nullptr ? 0 : other->id_;
  peer_name_.reset();
  if (other != nullptr) peer_name_ = other->name();
}

void UnixSocket::join(UnixSocket& a, UnixSocket& b) {
  for (UnixSocket* end : {&a, &b}) {
    UnixSocket* other = end == &a ? &b : &a;
    end->set_peer(other->self());
    end->state_ = State::kConnected;
    end->peer_credentials_ = other->own_credentials();
  }
  if (a.type() != SOCK_DGRAM) a.capture_connected("socketpair", b);
}

// unix_listen().
Result<void> UnixSocket::listen(int backlog) {
  if (type() == SOCK_DGRAM) return fail_with(EOPNOTSUPP);
  if (!has_name() || state_ == State::kConnected) return fail_with(EINVAL);
  const size_t most = 4096;  // net.core.somaxconn
  queue_max_ = backlog < 0 ? most : std::min(static_cast<size_t>(backlog), most);
  state_ = State::kListening;
  peer_credentials_ = own_credentials();
  tell_room();
  return {};
}

// unix_accept().
Result<SocketRef> UnixSocket::accept(Endpoint& peer) {
  if (type() == SOCK_DGRAM) return fail_with(EOPNOTSUPP);
  if (state_ != State::kListening) return fail_with(EINVAL);
  if (backlog_.empty()) {
    // skb_recv_datagram(): only one that would wait looks at the shutdown.
    return fail_with(receive_shutdown_ && !options_.nonblocking ? EINVAL : EAGAIN);
  }
  std::shared_ptr<UnixSocket> accepted = std::move(backlog_.front());
  backlog_.pop_front();
  tell_room();
  peer = accepted->peer_endpoint().value_or(Endpoint::unix_unnamed());
  return accepted;
}

Result<void> UnixSocket::connect(const Endpoint& peer) {
  return type() == SOCK_DGRAM ? connect_datagram(peer) : connect_stream(peer);
}

// unix_dgram_connect().
Result<void> UnixSocket::connect_datagram(const Endpoint& to) {
  if (auto named = name_for_credentials(); !named) return named;
  const auto found = find(to);
  if (!found) return fail_with(found.error());
  UnixSocket& other = **found;
  // unix_may_send(): a connected socket hears its peer only.
  if (other.has_peer() && other.peer_id_ != id_) return fail_with(EPERM);
  const auto old = peer();
  const bool changes = has_peer() && peer_id_ != other.id_;
  set_peer(*found);
  state_ = State::kConnected;
  if (changes) disconnect_datagram_peer(old.get());
  changed();
  return {};
}

// unix_dgram_disconnected(): what the old peer sent is forgotten, and it is told.
void UnixSocket::disconnect_datagram_peer(UnixSocket* old) {
  if (queue_.empty()) return;
  drain_unread();
  purge();
  tell_room();
  if (old != nullptr && !old->closed_ && old->peer_id_ == id_) old->set_error(Errno(ECONNRESET));
}

// unix_stream_connect(): finished at once, before anybody accepts.
Result<void> UnixSocket::connect_stream(const Endpoint& to) {
  if (auto named = name_for_credentials(); !named) return named;
  const auto found = find(to);
  if (!found) return fail_with(found.error());
  UnixSocket& listener = **found;
  if (listener.state_ != State::kListening || listener.receive_shutdown_) {
    return fail_with(ECONNREFUSED);
  }
  if (listener.backlog_.size() > listener.queue_max_) {
    listener.wait_for_room(*this);
    return fail_with(EAGAIN);
  }
  if (state_ == State::kConnected) return fail_with(EISCONN);
  if (state_ == State::kListening) return fail_with(EINVAL);
  auto accepted = std::static_pointer_cast<UnixSocket>(make_unix_socket(listener.host_, type()));
  *accepted->name_ = *listener.name_;
  accepted->state_ = state_ = State::kConnected;
  accepted->set_peer(self());
  set_peer(accepted);
  accepted->peer_credentials_ = own_credentials();
  peer_credentials_ = listener.peer_credentials_;
  accepted->options_.pass_credentials = listener.options_.pass_credentials;
  capture_connected(listener.name().to_string(), *accepted);
  listener.backlog_.push_back(std::move(accepted));
  listener.changed();
  return {};
}

// unix_shutdown(): asks for no connection; tells the peer of connected types.
Result<void> UnixSocket::shutdown(int how) {
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return fail_with(EINVAL);
  const bool read = how != SHUT_WR;
  const bool write = how != SHUT_RD;
  if (write && !send_shutdown_) capture_ending(Ending::kFinished);
  receive_shutdown_ |= read;
  send_shutdown_ |= write;
  const auto other = peer();
  if (type() != SOCK_DGRAM && other != nullptr && !other->closed_) {
    other->send_shutdown_ |= read;
    other->receive_shutdown_ |= write;
    other->changed();
  }
  tell_room();
  changed();
  return {};
}

// unix_release_sock().
bool UnixSocket::closed() {
  if (closed_) return false;
  closed_ = true;
  const auto keep = shared_from_this();
  // A first record without octets does not count: it might be an urgent octet's place.
  const bool unread = queue_.size() > 1 || (!queue_.empty() && !queue_.front().data.empty());
  drain_unread();
  capture_ending(unread ? Ending::kReset : Ending::kFinished);
  close_connections();
  const auto other = peer();
  if (other != nullptr && !other->closed_) {
    if (type() != SOCK_DGRAM) {
      other->peer_closed(unread);
    } else if (other->peer_id_ == id_) {
      other->peer_name_ = name();
    }
  }
  purge();
  state_ = State::kClosed;
  if (has_name()) host_.unix_names().closed(name(), *this);
  tell_room();
  changed();
  return false;
}

void UnixSocket::peer_closed(bool reset) {
  if (const auto other = peer()) peer_name_ = other->name();
  receive_shutdown_ = send_shutdown_ = true;
  if (reset) error_ = Errno(ECONNRESET);
  changed();
}

// Who was never accepted is reset.
void UnixSocket::close_connections() {
  for (const auto& embryo : std::exchange(backlog_, {})) {
    embryo->closed_ = true;
    embryo->capture_ending(Ending::kReset);
    embryo->purge();
    if (const auto client = embryo->peer(); client != nullptr && !client->closed_) {
      client->peer_closed(true);
    }
  }
}

}  // namespace netrig
