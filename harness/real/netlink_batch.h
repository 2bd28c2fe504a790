#pragma once
// Requests to rtnetlink(7), packed one behind the other and sent in one call, the last one
// acknowledged. Knows no device and no address: who sets up a network says what is asked. In the
// network namespace that the socket was opened in.

#include <cstdint>
#include <string_view>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/net/endpoint.h"

namespace netrig {

// A socket for them, in the calling thread's network namespace.
Result<Fd> open_netlink();

class NetlinkBatch {
 public:
  // `body`: the message's fixed part (ifinfomsg, ifaddrmsg, rtmsg).
  void begin(uint16_t type, uint16_t flags, const void* body, size_t size);
  void attribute(uint16_t type, const void* value, size_t size);
  void attribute(uint16_t type, uint32_t value) { attribute(type, &value, sizeof(value)); }
  void attribute(uint16_t type, std::string_view text);  // with its final NUL
  // What comes until the matching end_nested() lies inside.
  size_t begin_nested(uint16_t type);
  void end_nested(size_t start);
  // Octets as they are, aligned: the fixed part of a nested message (veth's peer).
  void octets(const void* data, size_t size) { append(data, size); }
  void end();
  size_t size() const { return buffer_.size(); }

  // The whole request that gives a device an address of its own, without a network around it.
  void add_address(int device, const IpAddress& address);

  // Sends what was collected; the first error that the kernel answers.
  Result<void> send(const Fd& netlink);

 private:
  void append(const void* data, size_t size);

  Bytes buffer_;
  size_t start_ = 0;
};

}  // namespace netrig
