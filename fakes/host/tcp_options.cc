// TcpSocket: the options of tcp(7), as do_tcp_setsockopt() and do_tcp_getsockopt() take and tell
// them, and what they mean to the connection.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "fakes/host/fake_host.h"
#include "fakes/host/option_bytes.h"
#include "fakes/host/tcp_info.h"
#include "fakes/host/tcp_socket.h"

namespace netrig {
namespace {

constexpr int kMaxSegmentLeast = 88;  // TCP_MIN_MSS
constexpr int kMaxSegmentMost = 32767;
constexpr int kKeepaliveMost = 32767;  // MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL
constexpr int kCountMost = 127;        // MAX_TCP_KEEPCNT, MAX_TCP_SYNCNT
constexpr int kLinger2Most = 120;      // TCP_FIN_TIMEOUT_MAX
constexpr int kWindowLeast = 1152;     // SOCK_MIN_RCVBUF / 2
constexpr int kLowWaterMost = 524288;  // half of tcp_rmem's upper end
constexpr int kNameSize = 16;          // TCP_CA_NAME_MAX
constexpr int kTxDelay = 37;
constexpr int kTcpAoInfo = 43;
constexpr int kRtoMaxMs = 44;

// secs_to_retrans() and retrans_to_secs() with 1 s at first and 120 s at most.
int accept_retries(int seconds) {
  int retries = 0;
  if (seconds <= 0) return 0;
  retries = 1;
  for (int period = 1, timeout = 1; seconds > period && retries < 255; ++retries) {
    timeout = std::min(timeout * 2, 120);
    period += timeout;
  }
  return retries;
}
int accept_seconds(int retries) {
  if (retries <= 0) return 0;
  int period = 1;
  for (int timeout = 1; --retries > 0;) {
    timeout = std::min(timeout * 2, 120);
    period += timeout;
  }
  return period;
}

Result<int64_t> within(int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most) return fail_with(EINVAL);
  return value;
}

}  // namespace

tcp::ConnectionOptions TcpSocket::connection_options() const {
  tcp::ConnectionOptions made = tcp_options_;
  made.ecn = host_.options().tcp_ecn;
  if (receive_buffer_set_) {
    made.receive_buffer = static_cast<size_t>(options_.receive_buffer);
    made.receive_buffer_fixed = true;
  }
  if (send_buffer_set_) {
    made.send_buffer = static_cast<size_t>(options_.send_buffer);
    made.send_buffer_fixed = true;
  }
  made.keepalive = options_.keepalive;
  made.receive_shutdown = receive_shutdown_;
  made.send_shutdown = send_shutdown_;
  made.urgent_inline = kept_option(SOL_SOCKET, SO_OOBINLINE, 0) != 0;
  made.receive_low_water = static_cast<uint32_t>(options_.receive_low_water);
  return made;
}

void TcpSocket::apply_options() {
  if (connection_ != nullptr) {
    begin_call();
    connection_->set_options(now(), connection_options());
  } else if (listener_ != nullptr) {
    listener_->set_options(connection_options());
  }
}

int64_t TcpSocket::max_segment() const {
  const tcp::State current = state();
  const bool told = current == tcp::State::kClosed || current == tcp::State::kListen;
  if (told && tcp_options_.max_segment != 0) return tcp_options_.max_segment;
  return connection_ != nullptr ? connection_->info().mss : last_mss_;
}

Result<int64_t> TcpSocket::get_option(int level, int name) {
  if (level == IPPROTO_TCP) return get_tcp_option(name);
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: {
        const auto error = take_any_error();
        return error ? error->value() : 0;
      }
      case SO_ACCEPTCONN:
        return is_listening() ? 1 : 0;
      case SO_SNDBUF:  // both grow by themselves once connected
        if (connection_ == nullptr || phase_ == Phase::kUnconnected) break;
        return static_cast<int64_t>(connection_->options().send_buffer);
      case SO_RCVBUF:
        if (connection_ == nullptr || phase_ == Phase::kUnconnected) break;
        return static_cast<int64_t>(connection_->options().receive_buffer);
      default:
        break;
    }
  }
  return InetSocket::get_option(level, name);
}

Result<void> TcpSocket::set_option(int level, int name, int64_t value) {
  if (level == IPPROTO_TCP) return set_tcp_option(name, value);
  if (level == SOL_SOCKET && name == SO_RCVLOWAT) {
    // tcp_set_rcvlowat()
    const int64_t most = receive_buffer_set_ ? options_.receive_buffer / 2 : kLowWaterMost;
    value = value < 0 ? most : std::min(value, most);
  }
  auto done = InetSocket::set_option(level, name, value);
  if (done && level == SOL_SOCKET) apply_options();
  return done;
}

Result<int64_t> TcpSocket::get_tcp_option(int name) {
  const tcp::ConnectionOptions& options = tcp_options_;
  switch (name) {
    case TCP_NODELAY:
      return options.nodelay;
    case TCP_MAXSEG:
      return max_segment();
    case TCP_CORK:
      return options.cork;
    case TCP_KEEPIDLE:
      return options.keepalive_idle / 1s;
    case TCP_KEEPINTVL:
      return options.keepalive_interval / 1s;
    case TCP_KEEPCNT:
      return options.keepalive_count;
    case TCP_SYNCNT:
      return options.syn_retries;
    case TCP_LINGER2:
      return linger2_;
    case TCP_DEFER_ACCEPT:
      return accept_seconds(kept_option(IPPROTO_TCP, name, 0));
    case TCP_WINDOW_CLAMP:
      return options.window_clamp;
    case TCP_QUICKACK:
      return options.quickack;
    case TCP_USER_TIMEOUT:
      return options.user_timeout / 1ms;
    case TCP_NOTSENT_LOWAT:
      return kept_option(IPPROTO_TCP, name, 0);
    case TCP_INFO: {
      const Bytes octets = info(8);
      int64_t value = 0;
      std::memcpy(&value, octets.data(), std::min(octets.size(), sizeof(value)));
      return value;
    }
    case TCP_CONGESTION: {
      // As many octets of the name as fit into the eight that are asked for.
      const auto octets = get_option_bytes(IPPROTO_TCP, name, 8);
      int64_t value = 0;
      std::memcpy(&value, octets->data(), std::min(octets->size(), sizeof(value)));
      return value;
    }
    case TCP_THIN_LINEAR_TIMEOUTS:
    case TCP_REPAIR:
    case TCP_FASTOPEN:
    case TCP_SAVE_SYN:
    case TCP_FASTOPEN_CONNECT:
    case TCP_FASTOPEN_NO_COOKIE:
    case TCP_INQ:
    case kTxDelay:
    case kTcpAoInfo:
      return kept_option(IPPROTO_TCP, name, 0);
    case TCP_TIMESTAMP:
      return host_.loop().now().time_since_epoch() / 1ms;
    case TCP_THIN_DUPACK:
    case TCP_CC_INFO:
    case TCP_SAVED_SYN:
    case TCP_ULP:
      return 0;
    case kRtoMaxMs:
      return kept_option(IPPROTO_TCP, name, 120'000);
    case TCP_REPAIR_QUEUE:
    case TCP_QUEUE_SEQ:
    case TCP_REPAIR_WINDOW:
    case TCP_ZEROCOPY_RECEIVE:
      return fail_with(EINVAL);
    default:
      return fail_with(ENOPROTOOPT);
  }
}

Result<void> TcpSocket::set_keepalive_option(int name, int64_t value) {
  const int most = name == TCP_KEEPCNT || name == TCP_SYNCNT ? kCountMost : kKeepaliveMost;
  if (auto fine = within(value, 1, most); !fine) return fail_with(fine.error());
  switch (name) {
    case TCP_KEEPIDLE:
      tcp_options_.keepalive_idle = std::chrono::seconds(value);
      break;
    case TCP_KEEPINTVL:
      tcp_options_.keepalive_interval = std::chrono::seconds(value);
      break;
    case TCP_KEEPCNT:
      tcp_options_.keepalive_count = static_cast<uint32_t>(value);
      break;
    default:
      tcp_options_.syn_retries = static_cast<uint32_t>(value);
  }
  apply_options();
  return {};
}

Result<void> TcpSocket::set_tcp_option(int name, int64_t value) {
  const auto keep_within = [&](int64_t least, int64_t most) -> Result<void> {
    if (value < least || value > most) return fail_with(EINVAL);
    return keep_option(IPPROTO_TCP, name, static_cast<int>(value));
  };
  switch (name) {
    case TCP_NODELAY:
      tcp_options_.nodelay = value != 0;
      break;
    case TCP_CORK:
      tcp_options_.cork = value != 0;
      break;
    case TCP_QUICKACK:
      tcp_options_.quickack = value != 0;
      break;
    case TCP_MAXSEG:
      // 0 gives the choice back.
      if (value != 0 && !within(value, kMaxSegmentLeast, kMaxSegmentMost)) {
        return fail_with(EINVAL);
      }
      tcp_options_.max_segment = static_cast<uint16_t>(value);
      break;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
    case TCP_SYNCNT:
      return set_keepalive_option(name, value);
    case TCP_LINGER2:
      linger2_ = value < 0    ? -1
                 : value == 0 ? 60
                              : static_cast<int>(std::min<int64_t>(value, kLinger2Most));
      tcp_options_.linger2 = std::chrono::seconds(std::max(linger2_, 0));
      break;
    case TCP_WINDOW_CLAMP:
      if (value == 0 && state() != tcp::State::kClosed) return fail_with(EINVAL);
      tcp_options_.window_clamp =
          value == 0 ? 0 : static_cast<uint32_t>(std::max<int64_t>(value, kWindowLeast));
      break;
    case TCP_USER_TIMEOUT:
      if (value < 0) return fail_with(EINVAL);
      tcp_options_.user_timeout = std::chrono::milliseconds(value);
      break;
    case TCP_NOTSENT_LOWAT:
      tcp_options_.notsent_low_water = value == 0 ? 0xffffffffu : static_cast<uint32_t>(value);
      static_cast<void>(keep_option(IPPROTO_TCP, name, static_cast<int>(value)));
      break;
    case TCP_DEFER_ACCEPT:
      return keep_option(IPPROTO_TCP, name, accept_retries(static_cast<int>(value)));
    case TCP_CONGESTION: {
      const int narrow = static_cast<int>(value);
      return set_option_bytes(IPPROTO_TCP, name,
                              ByteView(reinterpret_cast<const char*>(&narrow), sizeof(narrow)));
    }
    case TCP_THIN_LINEAR_TIMEOUTS:
    case TCP_INQ:
      return keep_within(0, 1);
    case TCP_THIN_DUPACK:
      return value == 0 || value == 1 ? Result<void>() : fail_with(EINVAL);
    case TCP_SAVE_SYN:
      return keep_within(0, 2);
    case kTxDelay:
      return keep_within(0, 0x7ffffffe);
    case kRtoMaxMs:
      return keep_within(1000, 120'000);
    default:
      return fail_with(ENOPROTOOPT);
  }
  apply_options();
  return {};
}

Result<Bytes> TcpSocket::get_option_bytes(int level, int name, size_t size) {
  if (level != IPPROTO_TCP) return InetSocket::get_option_bytes(level, name, size);
  switch (name) {
    case TCP_INFO:
      return info(size);
    case TCP_CONGESTION: {
      Bytes octets(tcp::congestion_name(tcp_options_.congestion));
      octets.resize(kNameSize, '\0');
      octets.resize(std::min<size_t>(size, kNameSize));
      return octets;
    }
    case TCP_CC_INFO:
    case TCP_SAVED_SYN:
    case TCP_ULP:
      return Bytes();
    default:
      return InetSocket::get_option_bytes(level, name, size);
  }
}

Result<void> TcpSocket::set_option_bytes(int level, int name, ByteView value) {
  if (level != IPPROTO_TCP || name != TCP_CONGESTION) {
    return InetSocket::set_option_bytes(level, name, value);
  }
  if (value.empty()) return fail_with(EINVAL);
  const ByteView text = value.substr(0, std::min<size_t>(value.size(), kNameSize - 1));
  const auto kind = tcp::congestion_from_name(text.substr(0, text.find('\0')));
  if (!kind) return fail_with(ENOENT);
  tcp_options_.congestion = *kind;
  apply_options();
  return {};
}

Bytes TcpSocket::info(size_t size) const {
  tcp::ConnectionInfo known;
  if (connection_ != nullptr) known = connection_->info();
  known.state = state();
  return tcp_info_octets(known, size);
}

}  // namespace netrig
