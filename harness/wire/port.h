#pragma once
// A port of the wire: where the packets of one host's only device come out and go in. It knows no
// link and no world: packets are octets from the IP header on, with what the kernel left for a
// network card to do (wire_packet.h).

#include <cstdint>
#include <memory>
#include <string>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/wire/virtio_header.h"

namespace netrig {

enum class PortKind : uint8_t { kTun, kPacket };

// "TUN", "veth and AF_PACKET".
const char* port_kind_name(PortKind kind);

class Port {
 public:
  struct Received {
    virtio_net_hdr offload{};
    ByteView octets;  // until the next read() of this port
  };

  virtual ~Port() = default;

  virtual PortKind kind() const = 0;
  // Readable while a packet waits.
  virtual int descriptor() const = 0;
  // The next packet that the host has sent; false if none waits.
  virtual bool read(Received& received) = 0;
  // Gives the host a packet, in two pieces. EAGAIN, ENOBUFS: the kernel has no room for it now;
  // EINVAL: it is no packet.
  virtual Result<void> write(const virtio_net_hdr& offload, ByteView header, ByteView payload) = 0;
  // Packets that the port lost so far for want of room.
  virtual uint64_t lost() = 0;
};

}  // namespace netrig
