#include "harness/real/netlink_batch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace netrig {

Result<Fd> open_netlink() {
  Fd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink) return fail_with(errno);
  return netlink;
}

void NetlinkBatch::begin(uint16_t type, uint16_t flags, const void* body, size_t size) {
  start_ = buffer_.size();
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  append(&header, sizeof(header));
  append(body, size);
}

void NetlinkBatch::attribute(uint16_t type, const void* value, size_t size) {
  rtattr header{};
  header.rta_type = type;
  header.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  append(&header, sizeof(header));
  append(value, size);
}

void NetlinkBatch::attribute(uint16_t type, std::string_view text) {
  const Bytes terminated(text);
  attribute(type, terminated.c_str(), terminated.size() + 1);
}

size_t NetlinkBatch::begin_nested(uint16_t type) {
  const size_t start = buffer_.size();
  rtattr header{};
  header.rta_type = type;
  append(&header, sizeof(header));
  return start;
}

void NetlinkBatch::end_nested(size_t start) {
  const auto length = static_cast<unsigned short>(buffer_.size() - start);
  std::memcpy(buffer_.data() + start, &length, sizeof(length));  // rtattr begins with its length
}

void NetlinkBatch::end() {
  nlmsghdr header{};
  std::memcpy(&header, buffer_.data() + start_, sizeof(header));
  header.nlmsg_len = static_cast<uint32_t>(buffer_.size() - start_);
  std::memcpy(buffer_.data() + start_, &header, sizeof(header));
}

void NetlinkBatch::add_address(int device, const IpAddress& address) {
  ifaddrmsg message{};
  message.ifa_family = address.is_v6() ? AF_INET6 : AF_INET;
  message.ifa_prefixlen = address.is_v6() ? 128 : 32;
  message.ifa_scope = RT_SCOPE_UNIVERSE;
  message.ifa_index = static_cast<uint32_t>(device);
  begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &message, sizeof(message));
  const size_t size = address.is_v6() ? 16 : 4;
  attribute(IFA_LOCAL, address.octets().data(), size);
  attribute(IFA_ADDRESS, address.octets().data(), size);
  // RFC 4862 5.4 would make an IPv6 address unusable for a second: nobody else can have it here.
  attribute(IFA_FLAGS, uint32_t{IFA_F_NODAD | IFA_F_PERMANENT});
  end();
}

void NetlinkBatch::append(const void* data, size_t size) {
  buffer_.append(static_cast<const char*>(data), size);
  buffer_.resize((buffer_.size() + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO);
}

Result<void> NetlinkBatch::send(const Fd& netlink) {
  if (buffer_.empty()) return {};
  nlmsghdr header{};
  std::memcpy(&header, buffer_.data() + start_, sizeof(header));
  header.nlmsg_flags |= NLM_F_ACK;
  header.nlmsg_seq = 1;  // the others have 0
  std::memcpy(buffer_.data() + start_, &header, sizeof(header));
  if (::send(netlink.get(), buffer_.data(), buffer_.size(), 0) < 0) return fail_with(errno);
  buffer_.clear();
  Result<void> result;
  while (true) {
    std::array<char, 16384> answer{};
    const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
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

}  // namespace netrig
