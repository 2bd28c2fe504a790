// FakeSocket: what sk_getsockopt() and sk_setsockopt() answer for every family.

#include "fakes/host/fake_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "fakes/host/fake_host.h"
#include "fakes/host/option_bytes.h"

namespace netrig {
namespace {

// net.core.rmem_max and wmem_max of Linux 6.17 and later; before that 212992.
constexpr int kBufferMax = 4'194'304;
constexpr int kReceiveBufferLeast = 2304;  // SOCK_MIN_RCVBUF
constexpr int kSendBufferLeast = 4608;     // SOCK_MIN_SNDBUF
constexpr int kBpfExtensions = 64;
constexpr int kPeekOff = 42;
constexpr int kMaxPacingRate = 47;
constexpr int kIncomingCpu = 49;
constexpr int kMeminfo = 55;
constexpr int kCookie = 57;

// socket(7): twice of what was asked, within limits; a negative number is a very large one.
int doubled(int64_t value, int least) {
  const auto wide = static_cast<uint32_t>(static_cast<int>(value));
  const auto limited = std::min(wide, static_cast<uint32_t>(kBufferMax));
  return std::max(static_cast<int>(limited) * 2, least);
}

bool is_kept_flag(int name) {
  switch (name) {
    case SO_DEBUG:
    case SO_DONTROUTE:
    case SO_OOBINLINE:
    case SO_NO_CHECK:
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_RXQ_OVFL:
    case SO_WIFI_STATUS:
    case SO_NOFCS:
    case SO_LOCK_FILTER:
    case SO_SELECT_ERR_QUEUE:
    case SO_ZEROCOPY:
    case 63:  // SO_TIMESTAMP_NEW
    case 64:  // SO_TIMESTAMPNS_NEW
    case 69:  // SO_PREFER_BUSY_POLL
    case 75:  // SO_RCVMARK
      return true;
    default:
      return false;
  }
}

bool is_kept_number(int name) {
  switch (name) {
    case SO_PRIORITY:
    case SO_MARK:
    case SO_TIMESTAMPING:
    case SO_BUSY_POLL:
    case kPeekOff:
    case kMaxPacingRate:
    case kIncomingCpu:
    case 62:  // SO_BINDTOIFINDEX
      return true;
    default:
      return false;
  }
}

int default_number(int name) {
  return name == kPeekOff || name == kMaxPacingRate || name == kIncomingCpu ? -1 : 0;
}

// `struct ucred` of a socket without a peer's credentials.
struct NoCredentials {
  int32_t pid = 0;
  int32_t uid = -1;
  int32_t gid = -1;
};
struct LingerValue {
  int32_t on = 0;
  int32_t seconds = 0;
};

}  // namespace

void FakeSocket::changed() {
  if (!waiters_.empty()) waiters_.wake_all(host_.loop());
}

int FakeSocket::kept_option(int level, int name, int standard) const {
  const auto found = kept_options_.find({level, name});
  return found == kept_options_.end() ? standard : found->second;
}

Result<void> FakeSocket::keep_option(int level, int name, int value) {
  kept_options_[{level, name}] = value;
  return {};
}

void FakeSocket::inherit_options(const FakeSocket& from) {
  options_ = from.options_;
  send_buffer_set_ = from.send_buffer_set_;
  receive_buffer_set_ = from.receive_buffer_set_;
  kept_options_ = from.kept_options_;
}

Result<int64_t> FakeSocket::get_option(int level, int name) {
  if (level != SOL_SOCKET) return fail_with(EOPNOTSUPP);
  switch (name) {
    case SO_TYPE:
      return type_;
    case SO_DOMAIN:
      return domain_;
    case SO_PROTOCOL:
      return transport_ == Transport::kTcp ? 6 : transport_ == Transport::kUdp ? 17 : 0;
    case SO_ERROR: {
      const auto error = take_error();
      return error ? error->value() : 0;
    }
    case SO_REUSEADDR:
      return options_.reuse_address;
    case SO_REUSEPORT:
      return options_.reuse_port;
    case SO_BROADCAST:
      return options_.broadcast;
    case SO_KEEPALIVE:
      return options_.keepalive;
    case SO_SNDBUF:
      return options_.send_buffer;
    case SO_RCVBUF:
      return options_.receive_buffer;
    case SO_RCVLOWAT:
      return options_.receive_low_water;
    case SO_SNDLOWAT:
      return 1;
    case SO_LINGER:
      return (options_.linger.on ? 1 : 0) | int64_t{options_.linger.seconds} << 32;
    case SO_PEERCRED:
      return int64_t{-1} << 32;  // as far as it fits: pid 0, uid -1
    case SO_PEERNAME:
      return fail_with(ENOTCONN);
    case SO_PASSCRED:
    case SO_PASSSEC:
      return fail_with(EOPNOTSUPP);
    case SO_ACCEPTCONN:
    case SO_BSDCOMPAT:
    case SO_BINDTODEVICE:
    case SO_ATTACH_FILTER:
    case kMeminfo:
    case 56:  // SO_INCOMING_NAPI_ID
    case 61:  // SO_TXTIME
      return 0;
    case SO_BPF_EXTENSIONS:
      return kBpfExtensions;
    default:
      if (!is_kept_flag(name) && !is_kept_number(name)) return fail_with(ENOPROTOOPT);
      return kept_option(level, name, default_number(name));
  }
}

Result<void> FakeSocket::set_option(int level, int name, int64_t value) {
  if (level != SOL_SOCKET) return fail_with(ENOPROTOOPT);
  const bool on = value != 0;
  switch (name) {
    case SO_REUSEADDR:
      options_.reuse_address = on;
      return {};
    case SO_REUSEPORT:
      options_.reuse_port = on;
      return {};
    case SO_BROADCAST:
      options_.broadcast = on;
      return {};
    case SO_KEEPALIVE:
      options_.keepalive = on;
      return {};
    case SO_SNDBUF:
      options_.send_buffer = doubled(value, kSendBufferLeast);
      send_buffer_set_ = true;
      return {};
    case SO_RCVBUF:
      options_.receive_buffer = doubled(value, kReceiveBufferLeast);
      receive_buffer_set_ = true;
      return {};
    case SO_RCVLOWAT: {
      const int low_water = value < 0 ? std::numeric_limits<int>::max() : static_cast<int>(value);
      options_.receive_low_water = std::max(low_water, 1);
      return {};
    }
    case SO_BSDCOMPAT:
      return {};
    case SO_LINGER:
    case SO_BINDTODEVICE:
    case SO_ATTACH_FILTER:
      return fail_with(EINVAL);  // an int is not what they take
    case SO_PASSCRED:
    case SO_PASSSEC:
      return fail_with(EOPNOTSUPP);
    // These take a capability of the machine, not of the sandbox.
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
      return fail_with(EPERM);
    case SO_DEBUG:
      return on ? fail_with(EACCES) : keep_option(level, name, 0);
    case SO_BUSY_POLL:
      return value < 0 ? fail_with(EINVAL) : keep_option(level, name, static_cast<int>(value));
    default:
      if (is_kept_flag(name)) return keep_option(level, name, on ? 1 : 0);
      if (is_kept_number(name)) return keep_option(level, name, static_cast<int>(value));
      return fail_with(ENOPROTOOPT);
  }
}

Result<Bytes> FakeSocket::get_option_bytes(int level, int name, size_t size) {
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_LINGER:
        return option_bytes(LingerValue{options_.linger.on, options_.linger.seconds}, size);
      case SO_PEERCRED:
        return option_bytes(NoCredentials{}, size);
      case SO_RCVTIMEO:
      case SO_SNDTIMEO:
        return Bytes(std::min<size_t>(size, 16), '\0');
      case SO_BINDTODEVICE:
      case SO_ATTACH_FILTER:
        return Bytes();
      case kMeminfo:
        return Bytes(std::min<size_t>(size, 36), '\0');
      default:
        break;
    }
  }
  const auto value = get_option(level, name);
  if (!value) return fail_with(value.error());
  if (level == SOL_SOCKET && (name == kMaxPacingRate || name == kCookie)) {
    return option_bytes(*value, size);
  }
  return option_bytes(static_cast<int>(*value), size);
}

Result<void> FakeSocket::set_option_bytes(int level, int name, ByteView value) {
  if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
    const bool none = value.empty() || value[0] == '\0';
    return none ? Result<void>() : fail_with(ENODEV);
  }
  if (value.size() < sizeof(int)) return fail_with(EINVAL);
  if (level == SOL_SOCKET && name == SO_LINGER) {
    if (value.size() < sizeof(LingerValue)) return fail_with(EINVAL);
    LingerValue linger;
    std::memcpy(&linger, value.data(), sizeof(linger));
    set_linger({linger.on != 0, linger.seconds});
    return {};
  }
  if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
    return value.size() < 16 ? fail_with(EINVAL) : Result<void>();
  }
  int narrow = 0;
  std::memcpy(&narrow, value.data(), sizeof(narrow));
  return set_option(level, name, narrow);
}

// sk_setsockopt(): switching it off keeps the time.
void FakeSocket::set_linger(LingerOption linger) {
  if (!linger.on) {
    options_.linger.on = false;
    return;
  }
  options_.linger = linger;
}

Result<Credentials> FakeSocket::peer_credentials() const {
  return Credentials{0, -1, -1};
}

}  // namespace netrig
