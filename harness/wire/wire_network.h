#pragma once
// The hosts of a wire: a network namespace each, with a loopback, one device with the host's
// addresses and ways to all other hosts, and the port behind it. Made in the sandbox, before its
// mounts, and gone with it. It carries nothing: that is the wire's work (wire_path.h).

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/real/sandbox.h"
#include "harness/wire/port.h"

namespace netrig {

inline constexpr size_t kWireHostsMax = 64;

struct WireNetworkOptions {
  size_t host_count = 2;
  std::optional<PortKind> kind;  // empty: TUN if it can be opened, else veth
  bool exact_segments = false;   // the kernel gives no packet larger than the MTU
  TcpSettings tcp = {};
};

class WireNetwork {
 public:
  // In the calling thread's network namespace, in which it may do everything (CAP_NET_ADMIN,
  // CAP_SYS_ADMIN); the thread is there again afterwards. The error is a sentence.
  static std::expected<std::unique_ptr<WireNetwork>, std::string> make(
      const WireNetworkOptions& options);
  WireNetwork(const WireNetwork&) = delete;
  WireNetwork& operator=(const WireNetwork&) = delete;

  size_t size() const { return hosts_.size(); }
  Port& port(size_t host) { return *hosts_[host].port; }
  PortKind kind() const { return hosts_.front().port->kind(); }

  // Sockets that the calling thread opens from now on, and processes that it starts, are the
  // host's; empty: the sandbox's own.
  void enter(std::optional<size_t> host);

  // The kernel's counters of packets that were lost at a host's device without anybody's order.
  struct Drops {
    uint64_t sent = 0;      // by the host, on their way to the port
    uint64_t received = 0;  // written to the port, on their way to the host
  };
  Drops drops(size_t host);

  // True if a TCP connection of any host is in its handshake or farewell, and so sends its segment
  // again until it is answered (RFC 9293 section 3.8.1): also one that no socket belongs to yet, or
  // any more.
  bool repeats_segments();

 private:
  struct Host {
    Fd space;
    std::unique_ptr<Port> port;
  };
  WireNetwork() = default;
  std::expected<void, std::string> make_host(size_t host, const WireNetworkOptions& options);
  Result<std::unique_ptr<Port>> make_port(size_t host, const WireNetworkOptions& options);
  Result<std::unique_ptr<Port>> make_veth(size_t host, const WireNetworkOptions& options);

  Fd own_space_;
  std::vector<Host> hosts_;
  std::optional<size_t> entered_;
  std::optional<PortKind> kind_;
};

}  // namespace netrig
