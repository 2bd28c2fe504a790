#include "harness/wire/wire_network.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sched.h>
#include <sstream>

#include "harness/base/require.h"
#include "harness/real/loopback_setup.h"
#include "harness/real/netlink_batch.h"
#include "harness/real/sandbox_parts.h"
#include "harness/wire/devices.h"
#include "harness/wire/packet_port.h"
#include "harness/wire/tun_port.h"

namespace netrig {
namespace {

constexpr const char* kDevice = "eth0";
constexpr size_t kRingBlocks = 64;  // of all packet ports together
constexpr size_t kRingBlocksOfOne = 16;

std::unexpected<std::string> failure(std::string_view what, Errno error) {
  return std::unexpected(fmt::format("{}: {} ({})", what, error.text(), error.name()));
}

// proc_net_tcp of the kernel's documentation: "sl: local remote state ...", states in hex as
// include/net/tcp_states.h numbers them.
bool repeats_segments(const char* table) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the headings
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    fields >> number >> local >> remote >> state;
    // SYN_SENT, SYN_RECV, FIN_WAIT1, LAST_ACK, CLOSING
    for (const char* repeating : {"02", "03", "04", "09", "0B"}) {
      if (state == repeating) return true;
    }
  }
  return false;
}

std::string port_name(size_t host) {
  return fmt::format("port{}", host + 1);
}

}  // namespace

std::expected<std::unique_ptr<WireNetwork>, std::string> WireNetwork::make(
    const WireNetworkOptions& options) {
  NETRIG_REQUIRE(options.host_count >= 1 && options.host_count <= kWireHostsMax);
  std::unique_ptr<WireNetwork> network(new WireNetwork());
  network->own_space_ = Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!network->own_space_)
    return std::unexpected(system_error("cannot open /proc/thread-self/ns/net"));
  network->hosts_.resize(options.host_count);
  network->kind_ = options.kind;
  for (size_t host = 0; host < options.host_count; ++host) {
    auto made = network->make_host(host, options);
    const bool back = ::setns(network->own_space_.get(), CLONE_NEWNET) == 0;
    if (!made) return std::unexpected(made.error());
    if (!back) return std::unexpected(system_error("cannot leave a host's network (setns)"));
    if (network->kind() != PortKind::kPacket) continue;
    if (auto ready = await_carrier(port_name(host).c_str()); !ready) {
      return failure("a port of the wire does not come up", ready.error());
    }
  }
  return network;
}

std::expected<void, std::string> WireNetwork::make_host(size_t host,
                                                        const WireNetworkOptions& options) {
  if (::unshare(CLONE_NEWNET) != 0) {
    return std::unexpected(system_error("cannot make a network namespace for a host (unshare)"));
  }
  Host& made = hosts_[host];
  made.space = Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!made.space) return std::unexpected(system_error("cannot open /proc/thread-self/ns/net"));
  set_up_kernel_settings(options.tcp);
  // Before any device is there: they begin with it.
  silence("default");
  if (auto done = set_up_loopback(0); !done) return done;
  auto port = make_port(host, options);
  if (!port) return failure("cannot make a port of the wire", port.error());
  made.port = std::move(*port);
  silence(kDevice);
  const auto netlink = open_netlink();
  const auto device = device_index(kDevice);
  if (!netlink || !device) {
    return failure("cannot find the host's device", netlink ? device.error() : netlink.error());
  }
  const bool veth = made.port->kind() == PortKind::kPacket;
  NetlinkBatch batch;
  if (veth && options.exact_segments) switch_off_segmentation(batch, *device);
  bring_up(batch, *device);
  if (auto done = batch.send(*netlink); !done) {
    return failure("cannot bring a host's device up", done.error());
  }
  if (veth) {
    if (auto ready = await_carrier(kDevice); !ready) {
      return failure("a host's device does not come up", ready.error());
    }
  }
  if (auto done = set_addresses(*netlink, *device, host, options.host_count); !done) {
    return failure("cannot give a host its addresses", done.error());
  }
  return {};
}

// TUN where it can be had, for it is faster; all hosts have the same kind.
Result<std::unique_ptr<Port>> WireNetwork::make_port(size_t host,
                                                     const WireNetworkOptions& options) {
  if (kind_ != PortKind::kPacket) {
    auto tun = TunPort::open(kDevice, options.exact_segments);
    if (tun || kind_) {
      kind_ = PortKind::kTun;
      return tun;
    }
    kind_ = PortKind::kPacket;
  }
  return make_veth(host, options);
}

Result<std::unique_ptr<Port>> WireNetwork::make_veth(size_t host,
                                                     const WireNetworkOptions& options) {
  const auto netlink = open_netlink();
  if (!netlink) return fail_with(netlink.error());
  if (auto made = add_veth(*netlink, kDevice, port_name(host), own_space_); !made) {
    return fail_with(made.error());
  }
  if (::setns(own_space_.get(), CLONE_NEWNET) != 0) return fail_with(errno);
  silence(port_name(host).c_str());
  const auto here = open_netlink();
  const auto device = device_index(port_name(host).c_str());
  if (!here || !device) return fail_with(here ? device.error() : here.error());
  NetlinkBatch batch;
  bring_up(batch, *device);
  if (auto done = batch.send(*here); !done) return fail_with(done.error());
  const size_t blocks = std::clamp<size_t>(kRingBlocks / options.host_count, 2, kRingBlocksOfOne);
  auto port = PacketPort::open(*device, blocks);
  if (::setns(hosts_[host].space.get(), CLONE_NEWNET) != 0) return fail_with(errno);
  return port;
}

void WireNetwork::enter(std::optional<size_t> host) {
  if (entered_ == host) return;
  const Fd& space = host ? hosts_[*host].space : own_space_;
  // It was entered before, when it was made.
  NETRIG_REQUIRE(::setns(space.get(), CLONE_NEWNET) == 0);
  entered_ = host;
}

// /proc/net/dev, of the namespace that the thread is in: "eth0: octets packets errs drop ..." of
// what came in, and the same of what went out.
WireNetwork::Drops WireNetwork::drops(size_t host) {
  const auto before = entered_;
  enter(host);
  Drops drops;
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line.substr(0, colon).find(kDevice) == std::string::npos) continue;
    std::istringstream fields(line.substr(colon + 1));
    std::array<uint64_t, 16> field{};
    for (uint64_t& one : field) fields >> one;
    drops = {.sent = field[11], .received = field[3]};
  }
  enter(before);
  drops.sent += hosts_[host].port->lost();
  return drops;
}

bool WireNetwork::repeats_segments() {
  const auto before = entered_;
  bool any = false;
  for (size_t host = 0; host < hosts_.size() && !any; ++host) {
    enter(host);
    any = netrig::repeats_segments("/proc/thread-self/net/tcp") ||
          netrig::repeats_segments("/proc/thread-self/net/tcp6");
  }
  enter(before);
  return any;
}

}  // namespace netrig
