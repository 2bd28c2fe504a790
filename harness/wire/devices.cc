#include "harness/wire/devices.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/time.h"
#include "harness/net/host_address.h"
#include "harness/real/sandbox_parts.h"
#include "harness/real/sockaddr.h"
#include "harness/wire/packet_port.h"

namespace netrig {
namespace {

constexpr uint8_t kOperationalUp = 6;      // IF_OPER_UP of linux/if.h
constexpr uint32_t kQueueLength = 16'384;  // packets that wait for netrig at a TUN

bool has_v6() {
  return ::access("/proc/sys/net/ipv6/conf/all", F_OK) == 0;
}

void add_route(NetlinkBatch& batch, int device, const IpAddress& to) {
  rtmsg route{};
  route.rtm_family = to.is_v6() ? AF_INET6 : AF_INET;
  route.rtm_dst_len = to.is_v6() ? 128 : 32;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = to.is_v6() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  route.rtm_type = RTN_UNICAST;
  batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof(route));
  batch.attribute(RTA_DST, to.octets().data(), to.is_v6() ? 16 : 4);
  batch.attribute(RTA_OIF, static_cast<uint32_t>(device));
  batch.end();
}

// Until `done`, asked again and again; ETIMEDOUT after a second.
template <typename Done>
Result<void> await(const Done& done) {
  constexpr Duration kLongest = 1s;
  constexpr Duration kPause = 100us;
  for (Duration waited{0}; !done(); waited += kPause) {
    if (waited > kLongest) return fail_with(ETIMEDOUT);
    ::usleep(static_cast<useconds_t>(kPause / 1us));
  }
  return {};
}

// The kernel adds the way to an IPv6 address of its own in a work queue (addrconf_dad_work of
// net/ipv6/addrconf.c); packets that come before are for nobody.
Result<void> await_address(const IpAddress& own) {
  const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address = to_socket_address(Endpoint(own, 9));
  return await([&] { return ::connect(socket.get(), address->get(), address->length) == 0; });
}

// RFC 2863's state of a device (IF_OPER_UP, ...), as rtnetlink(7) tells it; empty if it tells none.
std::optional<uint8_t> operational_state(const Fd& netlink, int device) {
  struct {
    nlmsghdr header{};
    ifinfomsg link{};
  } request;
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.link.ifi_index = device;
  if (::send(netlink.get(), &request, sizeof(request), 0) < 0) return std::nullopt;
  std::array<char, 32768> answer{};
  const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
  size_t offset = NLMSG_LENGTH(sizeof(ifinfomsg));
  while (size > 0 && offset + sizeof(rtattr) < static_cast<size_t>(size)) {
    rtattr attribute{};
    std::memcpy(&attribute, answer.data() + offset, sizeof(attribute));
    if (attribute.rta_len < sizeof(attribute)) break;
    if (attribute.rta_type == IFLA_OPERSTATE) {
      return static_cast<uint8_t>(answer[offset + sizeof(attribute)]);
    }
    offset += RTA_ALIGN(attribute.rta_len);
  }
  return std::nullopt;
}

}  // namespace

Result<int> device_index(const char* name) {
  const unsigned int index = ::if_nametoindex(name);
  if (index == 0) return fail_with(errno);
  return static_cast<int>(index);
}

void bring_up(NetlinkBatch& batch, int device) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = device;
  link.ifi_flags = IFF_UP | IFF_NOARP;
  link.ifi_change = IFF_UP | IFF_NOARP;
  batch.begin(RTM_NEWLINK, 0, &link, sizeof(link));
  batch.attribute(IFLA_MTU, kWireMtu);
  batch.attribute(IFLA_TXQLEN, kQueueLength);
  batch.end();
}

Result<void> set_addresses(const Fd& netlink, int device, size_t own, size_t host_count) {
  for (const bool v6 : {false, true}) {
    if (v6 && !has_v6()) break;
    NetlinkBatch batch;
    batch.add_address(device, host_address(own + 1, v6, false));
    for (size_t host = 0; host < host_count; ++host) {
      if (host != own) add_route(batch, device, host_address(host + 1, v6, false));
    }
    if (auto sent = batch.send(netlink); !sent) {
      // Where IPv6 is switched off the rest works, as on lo.
      const bool no_v6 = sent.error() == Errno(EACCES) || sent.error() == Errno(EOPNOTSUPP);
      if (v6 && no_v6) break;
      return sent;
    }
    if (v6) return await_address(host_address(own + 1, v6, false));
  }
  return {};
}

void silence(const char* device) {
  const std::string folder = fmt::format("/proc/sys/net/ipv6/conf/{}/", device);
  for (const auto& [name, value] : {std::pair("addr_gen_mode", "1"), std::pair("accept_ra", "0"),
                                    std::pair("router_solicitations", "0")}) {
    static_cast<void>(write_file(folder + name, value));
  }
}

void switch_off_segmentation(NetlinkBatch& batch, int device) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = device;
  batch.begin(RTM_NEWLINK, 0, &link, sizeof(link));
  batch.attribute(IFLA_GSO_MAX_SEGS, uint32_t{1});
  batch.end();
}

// The work queue of net/core/link_watch.c marks a device as up and then gives its queue over, which
// lost every packet until then and counted none; both under the lock that a change takes, too.
// (IFF_RUNNING is set from the start, while the state is not known.)
Result<void> await_carrier(const char* device) {
  const auto netlink = open_netlink();
  const auto index = device_index(device);
  if (!netlink || !index) return fail_with(netlink ? index.error() : netlink.error());
  auto up = await([&] { return operational_state(*netlink, *index) == kOperationalUp; });
  if (!up) return up;
  NetlinkBatch batch;
  bring_up(batch, *index);
  return batch.send(*netlink);
}

Result<void> add_veth(const Fd& netlink, const char* device, const std::string& peer,
                      const Fd& there) {
  NetlinkBatch batch;
  const ifinfomsg link{};
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
  batch.attribute(IFLA_IFNAME, std::string_view(device));
  batch.attribute(IFLA_ADDRESS, PacketPort::kMac, sizeof(PacketPort::kMac));
  const size_t info = batch.begin_nested(IFLA_LINKINFO);
  batch.attribute(IFLA_INFO_KIND, std::string_view("veth"));
  const size_t data = batch.begin_nested(IFLA_INFO_DATA);
  const size_t other = batch.begin_nested(VETH_INFO_PEER);
  batch.octets(&link, sizeof(link));
  batch.attribute(IFLA_IFNAME, std::string_view(peer));
  batch.attribute(IFLA_ADDRESS, PacketPort::kMac, sizeof(PacketPort::kMac));
  batch.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(there.get()));
  batch.end_nested(other);
  batch.end_nested(data);
  batch.end_nested(info);
  batch.end();
  return batch.send(netlink);
}

}  // namespace netrig
