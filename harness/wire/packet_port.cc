#include "harness/wire/packet_port.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace netrig {
namespace {

// A frame must hold the largest packet (65535 octets, Ethernet's header, virtio's and the ring's
// own).
constexpr size_t kFrameOctets = size_t{66} << 10;
constexpr size_t kFramesInBlock = PacketPort::kBlockOctets / kFrameOctets;

Result<void> set(int socket, int option, int value) {
  if (::setsockopt(socket, SOL_PACKET, option, &value, sizeof(value)) != 0) return fail_with(errno);
  return {};
}

tpacket2_hdr* frame(char* ring, size_t index) {
  return reinterpret_cast<tpacket2_hdr*>(ring + index / kFramesInBlock * PacketPort::kBlockOctets +
                                         index % kFramesInBlock * kFrameOctets);
}

std::atomic_ref<uint32_t> status(tpacket2_hdr* header) {
  return std::atomic_ref<uint32_t>(header->tp_status);
}

}  // namespace

Result<std::unique_ptr<Port>> PacketPort::open(int device, size_t blocks) {
  Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail_with(errno);
  const std::pair<int, int> options[] = {
      {PACKET_VERSION, TPACKET_V2}, {PACKET_VNET_HDR, 1}, {PACKET_IGNORE_OUTGOING, 1}};
  for (const auto& [option, value] : options) {
    if (auto done = set(socket.get(), option, value); !done) return fail_with(done.error());
  }
  // As large as the machine allows.
  const int octets = 1 << 26;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
  tpacket_req request{};
  request.tp_block_size = kBlockOctets;
  request.tp_block_nr = static_cast<unsigned int>(blocks);
  request.tp_frame_size = kFrameOctets;
  request.tp_frame_nr = static_cast<unsigned int>(blocks * kFramesInBlock);
  if (::setsockopt(socket.get(), SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0) {
    return fail_with(errno);
  }
  void* ring =
      ::mmap(nullptr, kBlockOctets * blocks, PROT_READ | PROT_WRITE, MAP_SHARED, socket.get(), 0);
  if (ring == MAP_FAILED) return fail_with(errno);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = device;
  std::unique_ptr<Port> port(new PacketPort(std::move(socket), static_cast<char*>(ring), blocks));
  if (::bind(port->descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_with(errno);
  }
  return port;
}

PacketPort::PacketPort(Fd socket, char* ring, size_t blocks)
    : socket_(std::move(socket)), ring_(ring), blocks_(blocks) {}

PacketPort::~PacketPort() {
  ::munmap(ring_, kBlockOctets * blocks_);
}

bool PacketPort::read(Received& received) {
  const size_t frames = blocks_ * kFramesInBlock;
  while (true) {
    if (held_) {
      const size_t before = (next_ + frames - 1) % frames;
      status(frame(ring_, before)).store(TP_STATUS_KERNEL, std::memory_order_release);
      held_ = false;
    }
    tpacket2_hdr* header = frame(ring_, next_);
    if ((status(header).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return false;
    next_ = (next_ + 1) % frames;
    held_ = true;
    // The kernel's numbers: within the frame.
    const char* start = reinterpret_cast<const char*>(header) + header->tp_mac;
    const size_t size = header->tp_snaplen;
    if (size <= ETH_HLEN || size < header->tp_len) continue;
    std::memcpy(&received.offload, start - sizeof(virtio_net_hdr), sizeof(virtio_net_hdr));
    if ((received.offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
      received.offload.csum_start = static_cast<uint16_t>(received.offload.csum_start - ETH_HLEN);
    }
    received.octets = ByteView(start + ETH_HLEN, size - ETH_HLEN);
    return true;
  }
}

Result<void> PacketPort::write(const virtio_net_hdr& offload, ByteView header, ByteView payload) {
  if (header.empty()) return fail_with(EINVAL);
  virtio_net_hdr shifted = offload;
  if ((shifted.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
    shifted.csum_start = static_cast<uint16_t>(shifted.csum_start + ETH_HLEN);
  }
  shifted.hdr_len = static_cast<uint16_t>(shifted.hdr_len + ETH_HLEN);
  ethhdr ethernet{};
  std::memcpy(ethernet.h_dest, kMac, sizeof(kMac));
  std::memcpy(ethernet.h_source, kMac, sizeof(kMac));
  const bool v6 = (static_cast<uint8_t>(header[0]) >> 4) == 6;
  ethernet.h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
  const std::array<iovec, 4> parts{iovec{&shifted, sizeof(shifted)},
                                   iovec{&ethernet, sizeof(ethernet)},
                                   iovec{const_cast<char*>(header.data()), header.size()},
                                   iovec{const_cast<char*>(payload.data()), payload.size()}};
  while (::writev(socket_.get(), parts.data(), payload.empty() ? 3 : 4) < 0) {
    if (errno != EINTR) return fail_with(errno);
  }
  return {};
}

uint64_t PacketPort::lost() {
  tpacket_stats told{};
  socklen_t length = sizeof(told);
  // packet(7): asking sets the kernel's counter to 0.
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &told, &length) == 0) {
    lost_ += told.tp_drops;
  }
  return lost_;
}

}  // namespace netrig
