#include "fakes/host/tcp_socket.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/inet_table.h"
#include "harness/net/mapped_address.h"

namespace netrig {

using tcp::State;

TcpSocket::TcpSocket(FakeHost& host, int domain)
    : InetSocket(host, domain, SOCK_STREAM, Transport::kTcp) {
  // tcp_wmem and tcp_rmem of the sandbox.
  options_.send_buffer = 16384;
  options_.receive_buffer = 131072;
  tcp_options_.congestion =
      tcp::congestion_from_name(host.options().congestion).value_or(tcp::CongestionKind::kReno);
}

TcpSocket::~TcpSocket() {
  if (detached_) return;
  disconnect();
  stop_listening();
}

void TcpSocket::detach() {
  InetSocket::detach();
  connection_ = nullptr;
  listener_ = nullptr;
}

Instant TcpSocket::now() const {
  return host_.loop().now();
}

State TcpSocket::state() const {
  if (listener_ != nullptr) return State::kListen;
  if (connection_ == nullptr) return State::kClosed;
  const State state = connection_->state();
  return state == State::kTimeWait ? State::kClosed : state;
}

void TcpSocket::begin_call() {
  if (connection_ == nullptr || !host_.network().captures()) return;
  connection_->set_activity(host_.loop().activity());
}

// inet_listen() and inet_csk_listen_start().
Result<void> TcpSocket::listen(int backlog) {
  if (phase_ != Phase::kUnconnected) return fail_with(EINVAL);
  // A negative number is a very large one; somaxconn limits it.
  const size_t limited = static_cast<uint32_t>(backlog);
  if (listener_ != nullptr) {
    listener_->set_backlog(limited);
    return {};
  }
  if (local_port_ == 0) {
    if (auto bound = host_.inet().bind(*this, 0); !bound) return bound;
  } else if (auto may = host_.inet().start_listening(*this); !may) {
    return may;
  }
  auto made = host_.tcp().listen(Endpoint(local_address_, local_port_), is_dual(), limited,
                                 connection_options(), this, true);
  if (!made) return fail_with(made.error());
  listener_ = *made;
  host_.inet_changed();
  return {};
}

Result<SocketRef> TcpSocket::accept(Endpoint& peer) {
  if (listener_ == nullptr) return fail_with(EINVAL);
  if (!listener_->waiting()) return fail_with(EAGAIN);
  auto child = std::make_shared<TcpSocket>(host_, domain());
  tcp::Connection* connection = listener_->accept(child.get());
  if (connection == nullptr) return fail_with(EAGAIN);
  child->connection_ = connection;
  child->phase_ = Phase::kConnected;
  child->tcp_options_ = connection->options();
  child->linger2_ = linger2_;
  child->inherit_options(*this);
  // What fcntl(2) and time-outs set is not the kernel's to inherit (harness/real).
  child->options_.nonblocking = false;
  child->options_.receive_timeout.reset();
  child->options_.send_timeout.reset();
  child->receive_shutdown_ = receive_shutdown_;
  child->send_shutdown_ = send_shutdown_;
  child->v6only_ = v6only_;
  child->bound_ = bound_;
  child->has_source_ = true;
  child->address_locked_ = address_locked_;
  child->port_locked_ = false;  // sk_clone()
  child->local_address_ = unmapped(connection->local().address());
  child->local_port_ = connection->local().port();
  child->peer_ = unmapped(connection->peer());
  host_.inet().adopt(*child);
  peer = shown(*child->peer_);
  return SocketRef(std::move(child));
}

// __inet_stream_connect(), with harness/real's choice of the source before it.
Result<void> TcpSocket::connect(const Endpoint& peer) {
  if (peer.kind() != Endpoint::Kind::kIp) return fail_with(EAFNOSUPPORT);
  if (auto ready = prepare_source(peer); !ready) return ready;
  switch (phase_) {
    case Phase::kDisconnecting:
      return fail_with(EINVAL);
    case Phase::kConnected:
      return fail_with(EISCONN);
    case Phase::kConnecting: {
      auto done = connect_finished();
      if (!done && done.error() == Errno(EINPROGRESS)) return fail_with(EALREADY);
      return done;
    }
    case Phase::kUnconnected:
      break;
  }
  if (state() != State::kClosed) return fail_with(EISCONN);
  return start(peer);
}

Result<void> TcpSocket::start(const Endpoint& peer) {
  if (peer.address().is_v6() != is_v6()) return fail_with(is_v6() ? EINVAL : EAFNOSUPPORT);
  const IpAddress target = unmapped(peer.address());
  if (is_multicast(target)) return fail_with(ENETUNREACH);
  auto way = way_to(peer);
  if (!way) return fail_with(way.error());
  if (connection_ != nullptr) disconnect();
  const IpAddress before = local_address_;
  local_address_ = way->source.address();
  ended_ = false;
  const auto attempt = [&]() -> Result<void> {
    auto made = host_.tcp().connect(now(), Endpoint(local_address_, local_port_), way->destination,
                                    connection_options(), this);
    if (!made) return fail_with(made.error());
    connection_ = *made;
    return {};
  };
  const auto started = local_port_ != 0 ? attempt() : host_.inet().bind_for_connect(*this, attempt);
  if (!started) {
    local_address_ = before;
    return started;
  }
  peer_ = way->destination;
  phase_ = Phase::kConnecting;
  error_.reset();
  host_.inet_changed();
  return fail_with(EINPROGRESS);
}

Result<void> TcpSocket::connect_finished() {
  if (phase_ != Phase::kConnecting) return {};
  switch (state()) {
    case State::kSynSent:
    case State::kSynReceived:
      return fail_with(EINPROGRESS);
    case State::kClosed: {
      const auto error = take_any_error();
      disconnect();
      phase_ = Phase::kUnconnected;
      return fail_with(error.value_or(Errno(ECONNABORTED)));
    }
    default:
      phase_ = Phase::kConnected;
      return {};
  }
}

// The port of a socket that did not ask for it by number goes back; its number is still shown.
void TcpSocket::release_port() {
  if (local_port_ == 0) return;
  if (port_locked_) return host_.inet().connection_ended(*this);
  host_.inet().release(*this);
}

void TcpSocket::disconnect() {
  if (connection_ == nullptr) return;
  tcp::Connection* connection = std::exchange(connection_, nullptr);
  connection->set_observer(nullptr);
  last_mss_ = connection->info().mss;
  const bool reset = connection->state() != State::kTimeWait;
  connection->close(now(), reset);
  if (!std::exchange(ended_, true)) release_port();
  peer_.reset();
  receive_shutdown_ = send_shutdown_ = false;
  if (!address_locked_) local_address_ = any_address(is_v6());
  host_.inet_changed();
}

void TcpSocket::stop_listening() {
  if (listener_ == nullptr) return;
  host_.tcp().close_listener(now(), std::exchange(listener_, nullptr));
  if (!port_locked_) host_.inet().release(*this);
  host_.inet_changed();
}

// inet_shutdown().
Result<void> TcpSocket::shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return fail_with(EINVAL);
  begin_call();
  const State before = state();
  if (phase_ == Phase::kConnecting) {
    const bool unfinished =
        before == State::kSynSent || before == State::kSynReceived || before == State::kClosed;
    phase_ = unfinished ? Phase::kDisconnecting : Phase::kConnected;
  }
  switch (before) {
    case State::kClosed:
      if (how != SHUT_WR) receive_shutdown_ = true;
      if (how != SHUT_RD) send_shutdown_ = true;
      changed();
      return fail_with(ENOTCONN);
    case State::kListen:
      if (how == SHUT_WR) return {};
      stop_listening();
      receive_shutdown_ = send_shutdown_ = false;  // tcp_disconnect()
      phase_ = Phase::kUnconnected;
      break;
    case State::kSynSent:
      disconnect();
      phase_ = Phase::kUnconnected;
      error_ = Errno(ECONNRESET);
      break;
    default: {
      auto done = connection_->shutdown(now(), how != SHUT_WR, how != SHUT_RD);
      changed();
      return done;
    }
  }
  changed();
  return {};
}

Result<Endpoint> TcpSocket::peer_endpoint() const {
  const State current = state();
  if (connection_ == nullptr || current == State::kClosed || current == State::kSynSent) {
    return fail_with(ENOTCONN);
  }
  return shown(unmapped(connection_->peer()));
}

// tcp_poll().
short TcpSocket::poll_events() const {
  if (listener_ != nullptr) return listener_->waiting() ? POLLIN : 0;
  const State current = state();
  tcp::Readiness ready;
  ready.writable = true;
  if (connection_ != nullptr) ready = connection_->readiness();
  const bool read_closed = ready.read_closed || receive_shutdown_;
  const bool write_closed = ready.write_closed || send_shutdown_;
  short events = 0;
  if ((read_closed && write_closed) || current == State::kClosed) events |= POLLHUP;
  if (read_closed) events |= POLLIN | POLLRDHUP;
  if (current != State::kSynSent && current != State::kSynReceived) {
    if (ready.readable && current != State::kClosed) events |= POLLIN;
    if (connection_ != nullptr && connection_->readable_octets() > 0 && ready.readable) {
      events |= POLLIN;
    }
    if (write_closed || ready.writable || current == State::kClosed) events |= POLLOUT;
    if (ready.urgent) events |= POLLPRI;
  }
  if (ready.error || has_error()) events |= POLLERR;
  return events;
}

// tcp_close(): unread data, or SO_LINGER with no time, makes a reset.
bool TcpSocket::closed() {
  if (detached_) return false;
  changed();
  stop_listening();
  if (connection_ == nullptr) {
    host_.inet().release(*this);
    return false;
  }
  begin_call();
  const LingerOption linger = options_.linger;
  const bool waits = linger.on && linger.seconds > 0 && !options_.nonblocking &&
                     connection_->readable_octets() == 0 && !lingered();
  if (waits) {
    static_cast<void>(connection_->shutdown(now(), false, true));
    if (!lingered()) return true;  // the destructor ends it
  }
  tcp::Connection* connection = std::exchange(connection_, nullptr);
  connection->set_observer(nullptr);
  connection->close(now(), linger.on && linger.seconds == 0);
  host_.inet().release(*this);
  return false;
}

// sk_stream_wait_close(): until the FIN is acknowledged, or there is nobody to do it.
bool TcpSocket::lingered() const {
  switch (state()) {
    case State::kFinWait1:
    case State::kClosing:
    case State::kLastAck:
    case State::kEstablished:
    case State::kCloseWait:
      return false;
    default:
      return true;
  }
}

void TcpSocket::connection_changed(tcp::Connection& connection) {
  // Once: afterwards the socket may have been bound again.
  if (&connection == connection_ && state() == State::kClosed && !std::exchange(ended_, true)) {
    release_port();
  }
  changed();
}

void TcpSocket::connection_waits(tcp::Listener&) {
  changed();
}

std::optional<Errno> TcpSocket::take_any_error() {
  if (auto own = take_error()) return own;
  return connection_ == nullptr ? std::nullopt : connection_->take_error();
}

}  // namespace netrig
