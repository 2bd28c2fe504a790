#pragma once
// One datagram to the kernel, and what the kernel would say of one without sending it.

#include <optional>
#include <span>
#include <sys/socket.h>

#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/net/endpoint.h"
#include "harness/real/host_table.h"
#include "harness/real/socket_state.h"

namespace netrig {

// The address that a datagram of `state` to `to` must come from where the kernel, which has all
// hosts' addresses on one device, would choose the receiver's own. Empty: the kernel's choice is
// right.
std::optional<IpAddress> source_for(const SocketState& state, const HostTable& hosts,
                                    const Endpoint& to);

// sendmsg(2) with MSG_DONTWAIT and MSG_NOSIGNAL; `to` empty: the connected peer. `control` is an
// encoded ancillary buffer (cmsg(3)).
Result<size_t> send_datagram(int fd, std::span<const ByteView> parts, int flags,
                             const std::optional<Endpoint>& to,
                             const std::optional<IpAddress>& source, ByteView control = {});

// What the socket's datagrams have as type of service (IPv4) or traffic class: IP_TOS, IPV6_TCLASS.
uint8_t traffic_class(const SocketState& state, bool v6);
// Ancillary data that gives one datagram another one.
Bytes traffic_class_control(bool v6, uint8_t value);

// The error that sending `size` octets to `to` would answer at once (a pending error included,
// which is taken, as sending would take it); nothing is sent.
Result<void> check_datagram(const SocketState& state, size_t size,
                            const std::optional<Endpoint>& to,
                            const std::optional<IpAddress>& source);

}  // namespace netrig
