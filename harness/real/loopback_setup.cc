#include "harness/real/loopback_setup.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/net/host_address.h"

namespace netrig {
namespace {

constexpr int kLoopbackIndex = 1;  // lo is the first device of every network namespace
constexpr uint32_t kMtu = 1500;

// rtnetlink(7): requests packed one behind the other, the last one acknowledged.
class NetlinkBatch {
 public:
  void begin(uint16_t type, uint16_t flags, const void* body, size_t size) {
    start_ = buffer_.size();
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    append(&header, sizeof(header));
    append(body, size);
  }
  void attribute(uint16_t type, const void* value, size_t size) {
    rtattr header{};
    header.rta_type = type;
    header.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
    append(&header, sizeof(header));
    append(value, size);
  }
  void end() {
    nlmsghdr header{};
    std::memcpy(&header, buffer_.data() + start_, sizeof(header));
    header.nlmsg_len = static_cast<uint32_t>(buffer_.size() - start_);
    std::memcpy(buffer_.data() + start_, &header, sizeof(header));
  }
  size_t size() const { return buffer_.size(); }

  // Sends what was collected; the first error that the kernel answers.
  Result<void> send(int netlink);

 private:
  void append(const void* data, size_t size) {
    buffer_.append(static_cast<const char*>(data), size);
    buffer_.resize((buffer_.size() + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO);
  }

  Bytes buffer_;
  size_t start_ = 0;
};

Result<void> NetlinkBatch::send(int netlink) {
  if (buffer_.empty()) return {};
  nlmsghdr header{};
  std::memcpy(&header, buffer_.data() + start_, sizeof(header));
  header.nlmsg_flags |= NLM_F_ACK;
  header.nlmsg_seq = 1;  // the others have 0
  std::memcpy(buffer_.data() + start_, &header, sizeof(header));
  if (::send(netlink, buffer_.data(), buffer_.size(), 0) < 0) return fail_with(errno);
  buffer_.clear();
  Result<void> result;
  while (true) {
    std::array<char, 16384> answer{};
    const ssize_t size = ::recv(netlink, answer.data(), answer.size(), 0);
    if (size < 0) return fail_with(errno);
    size_t offset = 0;
    while (offset + sizeof(nlmsghdr) <= static_cast<size_t>(size)) {
      std::memcpy(&header, answer.data() + offset, sizeof(header));
      if (header.nlmsg_len < sizeof(nlmsghdr)) return fail_with(EBADMSG);
      if (header.nlmsg_type == NLMSG_ERROR) {
        nlmsgerr error{};
        std::memcpy(&error, answer.data() + offset + NLMSG_HDRLEN, sizeof(error));
        if (error.error != 0 && result) result = fail_with(-error.error);
        if (header.nlmsg_seq == 1) return result;
      }
      offset += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
}

std::unexpected<std::string> failure(std::string_view what, Errno error) {
  return std::unexpected(fmt::format("{}: {} ({})", what, error.text(), error.name()));
}

Result<void> bring_up(int netlink) {
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

Result<void> add_addresses(int netlink, size_t host_count, bool v6) {
  NetlinkBatch batch;
  for (size_t number = 1; number <= host_count; ++number) {
    const IpAddress address = host_address(number, v6, false);
    ifaddrmsg message{};
    message.ifa_family = v6 ? AF_INET6 : AF_INET;
    message.ifa_prefixlen = v6 ? 128 : 32;
    message.ifa_scope = RT_SCOPE_UNIVERSE;
    message.ifa_index = kLoopbackIndex;
    // RFC 4862 5.4 would make an IPv6 address unusable for a second: nobody else can have it here.
    const uint32_t flags = IFA_F_NODAD | IFA_F_PERMANENT;
    batch.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &message, sizeof(message));
    batch.attribute(IFA_LOCAL, address.octets().data(), v6 ? 16 : 4);
    batch.attribute(IFA_ADDRESS, address.octets().data(), v6 ? 16 : 4);
    batch.attribute(IFA_FLAGS, &flags, sizeof(flags));
    batch.end();
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
  const Fd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!netlink || !control) return failure("cannot open a netlink socket", Errno(errno));
  if (auto done = bring_up(netlink.get()); !done)
    return failure("cannot bring lo up", done.error());
  if (auto done = switch_off_offloads(control.get()); !done) {
    return failure("cannot switch off segmentation offload on lo", done.error());
  }
  if (auto done = add_addresses(netlink.get(), host_count, false); !done) {
    return failure("cannot add IPv4 addresses to lo", done.error());
  }
  // A kernel without IPv6, or with it disabled, still runs everything else.
  if (::access("/proc/sys/net/ipv6/conf/lo", F_OK) == 0) {
    if (auto done = add_addresses(netlink.get(), host_count, true); !done) {
      if (done.error() != Errno(EACCES) && done.error() != Errno(EOPNOTSUPP)) {
        return failure("cannot add IPv6 addresses to lo", done.error());
      }
    }
  }
  return {};
}

}  // namespace netrig
