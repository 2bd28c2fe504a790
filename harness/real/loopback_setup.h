#pragma once
// Brings up lo of a fresh network namespace by netlink and ioctl, without a helper program: MTU
// 1500, no segmentation offload, the addresses of the hosts. Needs CAP_NET_ADMIN there.

#include <cstddef>
#include <expected>
#include <string>

namespace netrig {

// The error is a sentence that names the step and the errno.
std::expected<void, std::string> set_up_loopback(size_t host_count);

}  // namespace netrig
