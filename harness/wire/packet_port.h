#pragma once
// A port by AF_PACKET (packet(7)) with PACKET_VNET_HDR on one end of a veth(4) pair, for machines
// on which nobody but root may open /dev/net/tun: the host's device is the other end. Packets come
// through a ring in shared memory (TPACKET_V2).

#include <cstddef>
#include <memory>

#include "harness/base/fd.h"
#include "harness/wire/port.h"

namespace netrig {

class PacketPort final : public Port {
 public:
  // The pair's MAC address, the same at both ends and in all pairs: nobody asks for it.
  static constexpr unsigned char kMac[6] = {0x02, 0, 0, 0, 0, 0x01};

  // `device`: the index of this end, in the calling thread's network namespace.
  // `blocks`: the ring's size, kBlockOctets each.
  static Result<std::unique_ptr<Port>> open(int device, size_t blocks);
  static constexpr size_t kBlockOctets = size_t{2} << 20;  // what the kernel allocates at once
  ~PacketPort() override;

  PortKind kind() const override { return PortKind::kPacket; }
  int descriptor() const override { return socket_.get(); }
  bool read(Received& received) override;
  Result<void> write(const virtio_net_hdr& offload, ByteView header, ByteView payload) override;
  uint64_t lost() override;

 private:
  PacketPort(Fd socket, char* ring, size_t blocks);

  Fd socket_;
  char* ring_;
  size_t blocks_;
  size_t next_ = 0;    // the frame that is read next
  bool held_ = false;  // the frame before it still belongs to us
  uint64_t lost_ = 0;
};

}  // namespace netrig
