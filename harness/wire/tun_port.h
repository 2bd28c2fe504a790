#pragma once
// A port by TUN (the kernel's Documentation/networking/tuntap.rst) with IFF_VNET_HDR: the host's
// device is the TUN itself, in the network namespace in which it was opened.

#include <memory>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/wire/port.h"

namespace netrig {

class TunPort final : public Port {
 public:
  // Makes the device in the calling thread's network namespace. `exact`: the kernel cuts packets
  // into segments itself. ENOENT, EACCES: /dev/net/tun cannot be opened.
  static Result<std::unique_ptr<Port>> open(const char* device, bool exact);

  PortKind kind() const override { return PortKind::kTun; }
  int descriptor() const override { return tun_.get(); }
  bool read(Received& received) override;
  Result<void> write(const virtio_net_hdr& offload, ByteView header, ByteView payload) override;
  uint64_t lost() override { return 0; }  // the device's own counters tell

 private:
  explicit TunPort(Fd tun);

  Fd tun_;
  std::vector<char> buffer_;
};

}  // namespace netrig
