#include "harness/wire/tun_port.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

namespace netrig {
namespace {

constexpr size_t kPacketMax = 65'536 + 64;
// Linux 6.2; older kernels refuse them, and cut UDP's segments themselves.
constexpr unsigned long kTunUdpSegments = 0x20 | 0x40;  // TUN_F_USO4, TUN_F_USO6

bool set_offloads(int tun, bool exact) {
  const unsigned long segments = exact ? 0 : TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (!exact && ::ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | segments | kTunUdpSegments) == 0) {
    return true;
  }
  return ::ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | segments) == 0;
}

}  // namespace

Result<std::unique_ptr<Port>> TunPort::open(const char* device, bool exact) {
  Fd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tun) return fail_with(errno);
  ifreq request{};
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) return fail_with(errno);
  const int header_size = sizeof(virtio_net_hdr);
  if (::ioctl(tun.get(), TUNSETVNETHDRSZ, &header_size) != 0) return fail_with(errno);
  if (!set_offloads(tun.get(), exact)) return fail_with(errno);
  // Its end waits for every CPU, some 20 ms: not ours, when the descriptor is closed, but that of
  // the network namespace, which the kernel takes down by the way.
  ::ioctl(tun.get(), TUNSETPERSIST, 1);
  return std::unique_ptr<Port>(new TunPort(std::move(tun)));
}

TunPort::TunPort(Fd tun) : tun_(std::move(tun)), buffer_(kPacketMax) {}

bool TunPort::read(Received& received) {
  const std::array<iovec, 2> parts{iovec{&received.offload, sizeof(received.offload)},
                                   iovec{buffer_.data(), buffer_.size()}};
  while (true) {
    const ssize_t size = ::readv(tun_.get(), parts.data(), parts.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= static_cast<ssize_t>(sizeof(received.offload))) return false;
    received.octets = ByteView(buffer_.data(), static_cast<size_t>(size) - sizeof(virtio_net_hdr));
    return true;
  }
}

Result<void> TunPort::write(const virtio_net_hdr& offload, ByteView header, ByteView payload) {
  // writev(2) does not change what it is given.
  const std::array<iovec, 3> parts{iovec{const_cast<virtio_net_hdr*>(&offload), sizeof(offload)},
                                   iovec{const_cast<char*>(header.data()), header.size()},
                                   iovec{const_cast<char*>(payload.data()), payload.size()}};
  while (::writev(tun_.get(), parts.data(), payload.empty() ? 2 : 3) < 0) {
    if (errno != EINTR) return fail_with(errno);
  }
  return {};
}

const char* port_kind_name(PortKind kind) {
  return kind == PortKind::kTun ? "TUN" : "veth and AF_PACKET";
}

}  // namespace netrig
