#include "harness/real/loopback_setup.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/net/host_address.h"
#include "harness/real/netlink_batch.h"

namespace netrig {
namespace {

constexpr int kLoopbackIndex = 1;  // lo is the first device of every network namespace
constexpr uint32_t kMtu = 1500;

std::unexpected<std::string> failure(std::string_view what, Errno error) {
  return std::unexpected(fmt::format("{}: {} ({})", what, error.text(), error.name()));
}

Result<void> bring_up(const Fd& netlink) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = kLoopbackIndex;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, 0, &link, sizeof(link));
  batch.attribute(IFLA_MTU, &kMtu, sizeof(kMtu));
  batch.end();
  return batch.send(netlink);
}

Result<void> add_addresses(const Fd& netlink, size_t host_count, bool v6) {
  NetlinkBatch batch;
  for (size_t number = 1; number <= host_count; ++number) {
    batch.add_address(kLoopbackIndex, host_address(number, v6, false));
    if (batch.size() > 16'000 || number == host_count) {
      auto sent = batch.send(netlink);
      if (!sent) return sent;
    }
  }
  return {};
}

// Without offloads no captured packet is larger than the MTU, as on a real wire.
Result<void> switch_off_offloads(int control) {
  for (const uint32_t command : {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
    ethtool_value value{};
    value.cmd = command;
    value.data = 0;
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(control, SIOCETHTOOL, &request) != 0 && errno != EOPNOTSUPP) {
      return fail_with(errno);
    }
  }
  return {};
}

}  // namespace

std::expected<void, std::string> set_up_loopback(size_t host_count) {
  const auto netlink = open_netlink();
  if (!netlink) return failure("cannot open a netlink socket", netlink.error());
  const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return failure("cannot open a socket", Errno(errno));
  if (auto done = bring_up(*netlink); !done) return failure("cannot bring lo up", done.error());
  if (auto done = switch_off_offloads(control.get()); !done) {
    return failure("cannot switch off segmentation offload on lo", done.error());
  }
  if (auto done = add_addresses(*netlink, host_count, false); !done) {
    return failure("cannot add IPv4 addresses to lo", done.error());
  }
  // A kernel without IPv6, or with it disabled, still runs everything else.
  if (::access("/proc/sys/net/ipv6/conf/lo", F_OK) == 0) {
    if (auto done = add_addresses(*netlink, host_count, true); !done) {
      if (done.error() != Errno(EACCES) && done.error() != Errno(EOPNOTSUPP)) {
        return failure("cannot add IPv6 addresses to lo", done.error());
      }
    }
  }
  return {};
}

}  // namespace netrig
