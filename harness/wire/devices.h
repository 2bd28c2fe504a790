#pragma once
// Network devices of a wire and what rtnetlink(7) is asked for them, in the network namespace of
// the calling thread. Whoever makes a network says which ones there are.

#include <cstddef>
#include <string>

#include "harness/base/errno.h"
#include "harness/base/fd.h"
#include "harness/real/netlink_batch.h"

namespace netrig {

inline constexpr uint32_t kWireMtu = 1500;  // as in the other worlds

// ENODEV: there is none of that name.
Result<int> device_index(const char* name);

// A request that brings a device up as a wire needs it: no address resolution, a long queue.
void bring_up(NetlinkBatch& batch, int device);

// Host `own`'s addresses, and a way to each other host and to nobody else, so that an address of
// nobody is as unreachable as in the other worlds. Hosts are counted from 0. They can be reached
// when it returns.
Result<void> set_addresses(const Fd& netlink, int device, size_t own, size_t host_count);

// No IPv6 address of its own making, no solicitations: nobody would answer (RFC 4862 section 5.3).
// "default": of devices to come.
void silence(const char* device);

// A request after which the kernel cuts what TCP and UDP send (udp(7), UDP_SEGMENT) before it gives
// it to the device.
void switch_off_segmentation(NetlinkBatch& batch, int device);

// Until packets pass a device that has come up: the kernel gets that ready behind our back, and
// silently drops what is sent before. Of veth; ETIMEDOUT: not within a second.
Result<void> await_carrier(const char* device);

// A pair of veth(4): `device` here, its peer in the namespace `there`. Both have the same MAC
// address.
Result<void> add_veth(const Fd& netlink, const char* device, const std::string& peer,
                      const Fd& there);

}  // namespace netrig
